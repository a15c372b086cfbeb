"""Reads topics for the command line: up to their end as it is when asked, in bounded memory.

No group is joined and nothing is committed, so reading disturbs nobody.
"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
)

from shared.messaging.connection import Kafka, connection
from shared.messaging.decode import Record

_AT_ONCE = 500
_NEAR = 200
"""Records that are rather read over than jumped over."""
_COORDINATOR_TRIES = 20
_SILENCE = 30.0
"""Seconds without a record after which the broker is given up."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a record stands."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raises ValueError for anything but ``topic/partition/offset``."""
        topic, partition, offset = text.split("/")
        if not topic:
            raise ValueError("a place begins with a topic")
        return cls(topic, int(partition), int(offset))

    @classmethod
    def of(cls, record: Record) -> "Place":
        return cls(record.topic, record.partition, record.offset)


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets of one partition: from ``begin``, up to but not including ``end``."""

    begin: int
    end: int


Spans = Mapping[TopicPartition, Span]


class TopicReader:
    """A reader of any topics. Use it as a context manager; one reading at a time.

    Every method raises aiokafka's KafkaError when the broker refuses or fails.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._arguments = connection(kafka).client_arguments()
        self._consumer: Any = None
        self._admin: Any = None

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(
            **self._arguments,
            client_id="ordermesh-cli",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=2 * 1024 * 1024,
        )
        self._admin = AIOKafkaAdminClient(**self._arguments)
        await self._consumer.start()
        try:
            await self._admin.start()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def spans(
        self,
        topics: Iterable[str],
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> dict[TopicPartition, Span]:
        """What stands on ``topics`` now, of those that exist; only records from ``since`` on and
        before ``until`` (UTC) where they are given."""
        parts = await self._partitions(topics)
        if not parts:
            return {}
        begins = await self._consumer.beginning_offsets(parts)
        ends = await self._consumer.end_offsets(parts)
        if since is not None:
            begins = await self._at(parts, since, otherwise=ends)
        if until is not None:
            ends = await self._at(parts, until, otherwise=ends)
        return {part: Span(begins[part], max(begins[part], ends[part])) for part in parts}

    async def _partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        existing = set(await self._admin.list_topics())
        wanted = [topic for topic in topics if topic in existing]
        described = await self._admin.describe_topics(wanted) if wanted else []
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in sorted(topic["partitions"], key=lambda each: each["partition"])
        ]

    async def _at(
        self,
        parts: Sequence[TopicPartition],
        moment: datetime,
        *,
        otherwise: Mapping[TopicPartition, int],
    ) -> dict[TopicPartition, int]:
        """The offset of each partition's first record from ``moment`` on."""
        wanted = dict.fromkeys(parts, max(0, round(moment.timestamp() * 1000)))
        found = await self._consumer.offsets_for_times(wanted)
        return {
            part: otherwise[part] if found.get(part) is None else found[part].offset
            for part in parts
        }

    async def read(self, spans: Spans) -> AsyncIterator[Sequence[Record]]:
        """All records of ``spans``, some at a time; each partition's in their order."""
        left = {part: span.end for part, span in spans.items() if span.begin < span.end}
        self._assign(left, spans)
        heard = time.monotonic()
        while left:
            for part, records in (await self._some(left)).items():
                heard = time.monotonic()
                yield [record for record in records if record.offset < left[part]]
            await self._drop_ended(left)
            self._complain(heard, left)

    async def merged(self, spans: Spans) -> AsyncIterator[Record]:
        """All records of ``spans`` by their time. What stands on one partition keeps its order,
        whatever times it has."""
        left = {part: span.end for part, span in spans.items() if span.begin < span.end}
        self._assign(left, spans)
        buffers: dict[TopicPartition, deque[Record]] = {part: deque() for part in left}
        latest = dict.fromkeys(left, 0)
        heap: list[tuple[int, TopicPartition]] = []
        heard = time.monotonic()
        while True:
            # Nothing may go out while a partition whose head is not known may have an older one.
            while empty := {part: end for part, end in left.items() if not buffers[part]}:
                for part, records in (await self._some(empty)).items():
                    heard = time.monotonic()
                    buffers[part].extend(r for r in records if r.offset < left[part])
                    if buffers[part]:
                        latest[part] = max(latest[part], buffers[part][0].timestamp)
                        heappush(heap, (latest[part], part))
                await self._drop_ended(left)
                self._complain(heard, empty)
            if not heap:
                return
            _, part = heappop(heap)
            yield buffers[part].popleft()
            if buffers[part]:
                latest[part] = max(latest[part], buffers[part][0].timestamp)
                heappush(heap, (latest[part], part))

    async def pick(self, places: Iterable[Place]) -> dict[Place, Record]:
        """The records at ``places``, as far as they are still there; all at once in memory."""
        by_part: dict[TopicPartition, list[int]] = defaultdict(list)
        for place in places:
            by_part[TopicPartition(place.topic, place.partition)].append(place.offset)
        found: dict[Place, Record] = {}
        for part, offsets in by_part.items():
            end = (await self._consumer.end_offsets([part]))[part]
            wanted = deque(offset for offset in sorted(offsets) if offset < end)
            if not wanted:
                continue
            self._assign([part], {part: Span(wanted[0], end)})
            position, heard = wanted[0], time.monotonic()
            while wanted:
                if not position <= wanted[0] <= position + _NEAR:
                    self._consumer.seek(part, wanted[0])
                for record in (await self._some([part])).get(part, ()):
                    heard = time.monotonic()
                    while wanted and wanted[0] < record.offset:
                        wanted.popleft()
                    if wanted and wanted[0] == record.offset:
                        found[Place.of(record)] = record
                        wanted.popleft()
                position = await self._consumer.position(part)
                while wanted and wanted[0] < position:
                    wanted.popleft()
                self._complain(heard, [part])
        return found

    async def committed(self, group: str) -> dict[TopicPartition, int]:
        """How far a consumer group has come: the offset it reads next, by partition."""
        for _ in range(_COORDINATOR_TRIES):
            try:
                offsets = await self._admin.list_consumer_group_offsets(group)
                return {part: committed.offset for part, committed in offsets.items()}
            except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
                # A broker that was just started is choosing one.
                await asyncio.sleep(0.5)
        raise GroupCoordinatorNotAvailableError(f"no broker coordinates {group}")

    def _assign(self, parts: Iterable[TopicPartition], spans: Spans) -> None:
        parts = list(parts)
        if parts:
            self._consumer.assign(parts)
        for part in parts:
            self._consumer.seek(part, spans[part].begin)

    async def _some(self, parts: Iterable[TopicPartition]) -> dict[TopicPartition, list[Any]]:
        found: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
            *parts, timeout_ms=1_000, max_records=_AT_ONCE
        )
        return found

    async def _drop_ended(self, left: dict[TopicPartition, int]) -> None:
        for part, end in list(left.items()):
            if await self._consumer.position(part) >= end:
                del left[part]

    def _complain(self, heard: float, parts: Iterable[TopicPartition]) -> None:
        if time.monotonic() - heard > _SILENCE:
            names = ", ".join(sorted({part.topic for part in parts}))
            raise KafkaConnectionError(f"{names}: nothing came for {_SILENCE:.0f} s")
