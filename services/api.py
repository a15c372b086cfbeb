"""The process that serves the HTTP API: the routes of all services that have some.

It consumes nothing, so that a request never waits behind a batch, and it scales with requests
while the consumers scale with their lag. Each service's module writes that service's database
alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

import httpx
import structlog
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pymongo import AsyncMongoClient
from starlette.types import ASGIApp

from services.gateway import API, add_front_door
from services.names import MOUNTED
from shared.aggregates import AggregateStore, Untyped
from shared.clock import SharedClock, mongodb_time
from shared.collector import tune_collector
from shared.endings import end
from shared.eventloop import watch_event_loop
from shared.http.app import Authenticator, Limits, api_app
from shared.http.documents import Announcer
from shared.http.mount import Mount, Mounted
from shared.logs import told
from shared.messaging.connection import kafka_connection
from shared.messaging.faults import INFRASTRUCTURE_FAULTS, attempts, count_fault
from shared.messaging.publisher import KafkaPublisher
from shared.messaging.relay import OutboxRelay
from shared.messaging.watch import OutboxWatch
from shared.metrics import Metrics
from shared.mongo.aggregates import MongoAggregateStore
from shared.mongo.connection import mongo_client
from shared.mongo.monitor import listeners
from shared.service import Resources
from shared.serving import serving
from shared.settings import Settings
from shared.tracing.http import TracedRequests
from shared.tracing.port import Tracing, start_tracing

log = structlog.get_logger()

NAME = API

_MONGODB_MS = 10_000
# What is written is published at once. Here are many collections, and each sweep looks at all.
_SWEEP_EVERY = 10.0


def mounted(
    resources: Resources, announcer: Announcer, services: Sequence[str] = MOUNTED
) -> list[Mounted]:
    """The HTTP side of ``services``, with what each needs of another."""
    increment = import_module("services.checkout.http.incrementors").incrementing(resources)
    catalogs = import_module("services.pricing.http.default_catalogs")
    mount = Mount(
        resources,
        announcer,
        increment,
        resources.settings.api_url,
        catalogs.default_catalogs(resources, announcer),
    )
    return [import_module(f"services.{name}.http").mount(mount) for name in services]


class Api:
    """The API in one process.

    Args:
        settings: where Kafka and MongoDB are, and what the API allows.
        address: where it listens, (host, port).
        services: base URLs of the services' health and metrics, by name, for the front door.
        mounted: which services' routes it serves.
    """

    def __init__(
        self,
        settings: Settings,
        address: tuple[str, int],
        services: Mapping[str, str],
        mounted: Sequence[str] = MOUNTED,
    ) -> None:
        self._settings = settings
        self._address = address
        self._services = services
        self._mounted = mounted
        self._metrics = Metrics()
        self._metrics.build.info({"version": version("ordermesh")})
        self._now_ready(False)

    async def run(self, stop: asyncio.Event) -> None:
        """Serves until ``stop`` is set. Raises CannotListen."""
        settings, metrics = self._settings, self._metrics
        tracing = start_tracing(settings, version("ordermesh"))
        mongo = mongo_client(
            settings,
            appname="ordermesh-api",
            timeoutMS=_MONGODB_MS,
            retryWrites=False,
            event_listeners=[
                *listeners(metrics),
                *([] if tracing is None else [tracing.mongodb()]),
            ],
        )
        # Who still asks is answered, with all that it takes, before anything else is closed.
        async with AsyncExitStack() as stack, AsyncExitStack() as door:
            stack.push_async_callback(mongo.close)
            if tracing is not None:
                stack.push_async_callback(tracing.close)
            client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
            starting = asyncio.create_task(self._start(mongo, tracing, client, stack, door))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
                return
            starting.result()
            log.info("running", services=[NAME], http="{}:{}".format(*self._address))
            await stopping
            log.info("stopping", services=[NAME])
            self._now_ready(False)

    async def _start(
        self,
        mongo: AsyncMongoClient[dict[str, Any]],
        tracing: Tracing | None,
        client: httpx.AsyncClient,
        stack: AsyncExitStack,
        door: AsyncExitStack,
    ) -> None:
        settings, metrics = self._settings, self._metrics
        traced = None if tracing is None else tracing.of(NAME)
        clock = SharedClock(mongodb_time(mongo))
        publisher = KafkaPublisher(kafka_connection(settings), NAME, metrics, clock)
        announcer = Announcer(publisher if traced is None else traced.publishing(publisher))
        resources = Resources(settings, mongo, publisher, metrics, clock, traced)
        parts = mounted(resources, announcer, self._mounted)
        authenticator = next(part.authenticator for part in parts if part.authenticator)
        app = self._app(parts, authenticator, resources, client)
        host, port = self._address
        await door.enter_async_context(serving(TracedRequests(app, traced), host, port))
        await self._prepare([clock.read, *(step for part in parts for step in part.prepare)])
        await publisher.start()
        stack.push_async_callback(publisher.stop)
        stores: dict[str, AggregateStore[Any]] = {
            name: MongoAggregateStore(resources.database(part.service), name, Untyped)
            for part in parts
            for name in part.collections
        }
        relay = OutboxRelay(NAME, stores, publisher, clock, pause=_SWEEP_EVERY)
        stack.push_async_callback(relay.finish)
        await stack.enter_async_context(announcer.running())
        self._begin(parts, stores, relay, clock, stack)
        tune_collector()
        self._now_ready(True)

    def _now_ready(self, ready: bool) -> None:
        self._ready = ready
        self._metrics.ready.labels(NAME).set(ready)

    def _app(
        self,
        parts: Sequence[Mounted],
        authenticator: Authenticator,
        resources: Resources,
        client: httpx.AsyncClient,
    ) -> ASGIApp:
        settings, metrics = self._settings, self._metrics

        requests_of = cache(metrics.http_requests.labels)
        seconds_of = cache(metrics.http_seconds.labels)

        def count(operation: str, status: int, seconds: float) -> None:
            requests_of(operation, str(status)).inc()
            seconds_of(operation).observe(seconds)

        pages = FastAPI(title="Ordermesh", docs_url=None, redoc_url=None, openapi_url=None)

        @pages.get("/metrics")
        async def exposition() -> Response:
            return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

        add_front_door(pages, self._services, client, ready=lambda: self._ready)
        return api_app(
            [operation for part in parts for operation in part.operations],
            authenticator,
            resources.clock,
            limits=Limits(settings.http_body_bytes, settings.http_seconds),
            origins=settings.http_origins,
            count=count,
            pages=pages,
        )

    async def _prepare(self, steps: Sequence[Callable[[], Awaitable[None]]]) -> None:
        """Makes indexes, and what has to be there on the first start; waits for MongoDB."""
        async for attempt in attempts():
            try:
                for step in steps:
                    await step()
                return
            except INFRASTRUCTURE_FAULTS as error:
                count_fault(self._metrics, NAME, error)
                log.warning("waiting_for_mongodb", attempt=attempt, error=told(error))

    def _begin(
        self,
        parts: Sequence[Mounted],
        stores: Mapping[str, AggregateStore[Any]],
        relay: OutboxRelay,
        clock: SharedClock,
        stack: AsyncExitStack,
    ) -> None:
        """Starts what goes on beside the requests."""
        self._metrics.begin(NAME, (), stores)
        outboxes = OutboxWatch(NAME, stores, clock, self._metrics)
        beside = [
            clock.run,
            relay.run,
            outboxes.run,
            *(task for part in parts for task in part.tasks),
        ]
        tasks = [asyncio.ensure_future(task()) for task in beside]
        tasks.append(asyncio.ensure_future(watch_event_loop(self._metrics)))
        stack.push_async_callback(end, tasks)
