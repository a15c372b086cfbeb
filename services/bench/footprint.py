"""What an order costs in messages and documents, counted in Kafka and MongoDB."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from shared.aggregates import Untyped
from shared.contracts.registry import message_types
from shared.mongo.aggregates import MongoAggregateStore

_SAMPLE = 1_000
_KEPT = 100
_QUIET_SECONDS = 300
# A claim is written once, and has none.
_VERSION = {"$ifNull": ["$version", 1]}


@dataclass(frozen=True, slots=True)
class Stored:
    """One collection: how many documents, how often they were written over, and one of them."""

    inserts: int
    updates: int
    sample: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """What was sent: key, value and headers."""

    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]

    @property
    def bytes(self) -> int:
        named = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.key) + len(self.value) + named


@dataclass(frozen=True, slots=True)
class Sent:
    """One topic: how many records, their mean size in bytes, and some of the latest."""

    records: int
    mean_bytes: float
    samples: list[Record]


async def records_of(kafka: str) -> dict[str, int]:
    """Records of each topic so far."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        places = await _places(consumer)
        ends = await consumer.end_offsets([place for some in places.values() for place in some])
        return {topic: sum(ends[place] for place in some) for topic, some in places.items()}
    finally:
        await consumer.stop()


async def sent_since(kafka: str, before: Mapping[str, int]) -> dict[str, Sent]:
    """Records of each topic since ``before``, with the mean size of the latest thousand."""
    after = await records_of(kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        sent = {}
        for topic, places in (await _places(consumer)).items():
            count = after[topic] - before.get(topic, 0)
            if count:
                records = await latest(consumer, places)
                mean = sum(record.bytes for record in records) / max(1, len(records))
                sent[topic] = Sent(count, mean, records[-_KEPT:])
        return sent
    finally:
        await consumer.stop()


async def _places(consumer: AIOKafkaConsumer) -> dict[str, list[TopicPartition]]:
    topics = sorted({topic for topic, _ in message_types()})
    await consumer._client.set_topics(topics)
    return {
        topic: [
            TopicPartition(topic, partition)
            for partition in consumer.partitions_for_topic(topic) or ()
        ]
        for topic in topics
    }


async def latest(consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> list[Record]:
    """The last thousand records of a topic, or all where there are fewer."""
    consumer.assign(places)
    ends = await consumer.end_offsets(places)
    wanted = 0
    for place in places:
        start = max(0, ends[place] - _SAMPLE // len(places))
        consumer.seek(place, start)
        wanted += ends[place] - start
    found: list[Record] = []
    while len(found) < wanted:
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            found += [
                Record(each.key or b"", each.value or b"", list(each.headers)) for each in records
            ]
    return found


async def stored(mongodb: str, prefix: str) -> dict[str, Stored]:
    """Every collection under the database ``prefix``: each document was inserted
    once and written over ``version`` - 1 times."""
    found = {}
    async with AsyncMongoClient[dict[str, Any]](mongodb) as client:
        async for collection in _collections(client, prefix):
            pipeline = [{"$group": {"_id": None, "n": {"$sum": 1}, "v": {"$sum": _VERSION}}}]
            async for total in await collection.aggregate(pipeline):
                sample = await collection.find_one(sort=[("$natural", -1)])
                if sample is not None:
                    found[collection.full_name] = Stored(
                        total["n"], total["v"] - total["n"], sample
                    )
    return found


async def quiet(mongodb: str, prefix: str) -> None:
    """Returns when what was done leaves no work behind: the outboxes of all documents under the
    database ``prefix`` are empty. Raises TimeoutError after some minutes."""
    async with AsyncMongoClient[dict[str, Any]](mongodb) as client:
        for _ in range(_QUIET_SECONDS):
            if not await _outboxes(client, prefix):
                return
            await asyncio.sleep(1)
    raise TimeoutError(f"outboxes are not empty after {_QUIET_SECONDS} s")


async def _outboxes(client: AsyncMongoClient[dict[str, Any]], prefix: str) -> int:
    """How many documents have an outbox."""
    left = 0
    async for collection in _collections(client, prefix):
        store = MongoAggregateStore(collection.database, collection.name, Untyped)
        left += await store.outbox_depth()
    return left


async def _collections(
    client: AsyncMongoClient[dict[str, Any]], prefix: str
) -> AsyncIterator[AsyncCollection[dict[str, Any]]]:
    for database in await client.list_database_names():
        if database.startswith(f"{prefix}_"):
            for name in await client[database].list_collection_names():
                yield client[database][name]
