"""SIGSTOP under load: of the servers, which then hold every connection open and answer nothing; of
consumers, which others take for dead and which then go on as if nothing had happened."""

import asyncio

import pytest

from tests.faults.trial import Trial, Trials

_TWICE_A_SESSION = 12.0
"""Seconds; see the cluster's ORDERMESH_SESSION_TIMEOUT_MS."""


@pytest.mark.faults
@pytest.mark.parametrize("server", ["kafka", "mongodb"])
async def test_a_server_that_stands_still_for_30_seconds(trials: Trials, server: str) -> None:
    async with trials() as trial:
        await trial.load.under_way(40)
        before = trial.cluster.pids()

        async with trial.fault(f"SIGSTOP of {server} for 30 s"):
            trial.cluster.pause(server)
            await asyncio.sleep(30)
            unhealthy = await trial.cluster.unhealthy()
            trial.cluster.resume(server)

        await trial.load.under_way(20)
        await trial.end()
        assert trial.cluster.pids() == before
        # Nor would an orchestrator have restarted one: it would not have helped.
        assert unhealthy == []


async def stand_still_at(trial: Trial, service: str, fail_point: str) -> None:
    """Lets ``service`` run until it stops itself there, and stand still until its twin has its
    partitions and everything in them is done; then it goes on."""
    await trial.cluster.stop(service)
    await trial.cluster.start(service, fail_point=f"{fail_point}:stop")
    await trial.cluster.stopped(service)
    await asyncio.sleep(_TWICE_A_SESSION)
    await trial.load.caught_up()
    trial.cluster.resume(service)


@pytest.mark.faults
@pytest.mark.parametrize(
    "services",
    [("checkout", "shipments"), ("pricing", "forwarding")],
    ids=" ".join,
)
async def test_a_consumer_that_was_given_up_and_goes_on(
    trials: Trials, services: tuple[str, ...]
) -> None:
    async with trials(rate=5) as trial:
        await trial.cluster.start(*map(trial.cluster.add, services))
        await trial.load.under_way(20)

        for step in ("before_write:1", "before_write:4", "before_publish:2", "before_commit:2"):
            async with trial.fault(f"SIGSTOP of {' and '.join(services)} at {step} for 12 s"):
                await asyncio.gather(*(stand_still_at(trial, x, step) for x in services))
            await trial.load.under_way(10)

        report = await trial.end()
        for service in services:
            # What it was about to write when it stopped, its twin had written.
            assert await trial.cluster.counters.total("lost_races", service) > 0
            assert trial.cluster.services[service].pid is not None
        # What it was about to publish, its twin had published.
        assert report.repeats > 0
