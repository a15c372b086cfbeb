"""The load: a client that costs little, because it shares the machine with what it measures. It is
librdkafka, as an outside system would have it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, Producer
from confluent_kafka import TopicPartition as Place

from services.bench.goods import Goods
from services.checks import DeploymentError

_TOPICS = ("orders.events", "supplier-orders.events", "commands.rejected", "catalog.events")
_STALLED_SECONDS = 60.0
_QUEUE = 1_000_000


class Load:
    """Places orders, ships what is forwarded, and notes when each order got how far.

    Times are those of the records, in seconds since 1970: an order is accepted when the broker
    took its command, forwarded with the first of its supplier orders. A thread of its own reads
    the events and answers them.
    """

    def __init__(self, kafka: str, goods: Goods | None = None) -> None:
        self.goods = goods if goods is not None else Goods()
        self._producer = Producer(
            {
                "bootstrap.servers": kafka,
                "acks": "all",
                "linger.ms": 5,
                "compression.type": "lz4",
                "partitioner": "murmur2_random",
                "queue.buffering.max.messages": _QUEUE,
                "log_level": 0,
            }
        )
        self._consumer = Consumer(
            {
                "bootstrap.servers": kafka,
                "group.id": f"bench-{uuid4().hex}",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )
        self.placed = 0
        self.saved = 0
        self.rejected: list[bytes] = []
        self.accepted: dict[str, float] = {}
        self.forwarded: dict[str, float] = {}
        self.completed: dict[str, float] = {}
        self._heard = time.monotonic()
        self._stopping = False
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="load", daemon=True)

    async def __aenter__(self) -> Self:
        topics = self._consumer.list_topics(timeout=30).topics
        self._consumer.assign(
            [
                Place(topic, partition, OFFSET_BEGINNING)
                for topic in _TOPICS
                for partition in topics[topic].partitions
            ]
        )
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        await asyncio.to_thread(self._thread.join, 10)
        self._producer.purge()
        self._consumer.close()

    async def load_catalogue(self) -> None:
        """Makes the marketplace; returns when the engine has told of all of it."""
        commands = 0
        for name, body in self.goods.catalogue():
            commands += 1
            self._send("catalog.commands", name, body["ID"], json.dumps(body).encode(), name)
        await self._until(lambda: self.saved >= commands)

    async def burst(self, prefix: str, count: int, in_flight: int) -> float:
        """Places ``count`` orders with at most ``in_flight`` under way; returns the seconds from
        the first placed to the last completed."""
        started, done = time.time(), len(self.completed)
        self._heard = time.monotonic()
        for number in range(count):
            while number - (len(self.completed) - done) >= in_flight:
                self._check()
                await asyncio.sleep(0.005)
            self._place(f"{prefix}-{number}", number)
        await self._until(lambda: len(self.completed) - done >= count)
        return max(self.completed.values()) - started

    async def steady(self, prefix: str, rate: float, seconds: float) -> list[str]:
        """Places ``rate`` orders/s for ``seconds``, whatever becomes of them; returns their IDs
        once all are completed."""
        started, done, orders = time.monotonic(), len(self.completed), []
        for number in range(int(rate * seconds)):
            wait = started + number / rate - time.monotonic()
            if wait > 0.001:
                await asyncio.sleep(wait)
            orders.append(f"{prefix}-{number}")
            self._place(orders[-1], number)
        await self._until(lambda: len(self.completed) - done >= len(orders))
        return orders

    def _place(self, order: str, number: int) -> None:
        def taken(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self.accepted[order] = message.timestamp()[1] / 1000
            else:
                self._fault = DeploymentError(f"Kafka did not take a command: {error}")

        self.placed += 1
        body = self.goods.order(order, number)
        self._send("orders.commands", "PlaceOrder", order, body, "place", on_delivery=taken)

    def _send(
        self, topic: str, name: str, key: str, body: bytes, prefix: str, **options: Any
    ) -> None:
        headers: list[tuple[str, str | bytes | None]] = [
            ("ce_type", name.encode()),
            ("ce_id", f"{prefix}-{key}".encode()),
            ("ce_source", b"/bench"),
        ]
        self._producer.produce(topic, key=key.encode(), value=body, headers=headers, **options)

    def _work(self) -> None:
        try:
            while not self._stopping:
                messages = self._consumer.consume(2_000, timeout=0.02)
                for message in messages:
                    self._take(message)
                self._producer.poll(0)
                if messages:
                    self._heard = time.monotonic()
        except BaseException as error:
            # It shows where the load is waited for.
            self._fault = error
            raise

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            raise DeploymentError(f"Kafka cannot be read: {error}")
        topic = message.topic()
        if topic == "catalog.events":
            self.saved += 1
            return
        name = _type_of(message)
        if name == b"SupplierOrderForwarded":
            order = _key_of(message)
            self.forwarded.setdefault(order, message.timestamp()[1] / 1000)
            supplier = 0 if b'"ToCompanyID":"bench-supplier-0"' in (message.value() or b"") else 1
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            body = self.goods.shipment(order, supplier, now)
            self._send("shipments.commands", "CreateShipment", f"{order}-S{supplier}", body, "ship")
        elif name == b"OrderCompleted":
            self.completed[_key_of(message)] = message.timestamp()[1] / 1000
        elif topic == "commands.rejected":
            self.rejected.append(message.value() or b"")

    async def _until(self, done: Callable[[], bool]) -> None:
        self._heard = time.monotonic()
        while not done():
            self._check()
            await asyncio.sleep(0.02)

    def _check(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self.rejected:
            raise DeploymentError(f"A command of the benchmark was refused: {self.rejected[0]!r}")
        if time.monotonic() - self._heard > _STALLED_SECONDS:
            raise DeploymentError(
                f"Nothing was heard for {_STALLED_SECONDS:.0f} s: {self.placed} orders placed, "
                f"{len(self.forwarded)} forwarded, {len(self.completed)} completed."
            )


def _type_of(message: Message) -> bytes | None:
    headers = message.headers()
    if isinstance(headers, list):
        for name, value in headers:
            if name == "ce_type":
                return value if isinstance(value, bytes) else None
    return None


def _key_of(message: Message) -> str:
    key = message.key()
    return key.decode() if isinstance(key, bytes) else str(key)
