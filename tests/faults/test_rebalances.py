"""Services that come and go under load: rolling restarts, and a storm of rebalances."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.faults.topics import Log, add_partitions, read_all
from tests.faults.trial import Trial, Trials
from tests.support.deployment import SERVICES

_ROUNDS = 10
_STORM = 30.0
"""Seconds of each half of the storm."""
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


async def storm(trial: Trial, name: str, leave: Callable[[str], Awaitable[None]]) -> int:
    """Lets the instance ``name`` come and go; how often it came. It has no name that Kafka would
    keep its share for, so that each coming and going halts the whole group."""
    end = time.monotonic() + _STORM
    times = 0
    while time.monotonic() < end:
        await trial.cluster.start(name, instance_id="")
        times += 1
        await asyncio.sleep(_PAUSE)
        await leave(name)
        await asyncio.sleep(_PAUSE)
    return times


@pytest.mark.faults
async def test_a_rolling_restart_of_every_service(trials: Trials) -> None:
    async with trials(rate=5) as trial:
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
            async with trial.fault(f"second instances that come, and go by {what}"):
                times = await asyncio.gather(*(storm(trial, name, leave) for name in further))
            assert min(times) > 1
            trial.injected[-1] += f", {sum(times)} times"

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
