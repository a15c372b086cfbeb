"""How many dead letters are open, as a metric of the service that owns their topic."""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

from pymongo import AsyncMongoClient

from services.letters.audit import Audit
from services.letters.letter import SUFFIX
from services.topic_reader import TopicReader
from shared.contracts.registry import TOPIC_OWNERS
from shared.messaging.connection import Kafka, kafka_connection
from shared.metrics import Metrics
from shared.periodic import periodically
from shared.service import Task
from shared.settings import Settings

_PAUSE = 60.0


def counting(
    service: str, settings: Settings, mongo: AsyncMongoClient[dict[str, Any]], metrics: Metrics
) -> Task:
    """The task that counts once a minute until it is cancelled: a few requests without any
    record, so it costs nothing however many letters there are."""
    topics = [f"{topic}{SUFFIX}" for topic, owner in TOPIC_OWNERS.items() if owner == service]
    audit = Audit(mongo, settings)
    kafka = kafka_connection(settings)

    async def count() -> None:
        if topics:
            for topic, letters in (await count_open(kafka, topics, audit)).items():
                name = topic.removesuffix(SUFFIX)
                metrics.dead_letters_open.labels(service, name).set(letters)

    return partial(periodically, count, _PAUSE, service=service, metrics=metrics)


async def count_open(kafka: Kafka, topics: Iterable[str], audit: Audit) -> Counter[str]:
    """Open letters by dead-letter topic; none for one that does not exist. Raises KafkaError and
    PyMongoError."""
    async with TopicReader(kafka) as reader:
        spans = await reader.spans(topics)
    counts: Counter[str] = Counter()
    for part, span in spans.items():
        lying = span.end - span.begin
        if lying:
            handled = await audit.count_handled(part.topic, part.partition, span.begin)
            counts[part.topic] += max(0, lying - handled)
        else:
            counts[part.topic] += 0
    return counts
