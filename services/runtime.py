"""Runs services in one process: one event loop, one consumer and one publisher for each."""

import asyncio
import logging
import signal
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Any

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from pymongo import AsyncMongoClient

from services.letters.counting import counting
from shared.clock import SharedClock, mongodb_time
from shared.collector import tune_collector
from shared.contracts.registry import TOPIC_OWNERS, message_types
from shared.endings import end
from shared.eventloop import watch_event_loop
from shared.health import ServiceHealth, health_app
from shared.logs import configure_logging, told
from shared.messaging.closed_connections import mend_connections
from shared.messaging.committed_offsets import CommittedOffsets, mend_committed_offsets
from shared.messaging.connection import METADATA_MS, kafka_connection
from shared.messaging.decode import Decoder
from shared.messaging.faults import INFRASTRUCTURE_FAULTS, attempts, count_fault
from shared.messaging.polling import Generations, Polling, fetch_less_ahead
from shared.messaging.publisher import KafkaPublisher
from shared.messaging.relay import OutboxRelay
from shared.messaging.runner import BatchRunner
from shared.messaging.watch import ConsumerWatch, OutboxWatch
from shared.metrics import Metrics
from shared.mongo.connection import mongo_client
from shared.mongo.monitor import listeners
from shared.service import Resources, Service
from shared.serving import serving
from shared.settings import Settings
from shared.tracing.http import TracedRequests
from shared.tracing.port import Tracing, TracingUnavailable, start_tracing

log = structlog.get_logger()

_GRACE = 20.0
# A server that hangs is a fault to be noticed and waited out, not to wait in silence for.
_MONGODB_MS = 20_000

# FastStream warns at every start that it will not create topics, which it is told not to.
_consumer_log = logging.getLogger("ordermesh.consumer")
_consumer_log.setLevel(logging.ERROR)


def build(name: str, resources: Resources) -> Service:
    """The service ``name``, wired."""
    service: Service = import_module(f"services.{name}.app").build(resources)
    return service


def run(names: Sequence[str], settings: Settings) -> None:
    """Runs the services until SIGTERM or SIGINT; finishes the batches in hand, commits, returns."""
    import uvloop

    configure_logging(settings.log_format, settings.log_level)
    tune_collector()
    mend_connections()
    mend_committed_offsets()
    try:
        uvloop.run(_serve(names, settings))
    except TracingUnavailable as error:
        sys.exit(str(error))


async def _serve(names: Sequence[str], settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    metrics = Metrics()
    metrics.build.info({"version": version("ordermesh")})
    tracing = start_tracing(settings, version("ordermesh"))
    mongo = mongo_client(
        settings,
        appname="ordermesh",
        timeoutMS=_MONGODB_MS,
        # A write that failed is decided again, over what is then stored. The server's own retry
        # would cost another write for each update.
        retryWrites=False,
        event_listeners=[
            *listeners(metrics),
            *([] if tracing is None else [tracing.mongodb()]),
        ],
    )
    clock = SharedClock(mongodb_time(mongo))
    running = [
        RunningService(name, settings, metrics, mongo, clock, stop, tracing) for name in names
    ]
    delays = asyncio.create_task(watch_event_loop(metrics))
    host, _, port = settings.metrics.rpartition(":")
    health = health_app(metrics, [service.health for service in running])
    # Business routes will be this application's too; health and metrics are not traced.
    http = TracedRequests(health, None if tracing is None else tracing.of("-".join(names)))
    async with serving(http, host.strip("[]") or "127.0.0.1", int(port)):
        try:
            starting = asyncio.create_task(_start(running))
            stopped = asyncio.create_task(_wait(stop))
            await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                log.info("running", services=list(names), metrics=settings.metrics)
                await stopped
            else:
                starting.cancel()
        finally:
            log.info("stopping", services=list(names))
            await asyncio.gather(*(service.stop() for service in running))
            await mongo.close()
            if tracing is not None:
                await tracing.close()
            delays.cancel()
    if any(service.defect for service in running):
        sys.exit(1)


async def _start(services: "Sequence[RunningService]") -> None:
    await asyncio.gather(*(service.start() for service in services))


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


class RunningService:
    """One service with its consumer, publisher, relay and tasks."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        metrics: Metrics,
        mongo: AsyncMongoClient[dict[str, Any]],
        clock: SharedClock,
        end: asyncio.Event,
        tracing: Tracing | None = None,
    ) -> None:
        self._end = end
        self.defect = False
        """Something ended that only a defect ends. The process then ends too, with nothing more
        committed, so that whoever supervises it starts it again."""
        self._settings = settings
        self._metrics = metrics
        self._mongo = mongo
        self._clock = clock
        self._kafka = kafka_connection(settings)
        self._publisher = KafkaPublisher(self._kafka, name, metrics, clock)
        traced = None if tracing is None else tracing.of(name)
        publisher = self._publisher if traced is None else traced.publishing(self._publisher)
        resources = Resources(settings, mongo, publisher, metrics, clock, traced)
        self._service = build(name, resources)
        if traced is not None and self._service.parents is not None:
            traced.adopt_by(self._service.parents)
        self._runner = BatchRunner(
            name,
            decoder_of(self._service, settings.max_message_bytes),
            self._service.processors,
            publisher,
            metrics,
            traced,
        )
        self._relay = OutboxRelay(
            name,
            self._service.stores,
            self._publisher,
            resources.clock,
            lambda: self._runner.busy,
        )
        self._watch = ConsumerWatch(name, self._service.topics, metrics)
        self.health = ServiceHealth(name, self._runner, self._publisher, self._watch)
        metrics.begin(name, self._service.topics, self._service.stores)
        metrics.ready.labels(name).set_function(self.health.ready)
        self._outboxes = OutboxWatch(name, self._service.stores, resources.clock, metrics)
        self._generations = Generations()
        self._polling: Polling | None = None
        self._broker = self._consume()
        self._tasks: list[asyncio.Future[None]] = []

    def _consume(self) -> KafkaBroker:
        """The service's one subscriber. Records come raw and in batches; acknowledging is the
        runner's, with explicit offsets; nothing is injected on the hot path."""
        settings = self._settings
        broker = KafkaBroker(
            settings.kafka,
            security=self._kafka.faststream_security(),
            client_id=f"ordermesh-{self._service.name}",
            consumer_only=True,
            allow_auto_create_topics=False,
            metadata_max_age_ms=METADATA_MS,
            apply_types=False,
            logger=_consumer_log,
            graceful_timeout=_GRACE,
        )
        self._subscriber = broker.subscriber(
            *self._service.topics,
            group_id=f"ordermesh-{self._service.name}",
            group_instance_id=settings.instance_id or None,
            batch=True,
            max_records=settings.batch_size,
            batch_timeout_ms=settings.poll_ms,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=min(3_000, settings.session_timeout_ms // 3),
            rebalance_timeout_ms=60_000,
            # A batch that waits for MongoDB must not cost the partitions.
            max_poll_interval_ms=24 * 3600 * 1000,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            listener=_Rebalance(self._runner, self._generations, self.health),
            parser=_parse,
            decoder=_decode,
        )

        @self._subscriber
        async def take(records: tuple[ConsumerRecord[bytes, bytes], ...]) -> None:
            consumer = self._subscriber.consumer
            if consumer is None or self.defect:
                return
            polling = self._polling_of(consumer)
            if not polling.holds:
                log.info("batch_superseded", service=self._service.name, records=len(records))
                return
            self._watch.took(records)
            try:
                await self._runner.run(records, polling)
            except Exception as error:
                # FastStream would swallow it, and the next commit would pass over the batch.
                self._fail(error)
            finally:
                self._watch.ended()

        return broker

    def _polling_of(self, consumer: Any) -> Polling:
        # Its first poll may end before its start has.
        if self._polling is None:
            fetch_less_ahead(consumer)
            self._polling = Polling(self._service.name, consumer, self._generations)
        return self._polling

    async def start(self) -> None:
        """Makes indexes, connects and begins to consume; waits for Kafka and MongoDB."""
        await self._publisher.start()
        async for attempt in attempts():
            try:
                for prepare in (self._clock.read, *self._service.prepare):
                    await prepare()
                break
            except INFRASTRUCTURE_FAULTS as error:
                count_fault(self._metrics, self._service.name, error)
                log.warning("waiting_for_mongodb", attempt=attempt, error=told(error))
        async for attempt in attempts():
            try:
                await self._broker.start()
                break
            except INFRASTRUCTURE_FAULTS as error:
                count_fault(self._metrics, self._service.name, error)
                log.warning("waiting_for_kafka", attempt=attempt, error=told(error))
        consumer: Any = self._subscriber.consumer
        self._polling_of(consumer)
        self._watch.consumes(consumer)
        self._publisher.ask(CommittedOffsets(consumer))
        counting_letters = counting(self._service.name, self._settings, self._mongo, self._metrics)
        watches = [self._watch.run, self._outboxes.run, counting_letters]
        beside = [self._clock.run, self._relay.run, *watches, *self._service.tasks]
        self._tasks = [asyncio.ensure_future(task()) for task in beside]
        for task in self._tasks:
            task.add_done_callback(self._task_ended)
        self.health.started(self._subscriber)

    def _task_ended(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        log.error("defect", service=self._service.name, exc_info=error)
        self.defect = True
        self.health.failed()
        self._end.set()

    async def stop(self) -> None:
        """Finishes the batch in hand, leaves the group and clears its outboxes; gives up after some
        25 s."""
        self.health.stopping()
        await end(self._tasks)
        giving_up = asyncio.get_running_loop().call_later(_GRACE / 2, self._runner.stop)
        try:
            await self._broker.stop()
        finally:
            giving_up.cancel()
        await self._relay.finish()
        await self._publisher.stop()


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    """Lets the batch in hand end and commit before its partitions go to another."""

    def __init__(
        self, runner: BatchRunner, generations: Generations, health: ServiceHealth
    ) -> None:
        self._runner = runner
        self._generations = generations
        self._health = health

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        await self._runner.drained(_GRACE)
        self._generations.end()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        self._health.joined()


def decoder_of(service: Service, max_bytes: int) -> Decoder:
    """The decoder of what ``service`` wants."""
    known: dict[str, set[str]] = {topic: set() for topic in service.topics}
    for topic, name in message_types():
        if topic in known:
            known[topic].add(name)
    wanted = {(t.topic, t.name): t for p in service.processors for t in p.types}
    return Decoder(
        types=wanted,
        known={topic: frozenset(names) for topic, names in known.items()},
        owned=frozenset(t for t in service.topics if TOPIC_OWNERS.get(t) == service.name),
        max_bytes=max_bytes,
    )


async def _parse(records: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
    """FastStream's own parser raises on a header that is not UTF-8; this one cannot."""
    return KafkaMessage(
        body=b"", raw_message=records, headers={}, batch_headers=[], consumer=FAKE_CONSUMER
    )


async def _decode(message: KafkaMessage) -> Any:
    return message.raw_message
