"""The notifications service as a process runs it, without Kafka."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from prometheus_client import CollectorRegistry
from pymongo import AsyncMongoClient

from services.notifications.app import build
from services.notifications.backoff import Backoff
from services.notifications.limits import Limits
from services.runtime import decoder_of
from shared.contracts.fulfillment import NotificationResult
from shared.contracts.registry import NOTIFICATION_DELIVERED, WEBHOOK, MessageType
from shared.messaging.runner import BatchRunner
from shared.metrics import Metrics
from shared.service import Resources
from shared.settings import Settings
from tests.support.fakes import FakePublisher
from tests.support.records import FakeConsumer, FakeRecord, record

T = TypeVar("T")

# The usual ones, but a hundred times quicker.
QUICK = Limits(
    attempt=1.0,
    lease=4.0,
    poll=0.05,
    grace=0.5,
    retry=Backoff(0.05, 0.1),
    trip=Backoff(0.1, 0.2),
)


async def until(look: Callable[[], Awaitable[list[T]]], what: str, limit: float) -> list[T]:
    """What ``look`` finds, as soon as it finds anything; fails after ``limit`` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    while loop.time() < end:
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.01)
    pytest.fail(f"there were not {what} within {limit:g} s")


class Notifications:
    """One instance of the service: its batches by ``take``, its tasks beside them."""

    def __init__(self, mongo: AsyncMongoClient[dict[str, Any]], settings: Settings, limits: Limits):
        self.publisher = FakePublisher("notifications")
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry)
        resources = Resources(settings, mongo, self.publisher, metrics)
        self.service = build(resources, limits=limits)
        self.deliveries = resources.database("notifications")["deliveries"]
        self._runner = BatchRunner(
            "notifications",
            decoder_of(self.service, settings.max_message_bytes),
            self.service.processors,
            self.publisher,
            metrics,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        for prepare in self.service.prepare:
            await prepare()
        self._tasks = [asyncio.ensure_future(task()) for task in self.service.tasks]
        await asyncio.sleep(0)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def take(self, *records: FakeRecord) -> None:
        await self._runner.run(records, FakeConsumer())

    async def subscribe(self, id: str, url: str, **fields: Any) -> None:
        body = {"ID": id, "Url": url, "HashKeys": ["secret"], **fields}
        await self.take(record(WEBHOOK.save, body))

    async def results(
        self, count: int, type: MessageType[NotificationResult] = NOTIFICATION_DELIVERED
    ) -> list[NotificationResult]:
        """The results of ``type`` once there are ``count``."""
        return await until(
            lambda: self._enough(type, count), f"{count} results of {type.name}", limit=8.0
        )

    async def _enough(
        self, type: MessageType[NotificationResult], count: int
    ) -> list[NotificationResult]:
        found = self.publisher.bodies(type)
        return found if len(found) >= count else []

    async def states(self) -> list[dict[str, Any]]:
        return [document["state"] async for document in self.deliveries.find()]

    async def state_with_error(self) -> dict[str, Any]:
        """The state of the one delivery once an attempt has failed."""
        found = await until(self._failed, "a failed attempt", limit=5.0)
        return found[0]

    async def _failed(self) -> list[dict[str, Any]]:
        return [state for state in await self.states() if "Error" in state]

    def counted(self, channel: str, outcome: str) -> float | None:
        return self.registry.get_sample_value(
            "ordermesh_notifications_total", {"channel": channel, "outcome": outcome}
        )
