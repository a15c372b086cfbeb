"""The same records once more: consumer groups set back, and records produced again as they are."""

import random
import threading
import time
from collections.abc import Iterable
from typing import Any, Self

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from tests.faults.topics import Log, own_topics

_EMPTY_LIMIT = 60.0
_DEAD_LETTERS = ".dead-letters"


def rewind(kafka: str, groups: Iterable[str]) -> int:
    """Sets the groups, whose members have all ended, back to the beginning of everything they have
    consumed; how many partitions that were. Blocks until the last member counts as gone."""
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    groups = list(groups)
    end = time.monotonic() + _EMPTY_LIMIT
    while True:
        described = admin.describe_consumer_groups(groups)
        states = {name: future.result(timeout=20).state for name, future in described.items()}
        if all(state is ConsumerGroupState.EMPTY for state in states.values()):
            break
        assert time.monotonic() < end, f"the groups still have members: {states}"
        time.sleep(0.2)
    count = 0
    for group in groups:
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        places = asked[group].result(timeout=20).topic_partitions
        back = [TopicPartition(place.topic, place.partition, 0) for place in places]
        altered = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, back)])
        for place in altered[group].result(timeout=20).topic_partitions:
            assert place.error is None, f"{group} {place}"
        count += len(back)
    return count


def send_again(kafka: str, log: Log) -> int:
    """Produces everything that is in ``log`` again, each record on its partition and under its
    identity; how many. Dead letters aside: nobody consumes them. Blocks."""
    producer = _producer(kafka)
    count = 0
    for topic, records in log.records.items():
        if topic.endswith(_DEAD_LETTERS):
            continue
        for record in sorted(records, key=lambda record: (record.partition, record.offset)):
            producer.produce(
                topic, record.value, record.key, record.partition, headers=list(record.headers)
            )
            producer.poll(0)
            count += 1
    assert producer.flush(60) == 0, "Kafka did not take everything"
    return count


class Repeater:
    """Produces a share of what comes onto the topics again while it comes, each of these once:
    every other at once, the others ``late`` seconds later or when it ends. A context manager."""

    def __init__(
        self, kafka: str, *, share: float = 0.1, late: float = 20.0, seed: int = 1
    ) -> None:
        self._kafka = kafka
        self._share = share
        self._late = late
        self._chance = random.Random(seed)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="repeater", daemon=True)
        self._failure: BaseException | None = None
        self._seen: set[tuple[bytes, bytes]] = set()
        self.counts: dict[str, int] = {}
        """How many records of each topic were produced again."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._repeat()
        except BaseException as error:
            self._failure = error

    def _repeat(self) -> None:
        producer = _producer(self._kafka)
        consumer = Consumer(
            {
                "bootstrap.servers": self._kafka,
                "group.id": "the-repeater",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        waiting: list[tuple[float, Message]] = []
        try:
            known = consumer.list_topics(timeout=20).topics
            consumer.assign(
                [
                    TopicPartition(topic, partition, OFFSET_BEGINNING)
                    for topic in own_topics(consumer)
                    if not topic.endswith(_DEAD_LETTERS)
                    for partition in known[topic].partitions
                ]
            )
            while not self._ending.is_set():
                for message in consumer.consume(500, timeout=0.1):
                    if message.error() is not None or not self._is_due(message):
                        continue
                    at_once = self._chance.random() < 0.5
                    waiting.append((time.monotonic() + (0 if at_once else self._late), message))
                now = time.monotonic()
                for due, message in waiting:
                    if due <= now:
                        self._produce(producer, message)
                waiting = [one for one in waiting if one[0] > now]
            for _, message in waiting:
                self._produce(producer, message)
            assert producer.flush(60) == 0, "Kafka did not take everything"
        finally:
            consumer.close()

    def _is_due(self, message: Message) -> bool:
        """Whether a record shall come again; never for what came again already."""
        headers = dict(message.headers() or ())
        identity = (headers.get("ce_source") or b"", headers.get("ce_id") or b"")
        if identity in self._seen:
            return False
        self._seen.add(identity)
        return self._chance.random() < self._share

    def _produce(self, producer: Any, message: Message) -> None:
        topic = str(message.topic())
        producer.produce(
            topic, message.value(), message.key(), message.partition(), headers=message.headers()
        )
        producer.poll(0)
        self.counts[topic] = self.counts.get(topic, 0) + 1


def _producer(kafka: str) -> Any:
    return Producer(
        {
            "bootstrap.servers": kafka,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 5,
            "message.max.bytes": 8 * 1024 * 1024,
            "queue.buffering.max.messages": 1_000_000,
            "log_level": 0,
        }
    )
