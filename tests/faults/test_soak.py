"""A long time under load, with faults as chance has it: nothing is lost, and memory is flat.

``ORDERMESH_SOAK_SECONDS`` (1200) is how long there is load, ``ORDERMESH_SOAK_RATE`` (30) how many
orders a second, ``ORDERMESH_SOAK_SEED`` (1) decides about orders and faults. The audit is done in
rounds of two minutes, or at least two, as all of it would be more than a machine's memory holds;
nothing is restarted for that.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.memory import Memory
from tests.faults.trial import Trial, Trials
from tests.support.deployment import SERVICES

_ROUND = 120.0
_SERVERS = ("kafka", "mongodb")

Fault = Callable[[Trial, random.Random], Awaitable[None]]


async def kill_a_service(trial: Trial, chance: random.Random) -> None:
    name, seconds = chance.choice(SERVICES), chance.uniform(0, 8)
    async with trial.fault(f"kill -9 of {name}, down {seconds:.0f} s"):
        await trial.cluster.down(name, seconds=seconds)


async def restart_the_services(trial: Trial, chance: random.Random) -> None:
    async with trial.fault("rolling restart"):
        for name in chance.sample(SERVICES, len(SERVICES)):
            await trial.cluster.stop(name)
            await trial.cluster.start(name)


async def kill_a_server(trial: Trial, chance: random.Random) -> None:
    name, seconds = chance.choice(_SERVERS), chance.uniform(0, 8)
    async with trial.fault(f"kill -9 of {name}, down {seconds:.0f} s"):
        await trial.cluster.down(name, seconds=seconds)


async def pause_a_process(trial: Trial, chance: random.Random) -> None:
    name, seconds = chance.choice((*SERVICES, *_SERVERS)), chance.uniform(1, 15)
    async with trial.fault(f"{name} stands still for {seconds:.0f} s"):
        trial.cluster.pause(name)
        await asyncio.sleep(seconds)
        trial.cluster.resume(name)


HARMLESS: tuple[Fault, ...] = (kill_a_server, pause_a_process)
"""Those that no service has to be started again for."""

FAULTS: tuple[Fault, ...] = (*HARMLESS, kill_a_service, kill_a_service, restart_the_services)


@pytest.mark.soak
async def test_soak(trials: Trials, tell: Callable[[str], None]) -> None:
    seconds = float(os.environ.get("ORDERMESH_SOAK_SECONDS", "1200"))
    rate = float(os.environ.get("ORDERMESH_SOAK_RATE", "30"))
    seed = int(os.environ.get("ORDERMESH_SOAK_SEED", "1"))
    chance = random.Random(seed)
    orders = faults = 0
    async with trials(rate=rate, seed=seed, at_once=round(20 * rate), most=1_000_000) as trial:
        memory = Memory(trial.cluster)
        memory.start()
        loaded = 0.0
        watched = False
        while True:
            began = time.monotonic()
            round_seconds = min(_ROUND, seconds / 2)
            while time.monotonic() - began < round_seconds:
                # In the second half services live on: a leak would be seen in their memory.
                if not watched and loaded + time.monotonic() - began >= seconds / 2:
                    watched = True
                    memory.begin()
                await asyncio.sleep(chance.uniform(4, 12))
                await chance.choice(HARMLESS if watched else FAULTS)(trial, chance)
            loaded += time.monotonic() - began
            faults += len(trial.injected)
            orders += (await trial.end()).outcomes.total()
            if watched and loaded >= seconds:
                break
            await trial.go_on()
        await memory.stop()
        held = ", ".join(f"{name} {last:.0f}" for name, _, last in memory.highest())
        tell(f"soak: {orders} orders in {loaded:.0f} s, {faults} faults, lost = 0; MB: {held}")
        assert watched
        assert list(memory.differences()) == []
