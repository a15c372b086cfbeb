"""The messages that an order's story is made of, read from the topics."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.letters.letter import SUFFIX, Letter
from services.story import MessageStory, Sources
from services.topic_reader import Place, TopicReader
from services.trail import Trail, follow
from shared.contracts.orders import CommandRejected
from shared.contracts.registry import Topics
from shared.messaging.decode import Record

_BEFORE = timedelta(days=1)
"""What came before the order was taken may be about it: a command that was refused, a shipment
that waited."""


async def read_messages(reader: TopicReader, sources: Sources) -> list[MessageStory]:
    """All messages about the order of ``sources``, by their time, as far as the topics keep them.
    Raises KafkaError."""
    order = sources.order.order
    parts = sources.forwarding.parts if sources.forwarding else []
    trail = Trail(order.id, [part.order.id for part in parts], sources.shipments)
    since = order.date_created - _BEFORE
    return [message_of(record) async for record in follow(reader, trail, since=since)]


async def messages_naming(reader: TopicReader, id: str) -> Sequence[MessageStory]:
    """All messages about an order that no service knows."""
    return [message_of(record) async for record in follow(reader, Trail(id))]


def message_of(record: Record) -> MessageStory:
    """What is told of ``record``; values are left out, they may be personal data."""
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    headers |= _attributes(headers, record.value)
    return MessageStory(
        at=datetime.fromtimestamp(max(0, record.timestamp) / 1000, UTC),
        topic=record.topic,
        type=headers.get("ce_type", ""),
        id=headers.get("ce_id", ""),
        source=headers.get("ce_source", ""),
        key="" if record.key is None else record.key.decode(errors="replace"),
        place=str(Place.of(record)),
        note=_note(record),
    )


def _attributes(headers: dict[str, str], value: bytes | None) -> dict[str, str]:
    """The attributes of an event in structured mode; nothing for any other."""
    if not headers.get("content-type", "").startswith("application/cloudevents+json"):
        return {}
    try:
        event = json.loads(value or b"")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(event, dict):
        return {}
    return {f"ce_{name}": text for name, text in event.items() if isinstance(text, str)}


def _note(record: Record) -> str | None:
    if record.topic.endswith(SUFFIX):
        return Letter.of(record).error
    if record.topic != Topics.COMMANDS_REJECTED:
        return None
    try:
        rejected = CommandRejected.model_validate_json(record.value or b"")
    except ValueError:
        return None
    errors = "; ".join(f"{error.error_code}: {error.message}" for error in rejected.errors)
    return f"{rejected.command.type} {rejected.command.id}: {errors}"
