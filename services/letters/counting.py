"""How many dead letters are open, as a metric of the service that owns their topic."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

import structlog
from pymongo import AsyncMongoClient

from services.letters.audit import Audit
from services.letters.letter import SUFFIX
from services.topic_reader import TopicReader
from shared.contracts.registry import TOPIC_OWNERS
from shared.logs import told
from shared.messaging.connection import Kafka, kafka_connection
from shared.messaging.faults import INFRASTRUCTURE_FAULTS
from shared.metrics import Metrics
from shared.service import Task
from shared.settings import Settings

log = structlog.get_logger()

_PAUSE = 60.0


def counting(
    service: str, settings: Settings, mongo: AsyncMongoClient[dict[str, Any]], metrics: Metrics
) -> Task:
    """The task that counts once a minute until it is cancelled: a few requests without any
    record, so it costs nothing however many letters there are."""
    topics = [f"{topic}{SUFFIX}" for topic, owner in TOPIC_OWNERS.items() if owner == service]
    audit = Audit(mongo, settings)
    kafka = kafka_connection(settings)

    async def run() -> None:
        while topics:
            try:
                for topic, count in (await count_open(kafka, topics, audit)).items():
                    name = topic.removesuffix(SUFFIX)
                    metrics.dead_letters_open.labels(service, name).set(count)
            except INFRASTRUCTURE_FAULTS as error:
                log.warning("dead_letters_not_counted", service=service, error=told(error))
            await asyncio.sleep(_PAUSE)

    return run


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
