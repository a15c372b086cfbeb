"""What the topics of a Kafka lack against their declaration, and making it so.

Nothing is ever deleted, no partition taken away, and no configuration touched that the declaration
says nothing of. What Kafka cannot change in place (the number of copies) is only told.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, KafkaTimeoutError, for_code

from shared.messaging.connection import Kafka, connection
from shared.messaging.topics import RETENTION, Topic, create_missing, declared_topics

_MOST_COPIES = 3
# The broker answers for a change before its own view of the cluster has it.
_SETTLE_SECONDS = 10.0
_UNKNOWN_TOPIC = 3
# What was set on the topic itself, in DescribeConfigs' numbers of where a value comes from.
_SET_ON_TOPIC = 1


@dataclass(frozen=True, slots=True)
class Growth:
    """Partitions to add. Keys then go to other partitions than before."""

    topic: str
    partitions: int
    wanted: int


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """One configuration of a topic that differs."""

    topic: str
    name: str
    value: str
    wanted: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``apply`` does, and what only a person can do."""

    replication: int
    """Copies of a new topic."""
    partitions: int
    create: list[Topic] = field(default_factory=list)
    grow: list[Growth] = field(default_factory=list)
    change: list[ConfigChange] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to apply."""
        return not (self.create or self.grow or self.change)


class TopicAdmin:
    """The topics of one Kafka, as an async context manager.

    Args:
        kafka: where it is.
        partitions: partitions of each topic.
        replication: copies of each topic; 0 is one a broker, at most 3.
        topics: what is declared; all of Ordermesh's by default.

    Its methods raise aiokafka's KafkaError when Kafka cannot be reached or refuses.
    """

    def __init__(
        self,
        kafka: Kafka,
        *,
        partitions: int,
        replication: int = 0,
        topics: Iterable[Topic] | None = None,
    ) -> None:
        self._arguments = connection(kafka).client_arguments()
        self._partitions = partitions
        self._replication = replication
        self._topics = list(topics if topics is not None else declared_topics())
        self._admin: AIOKafkaAdminClient = None

    async def __aenter__(self) -> "TopicAdmin":
        self._admin = AIOKafkaAdminClient(**self._arguments)
        try:
            await self._admin.start()
        except BaseException:
            await self._admin.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def plan(self) -> Plan:
        """What differs now."""
        brokers = len((await self._admin.describe_cluster())["brokers"])
        replication = self._replication or min(_MOST_COPIES, brokers)
        plan = Plan(replication, self._partitions)
        if replication > brokers:
            plan.by_hand.append(
                f"{replication} copies need as many brokers, and there are {brokers}: add brokers,"
                " or lower ORDERMESH_TOPIC_REPLICATION"
            )
        found = await self._found()
        configs = await self._configs([topic.name for topic in self._topics if topic.name in found])
        for topic in self._topics:
            if topic.name not in found:
                plan.create.append(topic)
                continue
            values = {name: value for name, (value, _) in configs[topic.name].items()}
            self._compare(plan, topic, found[topic.name], values)
        return plan

    def _compare(
        self,
        plan: Plan,
        topic: Topic,
        partitions: list[dict[str, Any]],
        values: Mapping[str, str],
    ) -> None:
        count = len(partitions)
        if count < self._partitions:
            plan.grow.append(Growth(topic.name, count, self._partitions))
        copies = min(len(partition["replicas"]) for partition in partitions)
        if copies != plan.replication:
            plan.by_hand.append(
                f"{topic.name} has {copies} copies, not {plan.replication}: move its partitions"
                " with kafka-reassign-partitions.sh"
            )
        # Of the copies that there are: with one copy, asking for two would refuse every write.
        for name, wanted in topic.config(copies).items():
            value = values[name]
            if name == RETENTION and _shorter(wanted, value):
                plan.by_hand.append(
                    f"{topic.name} keeps records for {value} ms, longer than the {wanted} declared:"
                    " lowering that would delete records"
                )
            elif value != wanted:
                plan.change.append(ConfigChange(topic.name, name, value, wanted))

    async def apply(self, plan: Plan) -> None:
        """Does what ``plan`` says and waits until Kafka shows it.

        Raises KafkaTimeoutError when it does not show within ten seconds.
        """
        if plan.create:
            await create_missing(self._admin, plan.create, plan.partitions, plan.replication)
        if plan.grow:
            await self._admin.create_partitions(
                {each.topic: NewPartitions(each.wanted) for each in plan.grow}
            )
        if plan.change:
            await self._change(plan.change)
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                while not (await self.plan()).empty:  # noqa: ASYNC110 - Kafka tells nobody
                    await asyncio.sleep(0.2)
        except TimeoutError as error:
            raise KafkaTimeoutError(
                f"Kafka took the changes and does not show them after {_SETTLE_SECONDS:.0f} s"
            ) from error

    async def _change(self, changes: list[ConfigChange]) -> None:
        """Sets configurations. The request replaces all that is set on a topic, so what the
        declaration does not speak of is sent along as it is."""
        wanted: dict[str, dict[str, str]] = {}
        for change in changes:
            wanted.setdefault(change.topic, {})[change.name] = change.wanted
        configs = await self._configs(list(wanted))
        resources = []
        for topic, values in wanted.items():
            kept = {
                name: value
                for name, (value, source) in configs[topic].items()
                if source == _SET_ON_TOPIC
            }
            resources.append(
                ConfigResource(ConfigResourceType.TOPIC, topic, configs={**kept, **values})
            )
        for response in await self._admin.alter_configs(resources):
            for code, message, _, name in response.resources:
                if code:
                    raise for_code(code)(f"{name}: {message}")

    async def _found(self) -> dict[str, list[dict[str, Any]]]:
        """The partitions of the declared topics that are there."""
        found = {}
        for topic in await self._admin.describe_topics([topic.name for topic in self._topics]):
            code = topic["error_code"]
            if code == 0:
                found[topic["topic"]] = topic["partitions"]
            elif code != _UNKNOWN_TOPIC:
                raise _error(code, topic["topic"])
        return found

    async def _configs(self, topics: list[str]) -> dict[str, dict[str, tuple[str, int]]]:
        """By topic and name, the value and where it comes from."""
        if not topics:
            return {}
        found: dict[str, dict[str, tuple[str, int]]] = {}
        for response in await self._admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
        ):
            for code, message, _, topic, entries in response.resources:
                if code:
                    raise _error(code, f"{topic}: {message}")
                found[topic] = {
                    name: (value or "", source) for name, value, _, source, *_ in entries
                }
        return found


def _shorter(wanted: str, value: str) -> bool:
    """Whether ``wanted`` is a shorter time than ``value``; -1 is for ever."""
    if value == "-1" or wanted == "-1":
        return value == "-1" and wanted != "-1"
    return int(wanted) < int(value)


def _error(code: int, text: str) -> KafkaError:
    error: KafkaError = for_code(code)(text)
    return error
