"""Done, but nobody heard: the server does what it was asked, and the answer never comes back.

Whoever asked sees a connection that was cut, or waits until its time is over; either way it does
not know what became of it and has to do it again.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from itertools import cycle

import pytest

from tests.faults.orders import HOOK_PATH
from tests.faults.trial import Trials
from tests.support.deployment import SERVICES
from tests.support.receivers import Request

_ID = "x-ordermesh-delivery"

_TOO_LONG = {"mongodb": 25, "kafka": 35}
"""Seconds, longer than the services wait for an answer: 20 s for MongoDB's, 30 s for Kafka's."""

_LONGER_THAN_AN_ATTEMPT = 15.0
"""Seconds; an attempt to notify is given up after 10."""


@pytest.mark.faults
@pytest.mark.parametrize("server", ["mongodb", "kafka"])
async def test_writes_whose_answers_are_lost(trials: Trials, server: str) -> None:
    async with trials(proxied=True) as trial:
        proxy = trial.cluster.proxies[server]
        await trial.load.under_way(30)
        before = trial.cluster.pids()

        async with trial.fault(f"each service's connection to {server} cut after a write, 3 times"):
            for _ in range(3):
                for service in SERVICES:
                    await proxy.cut_write(service)
        await trial.load.under_way(20)
        async with trial.fault(f"answers of {server} dropped for {_TOO_LONG[server]} s"):
            proxy.mute()
            await asyncio.sleep(_TOO_LONG[server])
            unhealthy = await trial.cluster.unhealthy()
            proxy.heal()

        await trial.load.under_way(20)
        report = await trial.end()
        # What was done unheard was asked for again, and recognised.
        assert await trial.cluster.counters.total("duplicates_dropped") > 0
        assert server != "kafka" or report.repeats > 0
        assert trial.cluster.pids() == before
        assert unhealthy == []


class Forgetful:
    """A webhook's receiver that takes calls, of which the sender hears nothing: by turns it hangs
    up and does not answer in time. Of ``every`` so many notifications it takes one like that,
    the first time only."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._seen: set[str] = set()
        self._ways = cycle((self._hang_up, self._hang))
        self.unheard: set[str] = set()

    async def answer(self, request: Request) -> tuple[int, Mapping[str, str]]:
        id = request.headers[_ID]
        if id not in self._seen:
            self._seen.add(id)
            if len(self._seen) % self._every == 0:
                self.unheard.add(id)
                await next(self._ways)()
        return 200, {}

    async def _hang_up(self) -> None:
        raise ConnectionResetError

    async def _hang(self) -> None:
        await asyncio.sleep(_LONGER_THAN_AN_ATTEMPT)


@pytest.mark.faults
async def test_webhook_calls_whose_answers_are_lost(trials: Trials) -> None:
    async with trials(rate=5) as trial:
        await trial.load.under_way(20)
        before = trial.cluster.pids()
        receiver = Forgetful(every=20)

        async with trial.fault("every twentieth webhook call taken without an answer"):
            trial.hooks.answers[HOOK_PATH] = receiver.answer
            await trial.load.under_way(100, limit=120)
            trial.hooks.answers.clear()

        await trial.end()
        calls = Counter(request.headers[_ID] for request in trial.hooks.at(HOOK_PATH))
        # The audit has compared what came again: it is the same, under the same ID.
        assert receiver.unheard <= {id for id, count in calls.items() if count > 1}
        assert len(receiver.unheard) > 10
        assert trial.cluster.pids() == before
