"""The bare loop: the same messages and documents as an order, without any logic.

Started as processes by the benchmark: ``python -m services.bench.bare`` reads its plan as JSON
from standard input, waits for a line, works, and prints the seconds that it took: of the clock,
and of the processor.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Protocol
from uuid import uuid4

import bson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from bson import json_util
from pymongo import AsyncMongoClient, WriteConcern

from services.bench.footprint import Record
from shared.messaging.compression import mend_compression
from shared.mongo.writes import Writes

BATCH = 250
"""Orders that are moved at once."""


@dataclass(frozen=True, slots=True)
class Write:
    """Documents of one ``collection`` (``<database>.<name>``) per order, and how often each is
    written over."""

    collection: str
    inserts: float
    updates: float
    sample: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process does. ``messages`` are, for each topic, records per order and some of
    them."""

    kafka: str
    mongodb: str
    topic: str
    partition: int
    orders: int
    messages: list[tuple[float, list[Record]]]
    writes: list[Write]

    def dump(self) -> str:
        plan = {name: getattr(self, name) for name in self.__slots__}
        plan["messages"] = [
            [per_order, [[each.key, each.value, each.headers] for each in samples]]
            for per_order, samples in self.messages
        ]
        plan["writes"] = [[w.collection, w.inserts, w.updates, w.sample] for w in self.writes]
        return json_util.dumps(plan)

    @classmethod
    def load(cls, text: str) -> "Plan":
        plan = json_util.loads(text)
        messages = [
            (
                per_order,
                [Record(key, value, list(map(tuple, headers))) for key, value, headers in samples],
            )
            for per_order, samples in plan.pop("messages")
        ]
        writes = [Write(*write) for write in plan.pop("writes")]
        return cls(**plan, messages=messages, writes=writes)


class Contents(Protocol):
    """What the loop does with what it moves."""

    def value(self, record: Record) -> bytes:
        """What is sent of ``record``."""
        ...

    def read(self, record: ConsumerRecord[bytes, bytes]) -> None:
        """Takes what was fetched."""
        ...

    def document(self, write: Write) -> dict[str, Any]:
        """What is written, but for its ID and version."""
        ...


class Bytes:
    """Records and documents as they are, which nobody reads."""

    def value(self, record: Record) -> bytes:
        return record.value

    def read(self, record: ConsumerRecord[bytes, bytes]) -> None:
        pass

    def document(self, write: Write) -> dict[str, Any]:
        return write.sample


async def work(plan: Plan, contents: Contents) -> dict[str, float]:
    """Moves and writes ``plan.orders`` orders' worth; returns the ``seconds`` it took, and those of
    this process on the processor (``cpu``)."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(plan.mongodb, retryWrites=False)
    database = client["bare_loop"]
    durable = WriteConcern(w="majority", j=True)
    collections = [
        database.get_collection(f"c{plan.partition}_{n}", write_concern=durable)
        for n in range(len(plan.writes))
    ]
    producer = AIOKafkaProducer(
        bootstrap_servers=plan.kafka, acks="all", linger_ms=2, compression_type="lz4",
        max_batch_size=512 * 1024,
    )  # fmt: skip
    consumer = AIOKafkaConsumer(
        bootstrap_servers=plan.kafka, group_id=f"bare-{plan.partition}", enable_auto_commit=False
    )
    place = TopicPartition(plan.topic, plan.partition)
    await producer.start()
    await consumer.start()
    consumer.assign([place])
    await consumer.seek_to_end(place)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    started, spent = time.perf_counter(), time.process_time()
    for first in range(0, plan.orders, BATCH):
        count = min(BATCH, plan.orders - first)
        await _move(plan, count, contents, producer, consumer, place)
        await asyncio.gather(
            *(_write(w, contents, c, count) for w, c in zip(plan.writes, collections, strict=True))
        )
        await consumer.commit()
    took = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - spent}
    await producer.stop()
    await consumer.stop()
    await client.close()
    return took


async def _move(
    plan: Plan,
    orders: int,
    contents: Contents,
    producer: AIOKafkaProducer,
    consumer: AIOKafkaConsumer,
    place: TopicPartition,
) -> None:
    sent = []
    for per_order, samples in plan.messages:
        for record in islice(cycle(samples), round(per_order * orders)):
            sent.append(
                await producer.send(
                    plan.topic,
                    contents.value(record),
                    key=record.key,
                    partition=plan.partition,
                    headers=record.headers,
                )
            )
    await asyncio.gather(*sent)
    left = len(sent)
    while left > 0:
        for records in (await consumer.getmany(place, timeout_ms=100)).values():
            left -= len(records)
            for each in records:
                contents.read(each)


async def _write(write: Write, contents: Contents, collection: Any, orders: int) -> None:
    """Inserts documents, then writes each over as often as the plan says: as an aggregate's store
    does it, which is the quickest way known. Each time it is another document, for the server
    does not write one that is what it has."""
    ids = [uuid4().hex for _ in range(round(write.inserts * orders))]
    writes = Writes(optional=(), whole=True)
    for id in ids:
        writes.insert({**contents.document(write), "_id": id, "version": 1})
    await writes.execute(collection)
    left = round(write.updates * orders) if ids else 0
    version = 1
    while left > 0:
        writes = Writes(optional=(), whole=True)
        for id in ids[:left]:
            document = {**contents.document(write), "_id": id, "version": version + 1}
            writes.replace(version, document)
        await writes.execute(collection)
        left -= len(ids)
        version += 1


def run(contents: Contents) -> None:
    """The process."""
    mend_compression()
    plan = Plan.load(sys.stdin.readline())
    print(json.dumps(uvloop.run(work(plan, contents))), flush=True)


def document_bytes(document: dict[str, Any]) -> int:
    """The size of a document in BSON."""
    return len(bson.encode(document))


if __name__ == "__main__":
    run(Bytes())
