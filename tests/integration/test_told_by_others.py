"""What another member of a service's group has published, on a real Kafka."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.messaging.committed_offsets import CommittedOffsets
from shared.messaging.outbox import OutboxEntry
from shared.messaging.publisher import KafkaPublisher
from shared.metrics import Metrics
from tests.support.fakes import START


async def test_it_is_what_the_committed_messages_led_to(
    kafka_address: str, new_topic: Callable[..., Awaitable[str]]
) -> None:
    topic = await new_topic()
    publisher = KafkaPublisher(kafka_address, "tests", Metrics())
    entries = {
        place: OutboxEntry(f"e-{place}", topic, "BuyerSaved", "k", START, "{}", place=place)
        for place in [(topic, 0, 0), (topic, 0, 1), (topic, 0, 2), None]
    }

    async def told() -> set[str]:
        return await publisher.told_by_others(entries.values())

    async with AIOKafkaProducer(bootstrap_servers=kafka_address, acks="all") as producer:
        for number in range(3):
            await producer.send_and_wait(topic, str(number).encode())
    group = {"bootstrap_servers": kafka_address, "group_id": topic, "enable_auto_commit": False}
    async with AIOKafkaConsumer(**group) as asking, AIOKafkaConsumer(**group) as other:
        # Neither joins the group: both may commit for it.
        for consumer in (asking, other):
            consumer.assign([TopicPartition(topic, 0)])
        assert await told() == set()
        publisher.ask(CommittedOffsets(asking))
        assert await told() == set()

        await other.commit({TopicPartition(topic, 0): 2})

        assert await told() == {entries[topic, 0, 0].id, entries[topic, 0, 1].id}
        entries[topic, 0, 1] = replace(entries[topic, 0, 1], body="x" * 200_000)

        # A topic may have refused it, and its message went to the dead letters.
        assert await told() == {entries[topic, 0, 0].id}
