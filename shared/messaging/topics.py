"""The topics: one declaration, from which they are made, compared and documented."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contracts.registry import Topics, message_types
from shared.messaging.connection import Kafka, connection

_DAY = 24 * 3600 * 1000
_LARGE = 8 * 1024 * 1024
RETENTION = "retention.ms"
DEAD_LETTERS = ".dead-letters"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic. ``retention_ms`` -1 keeps for ever; ``max_message_bytes`` bounds a record batch.

    No topic is compacted: the keys of commands and events are IDs of orders, parties and products,
    and every record under a key tells something of its own.
    """

    name: str
    retention_ms: int
    max_message_bytes: int = _LARGE
    append_time: bool = False
    """Records carry the time at which the broker took them: when a command was accepted."""

    def config(self, replication: int = 1) -> dict[str, str]:
        """The topic's configuration with so many copies. A write is acknowledged when all copies
        but one have it, so that one broker may be down."""
        return {
            "cleanup.policy": "delete",
            RETENTION: str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime" if self.append_time else "CreateTime",
            "min.insync.replicas": str(max(1, replication - 1)),
            # A copy that lags may not become the leader: acknowledged records would be gone.
            "unclean.leader.election.enable": "false",
        }


def declared_topics() -> list[Topic]:
    """Every topic, with the dead letters of those that a service consumes."""
    names = sorted({topic for topic, _ in message_types()})
    topics = [Topic(name, 30 * _DAY, append_time=name.endswith(".commands")) for name in names]
    unread = {Topics.COMMANDS_REJECTED, Topics.NOTIFICATIONS_EVENTS}
    return topics + [
        # Room for the headers that a dead letter gains.
        Topic(f"{name}{DEAD_LETTERS}", -1, max_message_bytes=_LARGE + 65_536)
        for name in names
        if name not in unread
    ]


async def create_topics(
    kafka: Kafka,
    *,
    partitions: int = 3,
    replication: int = 1,
    topics: Iterable[Topic] | None = None,
) -> list[str]:
    """Creates the topics that are not there and returns their names.

    Raises aiokafka's KafkaError when the broker cannot be reached or refuses.
    """
    wanted = list(topics if topics is not None else declared_topics())
    admin = AIOKafkaAdminClient(**connection(kafka).client_arguments())
    try:
        await admin.start()
        return await create_missing(admin, wanted, partitions, replication)
    finally:
        await admin.close()


async def create_missing(
    admin: AIOKafkaAdminClient, topics: Iterable[Topic], partitions: int, replication: int
) -> list[str]:
    """Creates those of ``topics`` that are not there and returns their names.

    Raises aiokafka's KafkaError when the broker refuses one.
    """
    response = await admin.create_topics(
        [
            NewTopic(topic.name, partitions, replication, topic_configs=topic.config(replication))
            for topic in topics
        ]
    )
    created = []
    for name, code, *rest in response.topic_errors:
        if code == 0:
            created.append(name)
        elif for_code(code) is not TopicAlreadyExistsError:
            raise for_code(code)(f"{name}: {rest[0] if rest else 'refused'}")
    return created
