"""kill -9 of the broker under load. Nobody restarts a service, nothing becomes a dead letter."""

import asyncio

import pytest

from tests.faults.trial import Trials


@pytest.mark.faults
async def test_a_broker_that_was_killed_and_is_back_after_5_seconds(trials: Trials) -> None:
    async with trials(rate=10) as trial:
        await trial.load.under_way(40)
        before = trial.cluster.pids()

        async with trial.fault("kill -9 of the broker, down 5 s"):
            await trial.cluster.down("kafka", seconds=5)

        await trial.load.under_way(20)
        await trial.end()
        assert trial.cluster.pids() == before


@pytest.mark.faults
async def test_a_broker_that_is_down_for_longer_than_any_request_waits(trials: Trials) -> None:
    async with trials(rate=4) as trial:
        await trial.load.under_way(40)
        before = trial.cluster.pids()

        async with trial.fault("kill -9 of the broker, down 65 s"):
            await trial.cluster.kill("kafka")
            await asyncio.sleep(65)
            unhealthy = await trial.cluster.unhealthy()
            await trial.cluster.start("kafka")

        await trial.load.under_way(20)
        await trial.end()
        assert trial.cluster.pids() == before
        # Nor would an orchestrator have restarted one: it would not have helped.
        assert unhealthy == []
