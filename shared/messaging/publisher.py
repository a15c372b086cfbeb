"""Publishing: each record by its key, all acknowledgements awaited together.

A record counts as published when Kafka has acknowledged it with ``acks=all``. What was not
acknowledged is sent again until it is: consumers drop what they get twice by its ID.
"""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordTooLargeError
from aiokafka.partitioner import murmur2

from shared.clock import utc_now
from shared.logs import told
from shared.messaging.committed_offsets import CommittedOffsets
from shared.messaging.compression import mend_compression
from shared.messaging.connection import METADATA_MS, Kafka, connection
from shared.messaging.faults import INFRASTRUCTURE_FAULTS, attempts, count_fault
from shared.messaging.outbox import OutboxEntry
from shared.metrics import Metrics

log = structlog.get_logger()

_REMEMBERED = 20_000
"""The relay asks for what is some seconds old: at least so many IDs, at most twice as many."""
_REMEMBERED_KEYS = 10_000
RETRY_SECONDS = 0.5
"""How long to wait before records that were not acknowledged are sent again."""
# The topics say how large a record may be, after compression; this only bounds memory.
_LARGEST_REQUEST = 64 * 1024 * 1024

_NEVER_REFUSED = 128 * 1024
"""Characters of a body. A topic that does not take a record is the only reason why a message is
done with whose events are not out: it goes to the dead letters."""

Headers = Sequence[tuple[str, bytes]]

Partition = tuple[str, int]
"""A topic and one of its partitions, by its number."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record on its way out: bytes as Kafka gets them."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


class Publisher(Protocol):
    """Where events go. ``publish`` returns when all are acknowledged and raises nothing but
    cancellation and :class:`RecordTooLarge`."""

    async def publish(self, entries: Iterable[OutboxEntry]) -> None: ...

    async def send(self, records: Sequence[Outgoing]) -> None: ...

    def is_published(self, entry_id: str) -> bool:
        """Whether this process published the outbox entry, as far as it remembers."""
        ...

    async def told_by_others(self, entries: Iterable[OutboxEntry]) -> set[str]:
        """The IDs of those entries that are out, whoever of the service published them: their
        messages are committed. What cannot be learned now is not among them."""
        ...


class RecordTooLarge(Exception):
    """A record is larger than the topic takes."""


_CLOUDEVENTS = ("ce_specversion", b"1.0")
_JSON = ("content-type", b"application/json")


def headers_of(entry: OutboxEntry, source: str) -> Headers:
    """CloudEvents 1.0 headers, binary mode."""
    headers = [
        _CLOUDEVENTS,
        ("ce_id", entry.id.encode()),
        ("ce_type", entry.type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", _timestamp(entry.time)),
        _JSON,
    ]
    if entry.trace:
        headers.append(("traceparent", entry.trace.encode()))
    return headers


@lru_cache(maxsize=64)
def _timestamp(time: datetime) -> bytes:
    """A time in UTC as RFC 3339 has it. All events of a batch have the same."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()


class KafkaPublisher:
    """The publisher of one process."""

    def __init__(
        self, kafka: Kafka, service: str, metrics: Metrics, clock: Callable[[], datetime] = utc_now
    ) -> None:
        """``clock`` gives the records' times."""
        self._arguments = connection(kafka).client_arguments()
        self._service = service
        self._source = f"/ordermesh/{service}"
        self._metrics = metrics
        self._clock = clock
        self._producer: AIOKafkaProducer | None = None
        self._published: set[str] = set()
        self._published_before: set[str] = set()
        self._hashes: dict[bytes, int] = {}
        self._offsets: CommittedOffsets | None = None
        self.last_retry = 0.0
        """When records were last sent again (monotonic seconds): waiting for Kafka, not hanging."""

    async def start(self) -> None:
        self._producer = await self._new_producer()

    async def stop(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await producer.stop()

    async def publish(self, entries: Iterable[OutboxEntry]) -> None:
        entries = list(entries)
        await self.send(
            [
                Outgoing(
                    entry.topic,
                    entry.key.encode(),
                    entry.body.encode(),
                    headers_of(entry, self._source),
                )
                for entry in entries
            ]
        )
        self._published.update(entry.id for entry in entries)
        if len(self._published) > _REMEMBERED:
            self._published, self._published_before = set(), self._published
        for (topic, name), count in Counter((e.topic, e.type) for e in entries).items():
            self._metrics.published.labels(self._service, topic, name).inc(count)

    def is_published(self, entry_id: str) -> bool:
        return entry_id in self._published or entry_id in self._published_before

    def ask(self, offsets: CommittedOffsets) -> None:
        """From now on ``offsets`` tell what other processes have published."""
        self._offsets = offsets

    async def told_by_others(self, entries: Iterable[OutboxEntry]) -> set[str]:
        if self._offsets is None:
            return set()
        by_id = {
            entry.id: entry.place
            for entry in entries
            if entry.place is not None and len(entry.body) <= _NEVER_REFUSED
        }
        passed = await self._offsets.passed(set(by_id.values()))
        return {id for id, place in by_id.items() if place in passed}

    async def send(self, records: Sequence[Outgoing]) -> None:
        started = time.perf_counter()
        waiting = await self._try(list(records))
        while waiting:
            self._metrics.publish_retries.labels(self._service).inc()
            await asyncio.sleep(RETRY_SECONDS)
            self.last_retry = time.monotonic()
            waiting = await self._try(waiting)
        seconds = time.perf_counter() - started
        self._metrics.publish_seconds.labels(self._service).observe(seconds)

    async def _try(self, records: Sequence[Outgoing]) -> list[Outgoing]:
        """Sends all and returns those that must be sent again: those that were not acknowledged,
        and whatever follows one of them on its partition, so that no key's order changes for
        good."""
        producer = self._producer
        if producer is None:
            raise asyncio.CancelledError("the publisher is stopped")
        failure: BaseException | None = None
        sent: list[tuple[Partition, Sequence[Outgoing], asyncio.Future[object]]] = []
        # By partition, the records from the first one on that was not acknowledged.
        unsent: dict[Partition, Sequence[Outgoing]] = {}
        try:
            shares = await self._by_partition(producer, records)
        except INFRASTRUCTURE_FAULTS as error:
            count_fault(self._metrics, self._service, error)
            log.warning("publish_retry", records=len(records), error=told(error))
            return list(records)
        now = round(self._clock().timestamp() * 1000)
        for place, left in shares.items():
            try:
                while left:
                    batch, taken = _batch_of(producer, left, now)
                    topic, partition = place
                    acknowledged = await producer.send_batch(batch, topic, partition=partition)
                    sent.append((place, left, acknowledged))
                    left = left[taken:]
            except INFRASTRUCTURE_FAULTS as error:
                failure, unsent[place] = error, left
        results = await asyncio.gather(*(ack for *_, ack in sent), return_exceptions=True)
        # From the last one back: what stays for a partition begins with its first failure.
        for (place, left, _), result in zip(reversed(sent), reversed(results), strict=True):
            if isinstance(result, RecordTooLargeError | MessageSizeTooLargeError):
                raise RecordTooLarge(str(result)) from result
            if isinstance(result, BaseException):
                if not isinstance(result, INFRASTRUCTURE_FAULTS):
                    raise result
                failure, unsent[place] = result, left
        again = [record for left in unsent.values() for record in left]
        if failure is not None:
            count_fault(self._metrics, self._service, failure)
            log.warning("publish_retry", records=len(again), error=told(failure))
        return again

    async def _by_partition(
        self, producer: AIOKafkaProducer, records: Sequence[Outgoing]
    ) -> dict[Partition, Sequence[Outgoing]]:
        """``records`` by topic and partition, each in order."""
        partitions = {
            topic: sorted(await producer.partitions_for(topic))
            for topic in dict.fromkeys(record.topic for record in records)
        }
        shares: defaultdict[Partition, list[Outgoing]] = defaultdict(list)
        for record in records:
            of_topic = partitions[record.topic]
            place = record.topic, of_topic[self._hash(record.key) % len(of_topic)]
            shares[place].append(record)
        return dict(shares)

    def _hash(self, key: bytes | None) -> int:
        """What Kafka's own partitioner makes of a key. The events of an order share theirs."""
        if key is None:
            return random.getrandbits(31)
        known = self._hashes.get(key)
        if known is None:
            if len(self._hashes) >= _REMEMBERED_KEYS:
                self._hashes.clear()
            known = self._hashes[key] = murmur2(key) & 0x7FFFFFFF
        return known

    async def _new_producer(self) -> AIOKafkaProducer:
        mend_compression()
        # Idempotence stays off: an idempotent batch that expires leaves the producer unusable
        # (aiokafka issue 1017), and duplicates are dropped downstream by their ID anyway.
        producer = AIOKafkaProducer(
            **self._arguments,
            client_id=f"ordermesh-{self._service}",
            acks="all",
            linger_ms=2,
            max_batch_size=512 * 1024,
            max_request_size=_LARGEST_REQUEST,
            compression_type="lz4",
            request_timeout_ms=30_000,
            metadata_max_age_ms=METADATA_MS,
        )
        async for attempt in attempts():
            try:
                await producer.start()
                return producer
            except (KafkaError, OSError) as error:
                log.warning("kafka_unreachable", attempt=attempt, error=told(error))
        raise AssertionError("attempts() does not end")


def _batch_of(
    producer: AIOKafkaProducer, records: Sequence[Outgoing], time: int
) -> tuple[Any, int]:
    """A batch of as many of ``records``, which are of one partition, as fit, and how many; their
    ``time`` is in ms since 1970, UTC. The first one always fits: whether it is too large the
    broker says."""
    batch = producer.create_batch()
    taken = 0
    for record in records:
        # aiokafka refuses a record with neither key nor value.
        key = b"" if record.key is None and record.value is None else record.key
        if (
            batch.append(timestamp=time, key=key, value=record.value, headers=record.headers)
            is None
        ):
            break
        taken += 1
    # Nothing is added to a closed batch, and it does not linger.
    batch.close()
    return batch, taken
