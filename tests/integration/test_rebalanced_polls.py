"""What a consumer polled before its partitions were given away, on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError

from shared.messaging.polling import Generations, Polling

LIMIT = 30.0


class EndGenerations(ConsumerRebalanceListener):
    def __init__(self, generations: Generations) -> None:
        self._generations = generations

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        self._generations.end()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        pass


@asynccontextmanager
async def member(kafka: str, topic: str, name: str, generations: Generations) -> AsyncIterator[Any]:
    """A consumer of the topic's group. Of two, the one that is first by ``name`` gets the only
    partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        group_id=topic,
        client_id=name,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        heartbeat_interval_ms=100,
    )
    consumer.subscribe([topic], listener=EndGenerations(generations))
    async with consumer:
        yield consumer


async def polled(consumer: Any, count: int) -> list[int]:
    """The offsets of the next ``count`` records."""
    offsets: list[int] = []
    async with asyncio.timeout(LIMIT):
        while len(offsets) < count:
            for records in (await consumer.getmany(timeout_ms=100, max_records=100)).values():
                offsets += [record.offset for record in records]
    return offsets


async def test_it_is_not_committed_over_what_another_committed_meanwhile(
    kafka_address: str, new_topic: Callable[..., Awaitable[str]]
) -> None:
    topic = await new_topic()
    place = TopicPartition(topic, 0)
    generations = Generations()
    async with (
        AIOKafkaProducer(bootstrap_servers=kafka_address, acks="all") as producer,
        member(kafka_address, topic, "second", generations) as consumer,
    ):
        for number in range(3):
            await producer.send_and_wait(topic, str(number).encode())
        assert await polled(consumer, 3) == [0, 1, 2]
        await consumer.commit({place: 3})
        for number in range(3, 6):
            await producer.send_and_wait(topic, str(number).encode())
        own_poll = consumer.getmany
        held: list[int] = []

        async def poll_across_a_rebalance(**options: Any) -> Any:
            """The first poll has records at hand; before the second one asks for more,
            another has come, gone further and gone."""
            if not held:
                records = await own_poll(timeout_ms=10_000, max_records=100)
                held.extend(record.offset for each in records.values() for record in each)
                return records
            async with member(kafka_address, topic, "first", Generations()) as other:
                for number in range(6, 8):
                    await producer.send_and_wait(topic, str(number).encode())
                assert await polled(other, 5) == [3, 4, 5, 6, 7]
                await other.commit({place: 8})
            return await own_poll(**options)

        consumer.getmany = poll_across_a_rebalance
        polling = Polling("tests", consumer, generations)
        async with asyncio.timeout(LIMIT):
            assert await consumer.getmany(timeout_ms=10, max_records=100) == {}

        assert held[0] == 3
        async with asyncio.timeout(LIMIT):
            assert await consumer.committed(place) == 8
        # Nor is what is in hand when they are given away.
        assert polling.holds
        generations.end()
        with pytest.raises(IllegalStateError):
            await polling.commit({place: 6})
        assert await consumer.committed(place) == 8
