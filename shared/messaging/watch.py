"""What is looked at beside the batches: how far the consumer is behind, how old outboxes are.

Nothing here is on the way of a message. What depends on the time is computed when it is asked for,
so that it goes on growing while everything else stands still.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from shared.aggregates import AggregateStore
from shared.messaging.decode import Record
from shared.messaging.processor import Clock
from shared.metrics import Metrics
from shared.periodic import periodically

_EVERY = 5.0
_LIMIT = 4.0
_SILENT = 15.0


class ConsumerWatch:
    """Keeps lag and ages of one service's consumer, which ``consumer`` of aiokafka is."""

    def __init__(self, service: str, topics: Sequence[str], metrics: Metrics) -> None:
        self._service = service
        self._topics = topics
        self._metrics = metrics
        self._consumer: Any = None
        self._records: Sequence[Record] = ()
        self._since = self._began = self._answered = time.monotonic()
        self._silence = 0.0
        metrics.batch_age.labels(service).set_function(self.batch_age)
        metrics.poll_age.labels(service).set_function(self.poll_age)
        metrics.partitions.labels(service).set_function(lambda: len(self._assignment()))

    def consumes(self, consumer: Any) -> None:
        """From now on it polls."""
        self._consumer = consumer

    def took(self, records: Sequence[Record]) -> None:
        """A batch is in hand."""
        self._records, self._since = records, time.monotonic()

    def ended(self) -> None:
        """It no longer is."""
        self._records = ()

    def batch_age(self) -> float:
        """For how many seconds the batch in hand has been; 0 without one."""
        return time.monotonic() - self._since if self._records else 0.0

    def poll_age(self) -> float:
        """For how many seconds Kafka has answered no poll, since the start before the first one.
        0 with a batch in hand, which is no time to poll, and without partitions."""
        if self._records:
            return 0.0
        if self._consumer is None:
            return time.monotonic() - self._began
        polls = [self._consumer.last_poll_timestamp(place) for place in self._assignment()]
        seen = [poll for poll in polls if poll]
        if not seen:
            return time.monotonic() - self._began if polls else 0.0
        return max(0.0, time.time() - float(max(seen)) / 1000)

    def last_silence(self) -> float:
        """When (monotonic seconds) Kafka last answered nothing at all, polls aside: now, while it
        does not; 0 where it always has."""
        now = time.monotonic()
        return now if now - self._answered > _SILENT else self._silence

    async def run(self) -> None:
        """Looks until cancelled."""
        await periodically(self._look, _EVERY, service=self._service, metrics=self._metrics)

    async def _look(self) -> None:
        consumer, places = self._consumer, self._assignment()
        if not places:
            ends: dict[TopicPartition, int] = {}
        else:
            # Asked, not remembered from the last fetch: with a batch in hand nothing is fetched.
            ends = await asyncio.wait_for(consumer.end_offsets(places), _LIMIT)
        self._silence = self.last_silence()
        self._answered = time.monotonic()
        lag = dict.fromkeys(self._topics, 0)
        for place, end in ends.items():
            if place in self._assignment():
                try:
                    position = await asyncio.wait_for(consumer.position(place), _LIMIT)
                except IllegalStateError:
                    # It went to another consumer meanwhile.
                    continue
                lag[place.topic] += max(0, end - position)
        for topic, count in Counter(record.topic for record in self._records).items():
            lag[topic] += count
        for topic, records in lag.items():
            self._metrics.lag.labels(self._service, topic).set(records)

    def _assignment(self) -> list[TopicPartition]:
        return list(self._consumer.assignment()) if self._consumer is not None else []


class OutboxWatch:
    """Keeps depth and age of the outboxes of one service. The relay, which empties them, stands
    still while Kafka takes nothing; this does not."""

    def __init__(
        self,
        service: str,
        stores: Mapping[str, AggregateStore[Any]],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._service = service
        self._stores = stores
        self._clock = clock
        self._metrics = metrics
        self._oldest: dict[str, datetime] = {}
        for kind in stores:
            age = metrics.outbox_oldest.labels(service, kind)
            age.set_function(lambda kind=kind: self.age(kind))  # type: ignore[misc]

    def age(self, kind: str) -> float:
        """Seconds since the oldest event was decided that may not be published; 0 without one."""
        oldest = self._oldest.get(kind)
        return 0.0 if oldest is None else max(0.0, (self._clock() - oldest).total_seconds())

    async def run(self) -> None:
        """Looks until cancelled."""
        await periodically(self._look, _EVERY, service=self._service, metrics=self._metrics)

    async def _look(self) -> None:
        for kind, store in self._stores.items():
            found = [unsent async for unsent in store.unsent(self._clock(), 1)]
            if found:
                self._oldest[kind] = min(found[0].entries.values())
            else:
                self._oldest.pop(kind, None)
            depth = await store.outbox_depth() if found else 0
            self._metrics.outbox_depth.labels(self._service, kind).set(depth)
