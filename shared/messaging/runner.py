"""The way of a batch through a service: poll, decode, set aside, process, commit.

Offsets are committed only after everything that follows from a batch is written and published.
A fault of the infrastructure is waited out with the batch in hand. A message that makes its
handler fail for any other reason is found by processing the batch one by one, and goes to the
dead letters, so that it stops nobody else.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
)

from shared.logs import told
from shared.messaging import failpoints
from shared.messaging.decode import (
    REKEYED_FROM,
    Decoder,
    Misplaced,
    Poison,
    Record,
    place_of,
    record_fields,
)
from shared.messaging.faults import INFRASTRUCTURE_FAULTS, attempts, count_fault
from shared.messaging.message import Message
from shared.messaging.processor import Processor
from shared.messaging.publisher import Headers, Outgoing, Publisher, RecordTooLarge
from shared.messaging.topics import DEAD_LETTERS
from shared.metrics import Metrics
from shared.tracing.port import UNTRACED, ServiceTracing

log = structlog.get_logger()

_COMMIT_SECONDS = 20.0
"""aiokafka tries for ever, in silence; committing the same offsets again is safe."""

_LONG = 65_536
"""Bytes; longer headers and keys are left out of a dead letter that is too large."""
_LEAST = {
    "ce_type", "ce_source", "ce_id", "traceparent", "dl_topic", "dl_partition", "dl_offset",
    "dl_error", "dl_attempts", "dl_time",
}  # fmt: skip


class Committer(Protocol):
    """What is used of a consumer."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None: ...


class BatchRunner:
    """Takes a service's batches. ``processors`` are asked in order: what the first ones write,
    the later ones find."""

    def __init__(
        self,
        service: str,
        decoder: Decoder,
        processors: Sequence[Processor],
        publisher: Publisher,
        metrics: Metrics,
        tracing: ServiceTracing | None = None,
    ) -> None:
        self._service = service
        self._decoder = decoder
        self._processors = processors
        self._publisher = publisher
        self._metrics = metrics
        self._tracing = tracing
        self.last_progress = time.monotonic()
        """When a batch last began, was tried again or ended (monotonic seconds)."""
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether a batch is in hand."""
        return not self._idle.is_set()

    async def drained(self, seconds: float) -> None:
        """Waits for the batch in hand, at most ``seconds``: before partitions are given away."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)

    def stop(self) -> None:
        """Gives up waiting for the infrastructure; the batch in hand is left uncommitted."""
        self._stopping.set()

    async def run(self, records: Sequence[Record], consumer: Committer) -> None:
        """Processes one batch and commits it. What it raises is a defect: nothing is committed,
        and nothing may be committed after it."""
        if not records:
            return
        started = time.perf_counter()
        self._idle.clear()
        self._progress()
        try:
            batch = self._take(records)
            if self._tracing is not None:
                batch.trace = await self._tracing.begin([message for message, _ in batch.messages])
            with batch.trace:
                if not await self._until_done(batch):
                    return
                with batch.trace.phase("commit"):
                    await self._commit(records, consumer)
        finally:
            self._idle.set()
            self._progress()
        self._metrics.batch_size.labels(self._service).observe(len(records))
        self._metrics.batch_seconds.labels(self._service).observe(time.perf_counter() - started)

    def _progress(self) -> None:
        self.last_progress = time.monotonic()

    def _take(self, records: Sequence[Record]) -> "_Batch":
        batch = _Batch()
        for topic, count in Counter(record.topic for record in records).items():
            self._metrics.consumed.labels(self._service, topic).inc(count)
        for record in records:
            decoded = self._decoder.decode(record)
            if isinstance(decoded, Message):
                batch.messages.append((decoded, record))
            elif isinstance(decoded, Poison):
                batch.aside.append(self._dead_letter(record, decoded.reason, 1, "unreadable"))
            elif isinstance(decoded, Misplaced):
                self._metrics.rekeyed.labels(self._service, record.topic).inc()
                batch.aside.append(_under_key(decoded))
        return batch

    async def _until_done(self, batch: "_Batch") -> bool:
        """Processes ``batch``, waiting out faults. False: told to stop before it was done."""
        attempt = 0
        async for attempt in attempts():
            self._progress()
            if self._stopping.is_set():
                return False
            try:
                if batch.aside:
                    if not await self._set_aside(batch.aside):
                        return False
                    batch.aside = []
            except INFRASTRUCTURE_FAULTS as error:
                self._fault(error, attempt)
                continue
            try:
                await self._process([message for message, _ in batch.messages])
                return True
            except INFRASTRUCTURE_FAULTS as error:
                self._fault(error, attempt)
            except Exception:
                log.exception("batch_failed", service=self._service, messages=len(batch.messages))
                break
        return await self._one_by_one(batch, attempt)

    async def _one_by_one(self, batch: "_Batch", tried: int) -> bool:
        for message, record in batch.messages:
            async for attempt in attempts():
                self._progress()
                if self._stopping.is_set():
                    return False
                try:
                    await self._process([message])
                    break
                except INFRASTRUCTURE_FAULTS as error:
                    self._fault(error, attempt)
                except Exception as error:
                    kind = type(error).__name__
                    log.exception("message_failed", service=self._service, **message.log_fields())
                    batch.trace.failed(message, kind)
                    reason = f"{kind}: {error}"
                    letter = self._dead_letter(record, reason, tried + attempt, "handler")
                    if not await self._set_aside([letter]):
                        return False
                    break
        return True

    async def _process(self, messages: Sequence[Message[Any]]) -> None:
        for processor in self._processors:
            share = [message for message in messages if message.type in processor.types]
            if share:
                await processor.process(share)

    async def _set_aside(self, records: Sequence[Outgoing]) -> bool:
        """Sends ``records``. False: told to stop before it was done."""
        try:
            await self._publisher.send(records)
        except RecordTooLarge:
            for record in records:
                if not await self._send_what_fits(record):
                    return False
        return True

    async def _send_what_fits(self, record: Outgoing) -> bool:
        """Sends ``record``, or of a dead letter what can be kept: compression let it in, or its
        headers grew. A topic that takes not even the least of it is a fault to be waited out."""
        sizes = [record]
        if record.topic.endswith(DEAD_LETTERS):
            sizes += [_without_value(record), _place_alone(record)]
        async for attempt in attempts():
            if self._stopping.is_set():
                return False
            for each in sizes:
                try:
                    await self._publisher.send([each])
                    return True
                except RecordTooLarge as error:
                    refusal = MessageSizeTooLargeError(f"{record.topic}: {error}")
            self._fault(refusal, attempt)
        return False

    def _fault(self, error: BaseException, attempt: int) -> None:
        self._progress()
        count_fault(self._metrics, self._service, error)
        log.warning(
            "waiting_for_infrastructure",
            service=self._service,
            error=told(error),
            attempt=attempt,
        )

    async def _commit(self, records: Sequence[Record], consumer: Committer) -> None:
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            offsets[place] = max(offsets.get(place, 0), record.offset + 1)
        async for attempt in attempts():
            self._progress()
            if self._stopping.is_set() and attempt > 1:
                return
            failpoints.reached("before_commit", offsets)
            try:
                await asyncio.wait_for(consumer.commit(offsets), _COMMIT_SECONDS)
                return
            except (CommitFailedError, IllegalStateError) as error:
                # The partitions went to another consumer, which takes these messages again and
                # drops them as duplicates.
                log.info("commit_superseded", service=self._service, error=told(error))
                return
            except (KafkaError, TimeoutError) as error:
                self._fault(error, attempt)

    def _dead_letter(self, record: Record, reason: str, tried: int, kind: str) -> Outgoing:
        """The record unchanged, with where it came from and why it is here."""
        self._metrics.dead_letters.labels(self._service, record.topic, kind).inc()
        log.warning(
            "dead_letter",
            service=self._service,
            partition=record.partition,
            offset=record.offset,
            **record_fields(record),
            # What a handler raises may quote the message, so only its kind is told.
            reason=reason if kind == "unreadable" else reason.partition(":")[0],
        )
        added = {
            "dl_topic": record.topic,
            "dl_partition": str(record.partition),
            "dl_offset": str(record.offset),
            "dl_error": reason[:2000],
            "dl_attempts": str(tried),
            "dl_time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        headers: Headers = [
            *record.headers,
            *((name, value.encode(errors="replace")) for name, value in added.items()),
        ]
        return Outgoing(f"{record.topic}{DEAD_LETTERS}", record.key, record.value, headers)


def _without_value(record: Outgoing) -> Outgoing:
    headers = [(name, value) for name, value in record.headers if len(value or b"") <= _LONG]
    return Outgoing(record.topic, record.key, None, [*headers, _omitted(record)])


def _place_alone(record: Outgoing) -> Outgoing:
    """Who it was, where it stands and why it is here: small, whatever it was."""
    key = None if len(record.key or b"") > _LONG else record.key
    headers = [
        (name, value)
        for name, value in dict(record.headers).items()
        if name in _LEAST and len(value or b"") <= _LONG
    ]
    return Outgoing(record.topic, key, None, [*headers, _omitted(record)])


def _omitted(record: Outgoing) -> tuple[str, bytes]:
    size = len(record.value or b"")
    note = f"a value of {size} bytes, more than can be kept here; it is at the record's old place"
    return "dl_omitted", note.encode()


class _Batch:
    def __init__(self) -> None:
        self.trace = UNTRACED
        self.messages: list[tuple[Message[Any], Record]] = []
        self.aside: list[Outgoing] = []


def _under_key(misplaced: Misplaced) -> Outgoing:
    record = misplaced.record
    headers = [(name, value) for name, value in record.headers if name != REKEYED_FROM]
    place = dict(record.headers).get(REKEYED_FROM, place_of(record).encode())
    return Outgoing(
        record.topic, misplaced.key.encode(), record.value, [*headers, (REKEYED_FROM, place)]
    )
