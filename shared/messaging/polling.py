"""How a consumer is polled: rarely where there is nothing, and for all that is there; and how long
what it gave may be committed."""

from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from shared.logs import told
from shared.messaging.faults import attempts

log = structlog.get_logger()

Records = dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]

_POLL_MS = 500
_TOP_UP_MS = 10
_AHEAD_SECONDS = 5.0
"""How long records lie ready before the broker is asked for other partitions."""


def fetch_less_ahead(consumer: Any) -> None:
    """Makes a ``consumer`` of aiokafka that is started fetch of all its partitions or of none.

    aiokafka asks a broker one thing at a time. Where records of a partition lie ready for 0.1 s, it
    asks for the others; then the one that is polled meanwhile waits for that answer, for up to
    ``fetch_max_wait_ms`` while nothing else comes. There is no setting for it.
    """
    consumer._fetcher._prefetch_backoff = _AHEAD_SECONDS


class Consumer(Protocol):
    """What is used of aiokafka's."""

    async def getmany(self, *, timeout_ms: int, max_records: int) -> Records: ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...


class Generations:
    """Counts the generations of a consumer's membership in its group: with each rebalance one ends,
    and its partitions go to whoever gets them in the next."""

    def __init__(self) -> None:
        self.count = 0

    def end(self) -> None:
        """The partitions are given away now."""
        self.count += 1


class Polling:
    """Polls the ``consumer`` of ``service`` as FastStream should, and commits what came of it: from
    now on whoever calls its ``getmany`` polls it so.

    Partitions are given away between two batches, and may come back after another consumer went on
    with them. A commit of what was polled before that would set the group back: the lag that it
    leaves stands until something else comes on the partition, and a restart reads all of it again.
    """

    def __init__(self, service: str, consumer: Consumer, generations: Generations) -> None:
        self._service = service
        self._generations = generations
        self._polled_in: int | None = None
        self._poll, self._commit = consumer.getmany, consumer.commit
        consumer.getmany = self._getmany  # type: ignore[method-assign]

    @property
    def holds(self) -> bool:
        """Whether what was polled last is still this consumer's. If not, it is polled again, by
        this one or another."""
        return self._polled_in in (None, self._generations.count)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commits ``offsets`` of what was polled last. Raises IllegalStateError where it is no
        longer this consumer's, and what aiokafka raises."""
        if not self.holds:
            raise IllegalStateError("the partitions were given away meanwhile")
        await self._commit(offsets)

    async def _getmany(self, *, timeout_ms: int, max_records: int) -> Records:
        """aiokafka's ``getmany`` as FastStream should have asked it; at most ``max_records``.

        FastStream has one time, ``timeout_ms``, for two things: how long a poll waits for records,
        and how long it sleeps when there were none. A poll ends with the first record, so it may
        wait for long; a sleep must be short. Without this an idle service would poll a hundred
        times a second.

        What is at hand was fetched when the batch before began. What came while that was in work
        is asked for now, instead of with the batch after this one: aiokafka fetches nothing of a
        broker that it holds records of.

        A fault is waited out here. aiokafka goes on with its group only when it has told a fault
        to two polls, and FastStream would sleep five seconds after each: a broker that has just
        been started and answers that it is loading the group would cost ten seconds, or twenty.
        """
        async for attempt in attempts():
            try:
                records = await self._all_there_is(max_records)
                break
            except KafkaError as error:
                log.warning(
                    "poll_failed", service=self._service, error=told(error), attempt=attempt
                )
        self._polled_in = self._generations.count
        return records

    async def _all_there_is(self, max_records: int) -> Records:
        records = await self._poll(timeout_ms=0, max_records=max_records)
        if not records:
            return await self._poll(timeout_ms=_POLL_MS, max_records=max_records)
        room = max_records - sum(map(len, records.values()))
        if not room:
            return records
        generation = self._generations.count
        try:
            more = await self._poll(timeout_ms=_TOP_UP_MS, max_records=room)
        except KafkaError:
            # The next poll meets it again, if it is still there. What was taken may not be lost.
            more = {}
        if generation != self._generations.count:
            return more
        for place, added in more.items():
            records.setdefault(place, []).extend(added)
        return records
