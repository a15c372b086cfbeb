"""Which failures are the infrastructure's, to be waited out, and how long to wait."""

import asyncio
import random
from collections.abc import AsyncIterator

from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from shared.metrics import Metrics

# Every PyMongoError counts: whatever MongoDB answers (a full disk, an interrupted operation, a
# missing right) is not the message's fault, and a message must not be lost for it.
INFRASTRUCTURE_FAULTS: tuple[type[BaseException], ...] = (
    PyMongoError,
    KafkaError,
    OSError,
    TimeoutError,
)


def count_fault(metrics: Metrics, service: str, error: BaseException) -> None:
    """Counts a fault that ``service`` waits out, by whose client met it."""
    if isinstance(error, PyMongoError):
        client = "mongodb"
    elif isinstance(error, KafkaError):
        client = "kafka"
    else:
        client = "network"
    metrics.faults.labels(service, client, type(error).__name__).inc()


def backoff_seconds(attempt: int, *, first: float = 0.1, longest: float = 5.0) -> float:
    """Seconds to wait before try ``attempt`` + 1 (``attempt`` from 1): doubling, with jitter of
    half, never more than ``longest``."""
    return min(longest, first * 2.0 ** min(attempt - 1, 30)) * random.uniform(0.5, 1.0)


async def attempts(*, first: float = 0.1, longest: float = 5.0) -> AsyncIterator[int]:
    """Counts tries from 1 without end, waiting longer between each."""
    attempt = 0
    while True:
        attempt += 1
        yield attempt
        await asyncio.sleep(backoff_seconds(attempt, first=first, longest=longest))
