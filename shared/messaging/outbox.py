"""The outbox: events that are decided and written, and on their way to Kafka."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cramjam import lz4

from shared.contracts.registry import MessageType
from shared.messaging.message import Event, Message, Place, derived_id

LARGEST_EVENT = 8 * 1024 * 1024 - 65_536
"""Bytes of the largest body that an event may have: what a topic takes, less key and headers."""


class EventTooLarge(Exception):
    """An event is larger than Kafka takes: what leads to it cannot succeed."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One event, encoded once: ``body`` is its JSON. ``id`` is its ``ce_id``, derived from what
    caused it, so that deciding it again gives the same one.

    ``place`` is that of a message with whose batch it is written and published: once the service's
    group has committed that message, the event is out. None where there is no such message.
    """

    id: str
    topic: str
    type: str
    key: str
    time: datetime
    body: str
    trace: str | None = None
    place: Place | None = None


def outbox_fields(entries: Sequence[OutboxEntry]) -> dict[str, Any]:
    """``entries`` as a document has them: ``outbox``, what is looked for, and ``bodies``, the
    bodies as the lines of one text, compressed to an LZ4 block after its size. ``Body`` is a line's
    number; entries with one body share it. They would otherwise be half of what is written for an
    order, and most of them say nearly the same."""
    if not entries:
        return {"outbox": []}
    lines: dict[str, int] = {}
    outbox = []
    for entry in entries:
        fields = {
            "ID": entry.id,
            "Topic": entry.topic,
            "Type": entry.type,
            "Key": entry.key,
            "Time": entry.time,
            "Body": lines.setdefault(entry.body, len(lines)),
        }
        if entry.trace:
            fields["Trace"] = entry.trace
        if entry.place:
            fields["Place"] = list(entry.place)
        outbox.append(fields)
    # JSON has no line break but between its tokens, and pydantic writes none there.
    text = "\n".join(lines).encode()
    return {"outbox": outbox, "bodies": bytes(lz4.compress_block(text))}


def entries_in(document: Mapping[str, Any]) -> list[OutboxEntry]:
    """The entries of a ``document`` that has them as :func:`outbox_fields` makes them, or, as
    before, each with its body in ``Body``."""
    lines: list[str] = []
    if "bodies" in document:
        lines = bytes(lz4.decompress_block(document["bodies"])).decode().split("\n")
    return [
        OutboxEntry(
            entry["ID"],
            entry["Topic"],
            entry["Type"],
            entry["Key"],
            entry["Time"],
            lines[entry["Body"]] if isinstance(entry["Body"], int) else entry["Body"],
            entry.get("Trace"),
            _place(entry.get("Place")),
        )
        for entry in document["outbox"]
    ]


def _place(stored: Sequence[Any] | None) -> Place | None:
    if stored is None:
        return None
    topic, partition, offset = stored
    return topic, partition, offset


def event_id(cause: str, type: MessageType[Any], index: int) -> str:
    """The ``ce_id`` of the event at ``index`` among those that ``cause`` led to."""
    return derived_id(cause, type.topic, type.name, str(index))


def entries_of(
    cause: str,
    events: Iterable[Event],
    now: datetime,
    trace: str | None = None,
    place: Place | None = None,
) -> list[OutboxEntry]:
    """The outbox entries of ``events``. ``cause`` names, for ever and uniquely, what led to them
    (a message's identity and the aggregate that took it); ``place`` is as in the entry.

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
                place,
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
