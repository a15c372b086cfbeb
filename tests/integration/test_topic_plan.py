"""The declaration of topics against a real Kafka: what differs is seen, and made so."""

from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.messaging.topic_plan import Growth, TopicAdmin
from shared.messaging.topics import Topic
from tests.conftest import NewTopic as MakeTopic

HOUR = 3_600_000


async def config_of(kafka: str, topic: str) -> dict[str, str]:
    """What is set on the topic itself."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        (response,) = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic)]
        )
    finally:
        await admin.close()
    ((_, _, _, _, entries),) = response.resources
    return {name: value for name, value, _, source, *_ in entries if source == 1}


async def make(kafka: str, topic: str, partitions: int, **config: str) -> None:
    """A topic as somebody made it by hand."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        names = {name.replace("_", "."): value for name, value in config.items()}
        await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=names)])
    finally:
        await admin.close()


async def test_a_missing_topic_is_planned_made_and_then_as_declared(kafka_address: str) -> None:
    topic = Topic(f"test.{uuid4().hex}", HOUR, append_time=True)

    async with TopicAdmin(kafka_address, partitions=2, topics=[topic]) as admin:
        before = await admin.plan()
        await admin.apply(before)
        after = await admin.plan()

    assert (before.create, before.replication, before.partitions) == ([topic], 1, 2)
    assert (after.empty, after.by_hand) == (True, [])
    assert await config_of(kafka_address, topic.name) == topic.config()


async def test_what_differs_is_changed_and_what_is_not_declared_stays(kafka_address: str) -> None:
    topic = Topic(f"test.{uuid4().hex}", 2 * HOUR)
    await make(
        kafka_address, topic.name, 1,
        retention_ms=str(HOUR), cleanup_policy="compact", segment_bytes="33554432",
    )  # fmt: skip

    async with TopicAdmin(kafka_address, partitions=3, replication=1, topics=[topic]) as admin:
        plan = await admin.plan()
        await admin.apply(plan)
        after = await admin.plan()

    assert plan.create == []
    assert plan.grow == [Growth(topic.name, 1, 3)]
    assert {(change.name, change.value, change.wanted) for change in plan.change} == {
        ("cleanup.policy", "compact", "delete"),
        ("retention.ms", str(HOUR), str(2 * HOUR)),
        ("max.message.bytes", "1048588", str(topic.max_message_bytes)),
    }
    assert after.empty
    config = await config_of(kafka_address, topic.name)
    assert config["segment.bytes"] == "33554432"
    assert config["retention.ms"] == str(2 * HOUR)


@pytest.mark.parametrize("kept", [str(2 * HOUR), "-1"])
async def test_nothing_that_would_delete_records_is_done(kafka_address: str, kept: str) -> None:
    topic = Topic(f"test.{uuid4().hex}", HOUR)
    config = {name.replace(".", "_"): value for name, value in topic.config().items()}
    await make(kafka_address, topic.name, 5, **{**config, "retention_ms": kept})

    async with TopicAdmin(kafka_address, partitions=3, replication=1, topics=[topic]) as admin:
        plan = await admin.plan()
        await admin.apply(plan)

    assert plan.empty
    assert plan.by_hand == [
        (
            f"{topic.name} keeps records for {kept} ms, longer than the {HOUR} declared:"
            " lowering that would delete records"
        )
    ]
    assert (await config_of(kafka_address, topic.name))["retention.ms"] == kept


async def test_more_copies_than_there_are_are_told_and_no_write_is_refused_for_them(
    kafka_address: str, new_topic: MakeTopic
) -> None:
    topic = Topic(await new_topic(), -1)

    async with TopicAdmin(kafka_address, partitions=1, replication=3, topics=[topic]) as admin:
        plan = await admin.plan()

    assert plan.empty
    assert plan.by_hand == [
        (
            "3 copies need as many brokers, and there are 1: add brokers, or lower"
            " ORDERMESH_TOPIC_REPLICATION"
        ),
        f"{topic.name} has 1 copies, not 3: move its partitions with kafka-reassign-partitions.sh",
    ]
