"""The outbox: events that are decided and written, and on their way to Kafka."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts.registry import MessageType
from shared.messaging.message import Event, Message, derived_id

LARGEST_EVENT = 8 * 1024 * 1024 - 65_536
"""Bytes of the largest body that an event may have: what a topic takes, less key and headers."""


class EventTooLarge(Exception):
    """An event is larger than Kafka takes: what leads to it cannot succeed."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One event, encoded once: ``body`` is its JSON. ``id`` is its ``ce_id``, derived from what
    caused it, so that deciding it again gives the same one."""

    id: str
    topic: str
    type: str
    key: str
    time: datetime
    body: str
    trace: str | None = None

    def document(self) -> dict[str, Any]:
        document = {
            "ID": self.id,
            "Topic": self.topic,
            "Type": self.type,
            "Key": self.key,
            "Time": self.time,
            "Body": self.body,
        }
        if self.trace:
            document["Trace"] = self.trace
        return document

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "OutboxEntry":
        return cls(
            document["ID"],
            document["Topic"],
            document["Type"],
            document["Key"],
            document["Time"],
            document["Body"],
            document.get("Trace"),
        )


def event_id(cause: str, type: MessageType[Any], index: int) -> str:
    """The ``ce_id`` of the event at ``index`` among those that ``cause`` led to."""
    return derived_id(cause, type.topic, type.name, str(index))


def entries_of(
    cause: str, events: Iterable[Event], now: datetime, trace: str | None = None
) -> list[OutboxEntry]:
    """The outbox entries of ``events``. ``cause`` names, for ever and uniquely, what led to them
    (a message's identity and the aggregate that took it).

    Raises :class:`EventTooLarge` before anything is written that could never be published.
    """
    entries: list[OutboxEntry] = []
    body, text = None, ""
    for index, event in enumerate(events):
        # One body often goes out under several types.
        if event.body is not body:
            body, text = event.body, _encoded(event)
        entries.append(
            OutboxEntry(
                event_id(cause, event.type, index),
                event.type.topic,
                event.type.name,
                event.type.key(event.body),
                now,
                text,
                trace,
            )
        )
    return entries


def _encoded(event: Event) -> str:
    body = event.body.model_dump_json(exclude_none=True)
    # A character takes one to four bytes: only a body of unusual size is measured exactly.
    if len(body) > LARGEST_EVENT // 4 and len(body.encode()) > LARGEST_EVENT:
        raise EventTooLarge(f"{event.type.name} would be larger than {LARGEST_EVENT} bytes")
    return body


def caused_by(message: Message[Any], aggregate_id: str) -> str:
    return f"{message.identity}|{aggregate_id}"
