"""A message as a service sees it, and an event as it leaves."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from shared.contracts.base import Error, Resource
from shared.contracts.orders import CommandReference, CommandRejected
from shared.contracts.registry import COMMAND_REJECTED, MessageType
from shared.logs import message_fields

B = TypeVar("B", bound=Resource)

Place = tuple[str, int, int]
"""Where a record stands: its topic, its partition and its offset."""


@dataclass(slots=True)
class Message(Generic[B]):
    """A decoded record. Nothing changes it but tracing, which sets ``trace`` before it is
    processed; making a frozen one would take three times as long, and it is made for every record.

    (``source``, ``id``) identifies it for ever; ``accepted`` is the record's time in UTC: when
    Kafka took it. ``value`` is the body's JSON as it came, ``trace`` the W3C ``traceparent``.
    """

    type: MessageType[B]
    body: B
    id: str
    source: str
    key: str
    topic: str
    partition: int
    offset: int
    accepted: datetime
    value: bytes = b""
    trace: str | None = None

    @property
    def place(self) -> Place:
        """Where its record stands."""
        return self.topic, self.partition, self.offset

    @property
    def identity(self) -> str:
        return f"{self.source}|{self.id}"

    def log_fields(self) -> dict[str, str | None]:
        """What a log line that concerns this message tells of it."""
        return message_fields(self.topic, self.type.name, self.key, self.id, self.trace)

    def reference(self) -> CommandReference:
        """How a refusal of this message names it."""
        return CommandReference(
            topic=self.topic, type=self.type.name, id=self.id, source=self.source
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A message to be published. Its key is that of its type."""

    type: MessageType[Any]
    body: Resource


def rejection(message: Message[Any], errors: list[Error], order_id: str | None = None) -> Event:
    """The ``CommandRejected`` that answers ``message``."""
    return late_rejection(message.reference(), errors, order_id)


def late_rejection(
    command: CommandReference, errors: list[Error], order_id: str | None = None
) -> Event:
    """The ``CommandRejected`` that answers a command which was taken earlier."""
    body = CommandRejected(command=command, order_id=order_id, errors=errors)
    return Event(COMMAND_REJECTED, body)


def derived_id(*parts: str) -> str:
    """A UUID made of ``parts`` alone: the same cause gives the same ID, however often it is
    asked for. Version 8 of RFC 9562, of a SHA-1 over the parts."""
    digest = hashlib.sha1("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"
