"""Services that come and go under load: rolling restarts, and a storm of rebalances."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.faults.topics import Log, add_partitions, read_all
from tests.faults.trial import Trial, Trials
from tests.support.deployment import SERVICES

_ROUNDS = 10
_TIMES = 4
"""How often a further instance comes and goes in each half of the storm."""
_COMMANDS = ("catalog.commands", "orders.commands", "shipments.commands")
_PARTITIONS = 3
"""Of every topic, as long as none are added."""
_PAUSE = 2.0
"""Seconds between one instance's coming and its going."""


def taken_on_new(log: Log) -> dict[str, int]:
    """How many commands stand on partitions that were not there at first."""
    return {
        topic: sum(record.partition >= _PARTITIONS for record in log.records[topic])
        for topic in _COMMANDS
    }


async def roll(trial: Trial, services: Sequence[str]) -> None:
    """Restarts ``services`` one after another, and all of them again: SIGTERM, wait, start."""
    for _ in range(_ROUNDS):
        for service in services:
            await trial.cluster.stop(service)
            await trial.cluster.start(service)


async def storm(trial: Trial, name: str, leave: Callable[[str], Awaitable[None]]) -> None:
    """Lets the instance ``name`` come and go. It has no name that Kafka would keep its share for,
    so that each coming and going halts the whole group."""
    for _ in range(_TIMES):
        await trial.cluster.start(name, instance_id="")
        await asyncio.sleep(_PAUSE)
        await leave(name)
        await asyncio.sleep(_PAUSE)


@pytest.mark.faults
async def test_a_rolling_restart_of_every_service(trials: Trials) -> None:
    async with trials(rate=3) as trial:
        await trial.load.under_way(20)

        async with trial.fault(f"SIGTERM and start of every service, {_ROUNDS} times each"):
            await asyncio.gather(roll(trial, SERVICES[::2]), roll(trial, SERVICES[1::2]))

        await trial.load.under_way(10)
        await trial.end()


@pytest.mark.faults
async def test_a_storm_of_rebalances(trials: Trials) -> None:
    async with trials(rate=6) as trial:
        further = [trial.cluster.add(service) for service in ("checkout", "shipments")]
        await trial.load.under_way(20)
        before = trial.cluster.pids()

        for what, leave in (("SIGTERM", trial.cluster.stop), ("kill -9", trial.cluster.kill)):
            async with trial.fault(f"two second instances that come, and go by {what}"):
                await asyncio.gather(*(storm(trial, name, leave) for name in further))
            trial.injected[-1] += f", {_TIMES} times each"

        await trial.load.under_way(10)
        await trial.end()
        assert trial.cluster.pids() == before


@pytest.mark.faults
async def test_partitions_that_are_added_under_load(trials: Trials) -> None:
    """Those of commands. Events stay: what does not wait for an answer to what came before it
    under the same key may overtake it, see docs/security.md."""
    async with trials(rate=6) as trial:
        await trial.load.under_way(20)
        before = trial.cluster.pids()

        async with trial.fault("twice as many partitions for all commands"):
            kafka = trial.cluster.kafka.address
            await asyncio.to_thread(add_partitions, kafka, _COMMANDS, 2 * _PARTITIONS)
            await trial.load.under_way(100, limit=180)

        await trial.end()
        assert trial.cluster.pids() == before
        log = await asyncio.to_thread(read_all, kafka)
        assert min(taken_on_new(log).values()) > 0, taken_on_new(log)
