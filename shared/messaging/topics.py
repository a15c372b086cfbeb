"""The topics: one declaration, from which they are made."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts.registry import Topics, message_types

_DAY = 24 * 3600 * 1000
_LARGE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic. ``retention_ms`` -1 keeps for ever; ``max_message_bytes`` bounds a record batch."""

    name: str
    retention_ms: int
    max_message_bytes: int = _LARGE
    append_time: bool = False
    """Records carry the time at which the broker took them: when a command was accepted."""

    def config(self) -> dict[str, str]:
        return {
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime" if self.append_time else "CreateTime",
        }


def declared_topics() -> list[Topic]:
    """Every topic, with the dead letters of those that a service consumes."""
    names = sorted({topic for topic, _ in message_types()})
    topics = [Topic(name, 30 * _DAY, append_time=name.endswith(".commands")) for name in names]
    unread = {Topics.COMMANDS_REJECTED, Topics.NOTIFICATIONS_EVENTS, Topics.CATALOG_EVENTS}
    return topics + [
        # Room for the headers that a dead letter gains.
        Topic(f"{name}.dead-letters", -1, max_message_bytes=_LARGE + 65_536)
        for name in names
        if name not in unread
    ]


async def create_topics(
    kafka: str, *, partitions: int = 3, replication: int = 1, topics: Iterable[Topic] | None = None
) -> list[str]:
    """Creates the topics that are not there and returns their names.

    Raises aiokafka's KafkaError when the broker cannot be reached or refuses.
    """
    wanted = list(topics if topics is not None else declared_topics())
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        response = await admin.create_topics(
            [
                NewTopic(topic.name, partitions, replication, topic_configs=topic.config())
                for topic in wanted
            ]
        )
    finally:
        await admin.close()
    created = []
    for name, code, *rest in response.topic_errors:
        if code == 0:
            created.append(name)
        elif for_code(code) is not TopicAlreadyExistsError:
            raise for_code(code)(f"{name}: {rest[0] if rest else 'refused'}")
    return created
