"""Everything that stands on the topics, read from their beginning by a foreign client."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, cast

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    ConsumerGroupState,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewPartitions

from tests.support.outside import Body, Headers

_SUFFIX = ".dead-letters"


@dataclass(frozen=True)
class Stored:
    """A record at its place; ``timestamp`` is in ms since 1970, UTC."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @cached_property
    def attributes(self) -> dict[str, str]:
        """The headers, as far as they are text."""
        return {name: (value or b"").decode(errors="replace") for name, value in self.headers or ()}

    @property
    def type(self) -> str:
        return self.attributes.get("ce_type", "")

    @property
    def place(self) -> tuple[str, int, int]:
        """Topic, partition and offset; of a dead letter those that it had before."""
        about = self.attributes
        if "dl_topic" in about:
            return about["dl_topic"], int(about["dl_partition"]), int(about["dl_offset"])
        return self.topic, self.partition, self.offset

    @property
    def identity(self) -> tuple[str, str]:
        """Source and ID; of a record that carries no ID, its place."""
        id = self.attributes.get("ce_id") or "/".join(map(str, self.place))
        return self.attributes.get("ce_source", ""), id

    @property
    def name(self) -> str:
        """The key's text."""
        return (self.key or b"").decode(errors="replace")

    @cached_property
    def body(self) -> Body:
        return cast(Body, json.loads(self.value or b"null"))


@dataclass
class Log:
    """All records, by topic. ``distinct`` leaves out what came again under the same identity."""

    records: dict[str, list[Stored]] = field(default_factory=lambda: defaultdict(list))

    def distinct(self, topic: str) -> Iterator[Stored]:
        """The records of ``topic`` in the order of their times, each identity once."""
        seen = set()
        for record in sorted(self.records.get(topic, ()), key=lambda x: (x.timestamp, x.offset)):
            if record.identity not in seen:
                seen.add(record.identity)
                yield record

    def repeats(self) -> Counter[str]:
        """How many records of each topic repeat an earlier one."""
        counts: Counter[str] = Counter()
        for topic, records in self.records.items():
            more = len(records) - len({record.identity for record in records})
            if more and not topic.endswith(_SUFFIX):
                counts[topic] = more
        return counts

    def forged_repeats(self) -> Iterator[str]:
        """Records that have the identity of an earlier one and are not the same."""
        for topic, records in self.records.items():
            if topic.endswith(_SUFFIX):
                continue
            first: dict[tuple[str, str], Stored] = {}
            for record in sorted(records, key=lambda x: (x.timestamp, x.offset)):
                known = first.setdefault(record.identity, record)
                if (known.type, known.key, known.value) != (record.type, record.key, record.value):
                    yield (
                        f"{topic}: {record.type} {record.identity[1]} about {record.name} came "
                        f"twice with different bodies:\n    {known.value!r}\n    {record.value!r}"
                    )

    def dead_letters(self) -> list[Stored]:
        return [
            record
            for topic, records in self.records.items()
            if topic.endswith(_SUFFIX)
            for record in records
        ]


def ends(kafka: str) -> dict[tuple[str, int], int]:
    """Where every topic ends now, by partition. Blocks."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "the-audit", "log_level": 0})
    try:
        return _ends(consumer, own_topics(consumer))
    finally:
        consumer.close()


def read_all(kafka: str, since: Mapping[tuple[str, int], int] = MappingProxyType({})) -> Log:
    """Reads every topic from its beginning, or from the offset in ``since``, to its present end.
    Blocks."""
    consumer = Consumer(
        {
            "bootstrap.servers": kafka,
            "group.id": "the-audit",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 20,
            "fetch.message.max.bytes": 8 * 1024 * 1024,
            "log_level": 0,
        }
    )
    try:
        stand = _ends(consumer, own_topics(consumer))
        left = {place: end for place, end in stand.items() if end > since.get(place, 0)}
        consumer.assign(
            [TopicPartition(*place, since.get(place, OFFSET_BEGINNING)) for place in left]
        )
        log = Log()
        empty = 0
        while left:
            messages = consumer.consume(1000, timeout=0.5)
            # 30 s without anything new: the records are not there.
            empty = 0 if messages else empty + 1
            assert empty < 60, f"topics could not be read to their end: {left}"
            for message in messages:
                if message.error() is not None:
                    continue
                kind, time = message.timestamp()
                assert kind != TIMESTAMP_NOT_AVAILABLE
                record = Stored(
                    str(message.topic()), message.partition() or 0, message.offset() or 0, time,
                    message.key(), message.value(), cast(Headers, message.headers() or []),
                )  # fmt: skip
                log.records[record.topic].append(record)
                place = (record.topic, record.partition)
                if record.offset + 1 >= left.get(place, 0):
                    left.pop(place, None)
        return log
    finally:
        consumer.close()


def lags(kafka: str, groups: Iterable[str]) -> dict[str, str]:
    """What is left to consume, as ``group: topic/partition`` with the number of records, or the
    state of a group that is not stable. Empty: nothing. Blocks."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    described = {
        name: future.result(timeout=20)
        for name, future in admin.describe_consumer_groups(list(groups)).items()
    }
    found: dict[str, str] = {}
    for name, group in described.items():
        if group.state is not ConsumerGroupState.STABLE:
            found[name] = f"the group is {group.state.name}"
            continue
        places = [
            TopicPartition(place.topic, place.partition)
            for member in group.members
            for place in member.assignment.topic_partitions
        ]
        consumer = Consumer({"bootstrap.servers": kafka, "group.id": name, "log_level": 0})
        try:
            ends = _ends(consumer, {place.topic for place in places})
            for place in consumer.committed(places, timeout=20):
                behind = ends.get((place.topic, place.partition), 0) - max(place.offset, 0)
                if behind:
                    found[f"{name}: {place.topic}/{place.partition}"] = str(behind)
        finally:
            consumer.close()
    return found


def add_partitions(kafka: str, topics: Iterable[str], total: int) -> None:
    """Gives ``topics`` so many partitions in all. Blocks."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    wanted = [NewPartitions(topic, total) for topic in topics]
    for future in admin.create_partitions(wanted).values():
        future.result(timeout=20)


def own_topics(consumer: Any) -> set[str]:
    """Every topic that is not Kafka's own."""
    return {name for name in consumer.list_topics(timeout=20).topics if not name.startswith("__")}


def _ends(consumer: Any, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    """The end of every partition of ``topics``."""
    wanted = set(topics)
    known = consumer.list_topics(timeout=20).topics
    return {
        (name, partition): consumer.get_watermark_offsets(
            TopicPartition(name, partition), timeout=20
        )[1]
        for name in wanted
        for partition in known[name].partitions
    }
