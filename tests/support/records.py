"""Kafka records for tests that stand below decoding, and a consumer that takes their commits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aiokafka import TopicPartition

from shared.contracts.base import Resource
from shared.contracts.registry import MessageType, message_types
from shared.messaging.decode import Decoder
from tests.support.fakes import START

START_MS = round(START.timestamp() * 1000)

_offsets = count()


@dataclass
class FakeRecord:
    """What is read of aiokafka's ConsumerRecord."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, Any]] = ()
    partition: int = 0
    offset: int = field(default_factory=lambda: next(_offsets))
    timestamp: int = START_MS


def record(
    type: MessageType[Any],
    body: Resource | Mapping[str, Any],
    *,
    id: str | None = None,
    source: str = "/tests",
    headers: Sequence[tuple[str, Any]] = (),
    **overrides: Any,
) -> FakeRecord:
    """A well-formed record of ``type``, binary mode; ``headers`` come after the CloudEvents ones.

    ``overrides`` are fields of :class:`FakeRecord`. Without ``id`` there is no ``ce_id``.
    """
    model = body if isinstance(body, Resource) else type.body.model_validate(body)
    made = FakeRecord(
        type.topic,
        model.model_dump_json(exclude_none=True).encode()
        if isinstance(body, Resource)
        else json.dumps(body).encode(),
        type.key(model).encode(),
    )
    named = [] if id is None else [("ce_id", id.encode())]
    made.headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", type.name.encode()),
        ("ce_source", source.encode()),
        *named,
        *headers,
    ]
    for name, value in overrides.items():
        setattr(made, name, value)
    return made


def decoder(*types: MessageType[Any], owned: bool = True, max_bytes: int = 1_000_000) -> Decoder:
    """A decoder that wants ``types`` and knows all declared ones of their topics."""
    topics = {type.topic for type in types}
    return Decoder(
        types={(type.topic, type.name): type for type in types},
        known={
            topic: frozenset(name for on, name in message_types() if on == topic)
            for topic in topics
        },
        owned=frozenset(topics) if owned else frozenset(),
        max_bytes=max_bytes,
    )


class FakeConsumer:
    """Takes commits; ``commits`` lists them as {(topic, partition): offset}."""

    def __init__(self) -> None:
        self.commits: list[dict[tuple[str, int], int]] = []
        self._faults: list[BaseException] = []

    def fail_next(self, error: BaseException) -> None:
        """Raises ``error`` at the next commit. Faults queue up."""
        self._faults.append(error)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._faults:
            raise self._faults.pop(0)
        self.commits.append({(at.topic, at.partition): next for at, next in offsets.items()})
