"""Services whose machines' clocks are an hour wrong, in both directions, and change sides."""

import asyncio

import pytest

from tests.faults.trial import Trial, Trials
from tests.support.deployment import SERVICES

_HOUR = 3600


async def die_with_clocks(trial: Trial, ahead: dict[str, int]) -> None:
    """kill -9 of services in the middle of their work, and their start with clocks that are so
    many seconds ahead."""
    await trial.cluster.kill(*ahead)
    await asyncio.gather(
        *(trial.cluster.start(name, clock_ahead=str(n)) for name, n in ahead.items())
    )


@pytest.mark.faults
async def test_clocks_that_are_an_hour_ahead_and_behind(trials: Trials) -> None:
    """What a process with one clock has begun, one with another ends."""
    async with trials(rate=6) as trial:
        await trial.load.under_way(10)

        for turn in (_HOUR, -_HOUR):
            ahead = {name: turn * (-1) ** n for n, name in enumerate(SERVICES)}
            async with trial.fault("clocks an hour ahead and behind, every other service"):
                await die_with_clocks(trial, ahead)
                await trial.load.under_way(30, limit=120)

        async with trial.fault("all clocks right again"):
            await die_with_clocks(trial, dict.fromkeys(SERVICES, 0))

        await trial.load.under_way(10)
        await trial.end()


@pytest.mark.faults
async def test_instances_of_one_service_whose_clocks_are_two_hours_apart(trials: Trials) -> None:
    async with trials(rate=6) as trial:
        await trial.load.under_way(10)
        names = ("checkout", "pricing", "notifications")
        further = [trial.cluster.add(service) for service in names]

        async with trial.fault("two instances, one an hour ahead, one behind; the one ahead dies"):
            await die_with_clocks(trial, dict.fromkeys(names, -_HOUR))
            await trial.cluster.start(*further, clock_ahead=str(_HOUR))
            await trial.load.under_way(40, limit=120)
            await trial.cluster.kill(*further)

        await trial.load.under_way(20)
        await trial.end()
