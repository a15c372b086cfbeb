"""What somebody with rights on Kafka may do to topics, rightly or wrongly. All of it blocks."""

from collections.abc import Iterable

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

_LIMIT = 30.0


def delete_topics(kafka: str, topics: Iterable[str]) -> None:
    # Its futures fail when the client is gone before them.
    admin = _admin(kafka)
    for deleted in admin.delete_topics(list(topics)).values():
        deleted.result(timeout=_LIMIT)


def configure_topics(kafka: str, topics: Iterable[str], **values: str | int) -> None:
    """Sets configurations, with ``_`` for each dot in their names."""
    changes = [
        ConfigEntry(name.replace("_", "."), str(value), incremental_operation=AlterConfigOpType.SET)
        for name, value in values.items()
    ]
    resources = [
        ConfigResource(ResourceType.TOPIC, topic, incremental_configs=changes) for topic in topics
    ]
    admin = _admin(kafka)
    for changed in admin.incremental_alter_configs(resources).values():
        changed.result(timeout=_LIMIT)


def committed(kafka: str, group: str, topic: str, partition: int) -> int:
    """The offset that ``group`` goes on from; 0 where it has committed none."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": group, "log_level": 0})
    try:
        (place,) = consumer.committed([TopicPartition(topic, partition)], timeout=_LIMIT)
        return max(0, int(place.offset))
    finally:
        consumer.close()


def _admin(kafka: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": kafka, "log_level": 0})
