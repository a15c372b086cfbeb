"""How many notifications wait, and since when the oldest: two metrics for each channel."""

from functools import partial

from services.notifications.domain import Channel
from services.notifications.store import DeliveryStore
from shared.messaging.processor import Clock
from shared.metrics import Metrics
from shared.periodic import periodically
from shared.service import Task

_COUNTED = 100_000
_COUNT_EVERY = 10.0


def counting_pending(service: str, store: DeliveryStore, clock: Clock, metrics: Metrics) -> Task:
    """The task that keeps these metrics of ``store``."""

    async def look() -> None:
        now = clock()
        pending = await store.pending(_COUNTED)
        for channel in Channel:
            count, oldest = pending.get(channel.value, (0, now))
            metrics.notifications_pending.labels(channel.value).set(count)
            age = max(0.0, (now - oldest).total_seconds())
            metrics.notifications_oldest.labels(channel.value).set(age)

    return partial(periodically, look, _COUNT_EVERY, service=service, metrics=metrics)
