"""The outbox relay: publishes what a crash left behind, and clears what was published.

In the normal way an outbox is published with its batch and cleared by the aggregate's next write.
The relay looks after the rest: last outboxes, and those of writers that died between writing and
publishing, its own or another instance's.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from shared.messaging.faults import INFRASTRUCTURE_FAULTS
from shared.messaging.processor import Clock
from shared.messaging.publisher import Publisher, RecordTooLarge
from shared.metrics import Metrics
from shared.mongo.aggregates import AggregateStore

log = structlog.get_logger()

_PAUSE = 2.0
_OWN_AGE = timedelta(seconds=4)
_FOREIGN_AGE = timedelta(seconds=30)
_AT_ONCE = 500


class OutboxRelay:
    """Sweeps the stores of one service; ``stores`` are named by what they keep."""

    def __init__(
        self,
        service: str,
        stores: Mapping[str, AggregateStore[Any]],
        publisher: Publisher,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._service = service
        self._stores = stores
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics

    async def run(self) -> None:
        """Sweeps until cancelled."""
        while True:
            try:
                swept = await self.sweep()
            except INFRASTRUCTURE_FAULTS as error:
                log.warning("sweep_failed", error=repr(error))
                swept = 0
            # A full sweep means that more is waiting.
            await asyncio.sleep(_PAUSE if swept < _AT_ONCE else 0.05)

    async def sweep(self) -> int:
        """One pass over all stores; returns the largest number of outboxes cleared in one."""
        most = 0
        for kind, store in self._stores.items():
            now = self._clock()
            done = []
            async for aggregate in store.unsent(now - _OWN_AGE, _AT_ONCE):
                unknown = [e for e in aggregate.outbox if not self._publisher.is_published(e)]
                if unknown:
                    if unknown[0].time > now - _FOREIGN_AGE:
                        continue
                    log.info("outbox_recovered", kind=kind, id=aggregate.id, events=len(unknown))
                    try:
                        await self._publisher.publish(unknown)
                    except RecordTooLarge as error:
                        # It stays in the outbox, in sight of the metric, and stops no other.
                        log.error(
                            "outbox_unpublishable", kind=kind, id=aggregate.id, error=str(error)
                        )
                        continue
                done.append(aggregate)
            await store.clear(done)
            self._metrics.outbox_depth.labels(self._service, kind).set(await store.outbox_depth())
            most = max(most, len(done))
        return most
