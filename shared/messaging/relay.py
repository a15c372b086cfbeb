"""The outbox relay: publishes what a crash left behind, and clears what was published.

In the normal way an outbox is published with its batch and cleared by the aggregate's next write.
The relay looks after the rest: last outboxes, and those of writers that died between writing and
publishing, its own or another instance's. When a process ends in good order its relay clears what
it leaves.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import structlog

from shared.aggregates import Aggregate, AggregateStore, Unsent, Versioned
from shared.endings import heed_cancellation
from shared.logs import message_fields, told
from shared.messaging import failpoints
from shared.messaging.faults import INFRASTRUCTURE_FAULTS
from shared.messaging.processor import Clock
from shared.messaging.publisher import Publisher, RecordTooLarge
from shared.messaging.untold import forget_told, unpublished

log = structlog.get_logger()

_AT_ONCE = 500
_FINISH_SECONDS = 5.0
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class _Ages(NamedTuple):
    """How old an outbox is when it is cleared by who wrote and published it, looked for in the
    store, and taken for left behind by its writer."""

    own: timedelta
    sought: timedelta
    abandoned: timedelta


# Somebody else's outbox may just be on its way; after so long its writer is not coming back.
_IDLE = _Ages(timedelta(seconds=4), timedelta(seconds=4), timedelta(seconds=15))
# Under load an aggregate's next write comes soon, and clears its outbox at no cost. Who is only
# slow must have cleared its own before another takes it for left behind.
_BUSY = _Ages(timedelta(seconds=12), timedelta(seconds=30), timedelta(seconds=30))


class OutboxRelay:
    """Sweeps the stores of one service; ``stores`` are named by what they keep. ``busy`` tells
    whether messages are being processed: then only what has been left for long is cleared.
    ``pause`` is how many seconds are between sweeps."""

    def __init__(
        self,
        service: str,
        stores: Mapping[str, AggregateStore[Any]],
        publisher: Publisher,
        clock: Clock,
        busy: Callable[[], bool] = lambda: False,
        pause: float = 2.0,
    ) -> None:
        self._pause = pause
        self._service = service
        self._busy = busy
        self._stores = stores
        self._publisher = publisher
        self._clock = clock

    async def run(self) -> None:
        """Sweeps until cancelled."""
        while True:
            try:
                swept = await self.sweep()
            except INFRASTRUCTURE_FAULTS as error:
                log.warning("sweep_failed", service=self._service, error=told(error))
                swept = 0
            heed_cancellation()
            # A full sweep means that more is waiting.
            await asyncio.sleep(self._pause if swept < _AT_ONCE else 0.05)

    async def sweep(self) -> int:
        """One pass over all stores; returns the largest number of outboxes cleared together."""
        most = 0
        ages = _BUSY if self._busy() else _IDLE
        for kind, store in self._stores.items():
            own = await self._clear_own(store, self._clock() - ages.own)
            others = await self._clear_others(kind, store, ages)
            most = max(most, own, others)
        return most

    async def finish(self) -> None:
        """Clears all that this process wrote and published, at its end: nobody else knows that it
        is out, and whoever came next would publish it again. Gives up on any fault, and after some
        seconds: that again is all that it costs."""
        try:
            async with asyncio.timeout(_FINISH_SECONDS):
                for store in self._stores.values():
                    while await self._clear_own(store, _FOR_EVER):
                        pass
                    while await self._clear_known(store):
                        pass
        except INFRASTRUCTURE_FAULTS as error:
            log.info("outboxes_left", service=self._service, error=told(error))

    async def _clear_own(self, store: AggregateStore[Any], older_than: datetime) -> int:
        """Clears what this process wrote before ``older_than`` and published: nearly all, and none
        is looked for."""
        published = (own for own in store.written(older_than) if not self._unknown(own))
        return await self._clear(store, [*islice(published, _AT_ONCE)])

    async def _clear_known(self, store: AggregateStore[Any]) -> int:
        """Looks for what this process published and does not remember to have written."""
        found = store.unsent(_FOR_EVER, _AT_ONCE)
        return await self._clear(store, [one async for one in found if not self._unknown(one)])

    async def _clear_others(self, kind: str, store: AggregateStore[Any], ages: _Ages) -> int:
        """Looks for the rest: what others left behind, and what this process has forgotten."""
        now = self._clock()
        done: list[Versioned] = []
        left: list[str] = []
        async for found in store.unsent(now - ages.sought, _AT_ONCE):
            unknown = self._unknown(found)
            if not unknown:
                done.append(found)
            elif unknown[0] <= now - ages.abandoned:
                left.append(found.id)
        if left:
            done += await self._recover(kind, store, left)
        return await self._clear(store, done)

    async def _clear(self, store: AggregateStore[Any], done: Sequence[Versioned]) -> int:
        failpoints.reached("before_clear", done)
        await store.clear(done)
        return len(done)

    async def _recover(
        self, kind: str, store: AggregateStore[Any], ids: list[str]
    ) -> list[Aggregate[Any]]:
        """Publishes what was left untold in these outboxes, all together; returns those that are
        done."""
        # Another instance's outbox is in the store, not in what this one remembers.
        store.forget(ids)
        aggregates = list((await store.load(ids)).values())
        await forget_told(self._publisher, aggregates)
        untold = [
            aggregate for aggregate in aggregates if unpublished(self._publisher, [aggregate])
        ]
        refused: set[str] = set()
        if untold:
            try:
                await self._publisher.publish(unpublished(self._publisher, untold))
            except RecordTooLarge:
                refused = await self._one_by_one(kind, untold)
            recovered = len(untold) - len(refused)
            log.info("outbox_recovered", service=self._service, kind=kind, aggregates=recovered)
        return [aggregate for aggregate in aggregates if aggregate.id not in refused]

    async def _one_by_one(self, kind: str, aggregates: list[Aggregate[Any]]) -> set[str]:
        """Publishes each by itself; returns the IDs of those that Kafka does not take."""
        refused = set()
        for aggregate in aggregates:
            try:
                await self._publisher.publish(unpublished(self._publisher, [aggregate]))
            except RecordTooLarge as error:
                refused.add(aggregate.id)
                # It stays in the outbox, in sight of the metric, and stops no other.
                log.error(
                    "outbox_unpublishable",
                    service=self._service,
                    kind=kind,
                    id=aggregate.id,
                    events=[
                        message_fields(entry.topic, entry.type, entry.key, entry.id, entry.trace)
                        for entry in unpublished(self._publisher, [aggregate])
                    ],
                    error=type(error).__name__,
                )
        return refused

    def _unknown(self, unsent: Unsent) -> list[datetime]:
        """The times of those entries of which this process does not know that they are out."""
        return [time for id, time in unsent.entries.items() if not self._publisher.is_published(id)]
