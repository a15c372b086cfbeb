"""From a Kafka record to a message: CloudEvents 1.0, binary and structured mode.

Source: CloudEvents Kafka protocol binding 1.0.2. Nothing in here raises on bad input: what cannot
be read comes back as :class:`Poison` with the reason.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from pydantic import ValidationError

from shared.contracts.registry import MessageType
from shared.logs import identifier, message_fields
from shared.messaging.message import Message
from shared.tracing.traceparent import accepted as accepted_trace

REKEYED_FROM = "om_rekeyed_from"
"""Header of a command that was published again under its right key: the place it came from,
which stands in for a missing ``ce_id``."""


LONGEST_ID = 256
"""Most characters of a ``ce_id`` and of a ``ce_source``: aggregates remember them."""


class Record(Protocol):
    """What is read of aiokafka's ConsumerRecord. ``timestamp`` is in ms since 1970, UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Any


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that can never be applied, and why."""

    record: Record
    reason: str


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A command whose record has not the key that its body calls for."""

    record: Record
    key: str


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes the records of one service.

    ``types`` are the message types that the service wants; other types of the same topics are
    skipped unread. ``known`` are all type names of each topic: a name beyond them is an error.
    Several services read some topics; ``owned`` are those where this one, and no other, sets
    aside what nobody can tell the type of. What names a type that cannot be read is set aside by
    whoever wants that type.
    """

    types: Mapping[tuple[str, str], MessageType[Any]]
    known: Mapping[str, frozenset[str]]
    owned: frozenset[str]
    max_bytes: int
    _passed_over: frozenset[tuple[str, bytes]] = field(init=False)
    _wanted: frozenset[tuple[str, bytes]] = field(init=False)

    def __post_init__(self) -> None:
        passed_over = (
            (topic, name.encode())
            for topic, names in self.known.items()
            for name in names
            if (topic, name) not in self.types
        )
        wanted = ((topic, name.encode()) for topic, name in self.types)
        object.__setattr__(self, "_passed_over", frozenset(passed_over))
        object.__setattr__(self, "_wanted", frozenset(wanted))

    def decode(self, record: Record) -> Message[Any] | Poison | Misplaced | None:
        """The message of ``record``, or what is wrong with it; None when it is not wanted."""
        decoded = self._typed(record)
        if isinstance(decoded, Poison):
            return decoded if record.topic in self.owned or self._is_wanted(record) else None
        if decoded is None:
            return None
        type, attributes, value = decoded
        return self._read(record, type, attributes, value)

    def _is_wanted(self, record: Record) -> bool:
        """Whether the header says a type that this service wants, whatever else is wrong."""
        try:
            return (record.topic, dict(record.headers).get("ce_type")) in self._wanted
        except (TypeError, ValueError):
            return False

    def _typed(
        self, record: Record
    ) -> tuple[MessageType[Any], dict[str, str], bytes] | Poison | None:
        """Type, attributes and body of a record, as far as its headers tell."""
        try:
            raw = dict(record.headers)
            if (record.topic, raw.get("ce_type")) in self._passed_over:
                return None
            headers = {name: value.decode() for name, value in raw.items()}
        except (AttributeError, UnicodeDecodeError, TypeError, ValueError):
            return Poison(record, "a header is null or not UTF-8; send header values as UTF-8 text")
        value = record.value
        if value is None:
            return Poison(record, "the value is null; send Delete… commands instead of tombstones")
        if headers.get("content-type", "").startswith("application/cloudevents+json"):
            structured = _structured(value)
            if isinstance(structured, str):
                return Poison(record, structured)
            attributes, value = structured
        else:
            attributes = headers
        name = attributes.get("ce_type")
        if name is None:
            names = self.known[record.topic]
            if len(names) != 1:
                return Poison(
                    record, f"no ce_type header; set it to one of {', '.join(sorted(names))}"
                )
            (name,) = names
        type = self.types.get((record.topic, name))
        if type is None:
            if name in self.known[record.topic]:
                return None
            return Poison(
                record,
                f"unknown ce_type {identifier(name[:100])!r}; {record.topic} takes "
                f"{', '.join(sorted(self.known[record.topic]))}",
            )
        return type, attributes, value

    def _read(
        self, record: Record, type: MessageType[Any], attributes: dict[str, str], value: bytes
    ) -> Message[Any] | Poison | Misplaced:
        if len(value) > self.max_bytes and record.topic.endswith(".commands"):
            return Poison(
                record,
                f"{len(value)} bytes, more than the {self.max_bytes} that a command may have",
            )
        id, source = attributes.get("ce_id", ""), attributes.get("ce_source", "")
        if len(id) > LONGEST_ID or len(source) > LONGEST_ID:
            return Poison(
                record, f"ce_id or ce_source is longer than {LONGEST_ID} characters; shorten it"
            )
        try:
            accepted = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        except (OverflowError, ValueError, OSError):
            return Poison(
                record, f"its timestamp, {record.timestamp} ms since 1970, is no time of a calendar"
            )
        try:
            body = type.body.model_validate_json(value)
        except ValidationError as error:
            return Poison(record, _explain(type.name, error))
        if record.topic.endswith(".commands"):
            key = type.key(body)
            if record.key != key.encode():
                return Misplaced(record, key)
        else:
            key = (record.key or b"").decode(errors="replace")
        return Message(
            type=type,
            body=body,
            id=id or _original_place(record),
            source=source,
            key=key,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            accepted=accepted,
            value=value,
            trace=accepted_trace(attributes.get("traceparent")),
        )


def place_of(record: Record) -> str:
    """What identifies a record that carries no ``ce_id``. The time tells it from one at the same
    offset of a topic that was made anew."""
    return f"{record.topic}/{record.partition}/{record.offset}@{record.timestamp}"


def record_fields(record: Record) -> dict[str, str | None]:
    """What a log line that concerns a record tells of it, whatever its headers are."""
    try:
        headers = {name: value.decode() for name, value in record.headers}
        key = record.key.decode() if record.key is not None else None
    except (AttributeError, UnicodeDecodeError, TypeError, ValueError):
        return message_fields(record.topic, None, None, None, None)
    return message_fields(
        record.topic,
        headers.get("ce_type"),
        key,
        headers.get("ce_id", place_of(record)),
        accepted_trace(headers.get("traceparent")),
    )


def _original_place(record: Record) -> str:
    moved = dict(record.headers).get(REKEYED_FROM)
    return moved.decode() if moved else place_of(record)


def _structured(value: bytes) -> tuple[dict[str, str], bytes] | str:
    """Attributes (under their binary-mode names) and data of a structured event, or the fault."""
    try:
        event = json.loads(value)
    except (ValueError, RecursionError):
        return "the value is not JSON"
    if not isinstance(event, dict) or "data" not in event:
        return "a structured CloudEvent must be a JSON object with data"
    attributes = {
        name if name == "traceparent" else f"ce_{name}": text
        for name, text in event.items()
        if isinstance(text, str)
    }
    # Numbers stay as they were written: json parses them to float, which repr gives back.
    return attributes, json.dumps(event["data"]).encode()


def _explain(name: str, error: ValidationError) -> str:
    """One line with up to five faults, each with its path; values are left out, they may be
    personal data."""
    faults = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    more = f" (and {len(faults) - 5} more)" if len(faults) > 5 else ""
    return f"not a {name}: {'; '.join(faults[:5])}{more}"
