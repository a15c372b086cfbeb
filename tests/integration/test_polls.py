"""What a consumer fetches while it is not polled, on a real Kafka."""

import asyncio
from collections.abc import Awaitable, Callable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.messaging.polling import fetch_less_ahead


async def test_what_lies_ready_keeps_nothing_else_waiting(
    kafka_address: str, new_topic: Callable[..., Awaitable[str]]
) -> None:
    topic = await new_topic(partitions=2)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_address, fetch_max_wait_ms=20_000)
    async with (
        AIOKafkaProducer(bootstrap_servers=kafka_address, acks="all") as producer,
        consumer,
    ):
        fetch_less_ahead(consumer)
        consumer.assign([TopicPartition(topic, 0), TopicPartition(topic, 1)])
        await consumer.seek_to_beginning()
        await producer.send_and_wait(topic, b"first", partition=0)
        # Longer than after what aiokafka would ask for the other partition alone.
        await asyncio.sleep(0.5)
        async with asyncio.timeout(10.0):
            assert (await consumer.getone()).value == b"first"
            await producer.send_and_wait(topic, b"second", partition=0)

            assert (await consumer.getone()).value == b"second"
