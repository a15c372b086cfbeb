"""The dispatcher's pace, with a database in memory and a sender that does as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, cast

from services.notifications.backoff import Backoff
from services.notifications.dispatcher import Dispatcher
from services.notifications.domain import Channel, Delivery, Missed, Outcome, Sent, Status
from services.notifications.limits import Limits
from services.notifications.results import Results
from services.notifications.store import DeliveryStore
from shared.aggregates import Aggregate
from shared.clock import utc_now
from shared.metrics import Metrics
from tests.support.fakes import FakePublisher, FakeStore
from tests.unit.notifications.builders import delivery

_LIMITS = Limits(
    poll=0.01, retry=Backoff(0.01, 0.01), trip_after=1, trip=Backoff(0.1, 0.1), grace=0.1
)


class DeliveriesInMemory(FakeStore[Delivery]):
    """The dispatcher's queries over what the fake store keeps."""

    def __init__(self) -> None:
        super().__init__(Delivery)

    async def due_lanes(self, now: datetime) -> list[str]:
        return list(dict.fromkeys(state.lane for _, state in self._due(now)))

    async def due(self, lane: str, now: datetime, limit: int) -> list[Aggregate[Delivery]]:
        found = [aggregate for aggregate, state in self._due(now) if state.lane == lane]
        return found[:limit]

    async def pending(self, limit: int) -> dict[str, tuple[int, datetime]]:
        return {}

    def _due(self, now: datetime) -> list[tuple[Aggregate[Delivery], Delivery]]:
        stored = [self.aggregate(id) for id in self.documents()]
        return [
            (aggregate, aggregate.state)
            for aggregate in stored
            if aggregate.state is not None
            and aggregate.state.next_attempt is not None
            and aggregate.state.next_attempt <= now
        ]


class ScriptedSender:
    """Gives its outcomes one after the other, then Sent; ``tried`` lists the IDs."""

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self._outcomes = list(outcomes)
        self.tried: list[str] = []

    async def send(self, id: str, delivery: Delivery) -> Outcome:
        self.tried.append(id)
        outcome = self._outcomes.pop(0) if self._outcomes else Sent()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self) -> None:
        pass


class Harness:
    def __init__(self, sender: ScriptedSender, limits: Limits) -> None:
        self.store = DeliveriesInMemory()
        self.publisher = FakePublisher()
        store = cast(DeliveryStore, self.store)
        results = Results(store, self.publisher, pause=0.005)
        self.dispatcher = Dispatcher(
            store, results, {Channel.WEBHOOK: sender}, utc_now, Metrics(), limits
        )

    async def leased(self, *ids: str, **fields: Any) -> list[Aggregate[Delivery]]:
        """Fresh deliveries, written and leased for half a minute."""
        now = utc_now()
        until = {"next_attempt": now + timedelta(seconds=30), **fields}
        fresh = [
            Aggregate(id, state=delivery(**{"created": now, "deadline": now + _HOUR, **until}))
            for id in ids
        ]
        await self.store.save(fresh)
        return fresh

    async def ended(self, *ids: str) -> list[Status]:
        """The final states of these deliveries, which must be there within two seconds."""
        async with asyncio.timeout(2):
            while len(self.publisher.entries) < len(ids):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        states = [self.store.state(id) for id in ids]
        return [state.status for state in states if state is not None]


_HOUR = timedelta(hours=1)


@asynccontextmanager
async def dispatching(sender: ScriptedSender, limits: Limits = _LIMITS) -> AsyncIterator[Harness]:
    harness = Harness(sender, limits)
    running = asyncio.create_task(harness.dispatcher.run())
    await asyncio.sleep(0)
    try:
        yield harness
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_arrives_at_a_closed_lane_goes_when_it_reopens() -> None:
    sender = ScriptedSender(Missed("HTTP 503"))
    async with dispatching(sender) as harness:
        harness.dispatcher.take(await harness.leased("a"))
        await asyncio.sleep(0.02)

        harness.dispatcher.take(await harness.leased("b", "c"))
        tried_while_closed = list(sender.tried)
        ended = await harness.ended("a", "b", "c")

    assert tried_while_closed == ["a"]
    assert ended == [Status.DELIVERED] * 3
    assert sorted(sender.tried) == ["a", "a", "b", "c"]


async def test_a_sender_that_breaks_is_tried_again() -> None:
    sender = ScriptedSender(RuntimeError("defect"))
    async with dispatching(sender) as harness:
        harness.dispatcher.take(await harness.leased("a"))

        ended = await harness.ended("a")

    assert ended == [Status.DELIVERED]
    assert sender.tried == ["a", "a"]


async def test_what_is_overdue_fails_without_an_attempt() -> None:
    sender = ScriptedSender()
    async with dispatching(sender) as harness:
        past = utc_now() - timedelta(minutes=5)
        await harness.leased("a", next_attempt=past, deadline=past, error="HTTP 500")

        ended = await harness.ended("a")

    assert ended == [Status.FAILED]
    assert sender.tried == []
    assert '"Error":"HTTP 500"' in harness.publisher.entries[0].body


async def test_what_another_instance_leased_is_left_alone() -> None:
    sender = ScriptedSender()
    async with dispatching(sender) as harness:
        await harness.leased("a")

        await asyncio.sleep(0.05)

    assert sender.tried == []


async def test_fresh_deliveries_are_leased_as_far_as_there_is_room() -> None:
    async with dispatching(ScriptedSender(), Limits(held=3, lane=2)) as harness:
        now = utc_now()
        fresh = [delivery(target=target, next_attempt=now) for target in "aaabbb"]

        admitted = harness.dispatcher.admit(fresh)

    leased = [one.next_attempt is not None and one.next_attempt > now for one in admitted]
    assert leased == [True, True, False, True, False, False]
