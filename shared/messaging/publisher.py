"""Publishing: each record by its key, all acknowledgements awaited together.

A record counts as published when Kafka has acknowledged it with ``acks=all``. What was not
acknowledged is sent again until it is: consumers drop what they get twice by its ID.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordTooLargeError

from shared.messaging.faults import attempts
from shared.messaging.outbox import OutboxEntry
from shared.metrics import Metrics

log = structlog.get_logger()

_REMEMBERED = 50_000
RETRY_SECONDS = 0.5
"""How long to wait before records that were not acknowledged are sent again."""
# The topics say how large a record may be, after compression; this only bounds memory.
_LARGEST_REQUEST = 64 * 1024 * 1024

Headers = Sequence[tuple[str, bytes]]


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


class RecordTooLarge(Exception):
    """A record is larger than the topic takes."""


def headers_of(entry: OutboxEntry, source: str) -> Headers:
    """CloudEvents 1.0 headers, binary mode."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", entry.id.encode()),
        ("ce_type", entry.type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", entry.time.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()),
        ("content-type", b"application/json"),
    ]
    if entry.trace:
        headers.append(("traceparent", entry.trace.encode()))
    return headers


class KafkaPublisher:
    """The publisher of one process."""

    def __init__(self, kafka: str, service: str, metrics: Metrics) -> None:
        self._kafka = kafka
        self._service = service
        self._source = f"/ordermesh/{service}"
        self._metrics = metrics
        self._producer: AIOKafkaProducer | None = None
        self._published: OrderedDict[str, None] = OrderedDict()
        self.last_try = time.monotonic()
        """When something was last tried to be sent (monotonic seconds)."""

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
        self._published.update((entry.id, None) for entry in entries)
        for (topic, name), count in Counter((e.topic, e.type) for e in entries).items():
            self._metrics.published.labels(self._service, topic, name).inc(count)
        while len(self._published) > _REMEMBERED:
            self._published.popitem(last=False)

    def is_published(self, entry_id: str) -> bool:
        return entry_id in self._published

    async def send(self, records: Sequence[Outgoing]) -> None:
        waiting = await self._try(list(records))
        while waiting:
            self._metrics.publish_retries.labels(self._service).inc()
            await asyncio.sleep(RETRY_SECONDS)
            waiting = await self._try(waiting)

    async def _try(self, records: list[Outgoing]) -> list[Outgoing]:
        """Sends all and returns those that must be sent again: those that were not acknowledged,
        and whatever follows one of them under its key, so that no key's order changes for good."""
        producer = self._producer
        self.last_try = time.monotonic()
        if producer is None:
            raise asyncio.CancelledError("the publisher is stopped")
        failure: BaseException | None = None
        sent: list[asyncio.Future[object]] = []
        try:
            for record in records:
                # aiokafka refuses a record with neither key nor value.
                key = b"" if record.key is None and record.value is None else record.key
                sent.append(
                    await producer.send(
                        record.topic, key=key, value=record.value, headers=record.headers
                    )
                )
        except MessageSizeTooLargeError as error:
            raise RecordTooLarge(str(error)) from error
        except (KafkaError, OSError, TimeoutError) as error:
            failure = error
        results = await asyncio.gather(*sent, return_exceptions=True)
        failed_keys = set()
        again = []
        for record, result in zip(records, results, strict=False):
            if isinstance(result, RecordTooLargeError | MessageSizeTooLargeError):
                raise RecordTooLarge(str(result)) from result
            if isinstance(result, BaseException):
                if not isinstance(result, KafkaError | OSError | TimeoutError):
                    raise result
                failure = result
                failed_keys.add((record.topic, record.key))
            if (record.topic, record.key) in failed_keys:
                again.append(record)
        again += records[len(sent) :]
        if failure is not None:
            log.warning("publish_retry", records=len(again), error=repr(failure))
        return again

    async def _new_producer(self) -> AIOKafkaProducer:
        # Idempotence stays off: an idempotent batch that expires leaves the producer unusable
        # (aiokafka issue 1017), and duplicates are dropped downstream by their ID anyway.
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            client_id=f"ordermesh-{self._service}",
            acks="all",
            linger_ms=2,
            max_batch_size=512 * 1024,
            max_request_size=_LARGEST_REQUEST,
            compression_type="lz4",
            request_timeout_ms=30_000,
        )
        async for attempt in attempts():
            try:
                await producer.start()
                return producer
            except (KafkaError, OSError) as error:
                log.warning("kafka_unreachable", attempt=attempt, error=repr(error))
        raise AssertionError("attempts() does not end")
