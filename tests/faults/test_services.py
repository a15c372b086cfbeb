"""kill -9 of each service at each step of a batch, by fail-points, and its start afterwards."""

import asyncio
import signal

import pytest

from shared.messaging.failpoints import Step
from tests.faults.trial import Trial, Trials
from tests.support.deployment import SERVICES

_TIMES = (1, 3)
"""At the how-manieth time: the first batch after a start is a large one, and has other writes than
the third."""


async def die_at(trial: Trial, service: str, fail_point: str) -> None:
    """Lets ``service`` run until it kills itself there, and starts it as usual again."""
    await trial.cluster.kill(service)
    await trial.cluster.start(service, fail_point=fail_point)
    code = await trial.cluster.ended(service)
    assert code == -signal.SIGKILL, trial.cluster.log_tail(service)
    await trial.cluster.start(service)


@pytest.mark.faults
@pytest.mark.parametrize(
    "steps",
    [
        ("before_write", "after_write"),
        ("before_publish", "after_publish"),
        ("before_clear", "before_commit"),
    ],
    ids=" ".join,
)
async def test_services_that_die_at_a_step(trials: Trials, steps: tuple[Step, ...]) -> None:
    async with trials(rate=5) as trial:
        await trial.load.under_way(20)

        for step in steps:
            for time in _TIMES:
                async with trial.fault(f"kill -9 of all services, each at {step}:{time}"):
                    await asyncio.gather(*(die_at(trial, x, f"{step}:{time}") for x in SERVICES))

        await trial.load.under_way(10)
        await trial.end()
