"""An outside system's view of Ordermesh: commands in, events out, nothing but Kafka."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

Body = dict[str, Any]

EVENT_TOPICS = (
    "catalog.events",
    "accounts.events",
    "orders.events",
    "supplier-orders.events",
    "shipments.events",
    "notifications.events",
    "commands.rejected",
)


@dataclass(frozen=True, slots=True)
class OutsideEvent:
    """An event as an outside system reads it. ``time`` is the record's, in seconds since 1970."""

    type: str
    key: str
    body: Body
    time: float


class OutsideSystem:
    """Sends commands under its own ``ce_source`` and hands every event to ``listen``."""

    def __init__(self, kafka: str, source: str, listen: Callable[[OutsideEvent], None]) -> None:
        self._source = source.encode()
        self._listen = listen
        self._producer = AIOKafkaProducer(
            bootstrap_servers=kafka, acks="all", linger_ms=2, compression_type="lz4"
        )
        self._consumer = AIOKafkaConsumer(
            *EVENT_TOPICS, bootstrap_servers=kafka, auto_offset_reset="earliest"
        )
        self._reading: asyncio.Task[None] | None = None
        self.last_event = time.monotonic()
        """When something was last heard (monotonic seconds)."""

    async def __aenter__(self) -> Self:
        await self._producer.start()
        await self._consumer.start()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._consumer.stop()
        await self._producer.stop()

    async def send(self, topic: str, type: str, key: str, body: Body, id: str) -> float:
        """Sends a command and returns when Kafka took it (seconds since 1970)."""
        sent = await self._producer.send(
            topic,
            key=key.encode(),
            value=json.dumps(body).encode(),
            headers=[
                ("ce_specversion", b"1.0"),
                ("ce_type", type.encode()),
                ("ce_source", self._source),
                ("ce_id", id.encode()),
                ("content-type", b"application/json"),
            ],
        )
        taken = await sent
        return float(taken.timestamp) / 1000

    def failed(self) -> BaseException | None:
        """What ended the reading, if anything did."""
        if self._reading is not None and self._reading.done() and not self._reading.cancelled():
            return self._reading.exception()
        return None

    async def _read(self) -> None:
        while True:
            for records in (await self._consumer.getmany(timeout_ms=50, max_records=500)).values():
                for record in records:
                    self._listen(_event(record))
                self.last_event = time.monotonic()


def _event(record: "ConsumerRecord[bytes, bytes]") -> OutsideEvent:
    headers = dict(record.headers)
    return OutsideEvent(
        headers["ce_type"].decode(),
        (record.key or b"").decode(),
        json.loads(record.value),
        record.timestamp / 1000,
    )
