"""What became of the attempts, written in bulk and then published."""

import asyncio
import contextlib

import structlog

from services.notifications.domain import Delivery
from shared.aggregates import Aggregate, AggregateStore
from shared.endings import heed_cancellation
from shared.logs import told
from shared.messaging import failpoints
from shared.messaging.faults import INFRASTRUCTURE_FAULTS, attempts
from shared.messaging.publisher import Publisher

log = structlog.get_logger()


class Results:
    """Collects changed deliveries and writes them every ``pause`` seconds, or as soon as there
    are ``most``."""

    def __init__(
        self,
        store: AggregateStore[Delivery],
        publisher: Publisher,
        *,
        pause: float = 0.05,
        most: int = 200,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._pause = pause
        self._most = most
        self._waiting: list[Aggregate[Delivery]] = []
        self._some = asyncio.Event()
        self._enough = asyncio.Event()
        self._writing = asyncio.Lock()

    def add(self, aggregate: Aggregate[Delivery]) -> None:
        """Takes a delivery after an attempt, or one that is given back."""
        self._waiting.append(aggregate)
        self._some.set()
        if len(self._waiting) >= self._most:
            self._enough.set()

    async def run(self) -> None:
        """Writes until cancelled; what is then left, :meth:`flush` writes."""
        while True:
            await self._some.wait()
            with contextlib.suppress(TimeoutError):  # few results: their time is up
                await asyncio.wait_for(self._enough.wait(), self._pause)
            await self.flush()
            heed_cancellation()

    async def flush(self) -> None:
        """Writes and publishes all that was added, waiting out faults of the infrastructure."""
        async with self._writing:
            while self._waiting:
                batch = self._waiting[: self._most]
                async for attempt in attempts():
                    try:
                        await self._write(batch)
                        break
                    except INFRASTRUCTURE_FAULTS as error:
                        log.warning("results_not_written", attempt=attempt, error=told(error))
                # Removed only now: a flush that is cancelled leaves them for the next.
                del self._waiting[: len(batch)]
            self._some.clear()
            self._enough.clear()

    async def _write(self, batch: list[Aggregate[Delivery]]) -> None:
        # What lost its race was taken over by another instance after its lease, or was written by
        # an earlier try whose answer got lost; the relay publishes that one's event.
        failpoints.reached("before_write", batch)
        lost = await self._store.save(batch)
        failpoints.reached("after_write", batch)
        written = (aggregate for aggregate in batch if aggregate.id not in lost)
        failpoints.reached("before_publish", batch)
        await self._publisher.publish(entry for one in written for entry in one.outbox)
        failpoints.reached("after_publish", batch)
