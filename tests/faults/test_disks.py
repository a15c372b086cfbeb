"""Full disks: a server ends, nothing that was accepted is lost, and all goes on afterwards.

Kafka and mongod end themselves when they cannot write. Making room and starting them again is the
operator's part, and in here the test's; nobody touches the services.
"""

import asyncio
from dataclasses import dataclass

import pytest

from tests.faults.trial import Trial, Trials

_ENDS_WITHIN = 150.0
"""Seconds; mongod notices with its next checkpoint, within a minute."""


async def full_until_it_ends(trial: Trial, server: str) -> int:
    """Fills the server's disk, again and again should it make room, until it has ended; its return
    code."""
    ended = asyncio.create_task(trial.cluster.ended(server, _ENDS_WITHIN))
    while not ended.done():
        trial.disks[server].fill()
        await asyncio.wait({ended}, timeout=0.5)
    return await ended


@dataclass(frozen=True, slots=True)
class Outage:
    """What there was of a server's end by its full disk: its return ``code``, how many orders had
    been ``answered`` then, how many commands were ``accepted`` while it was down, and which
    services said that they were ``unhealthy``."""

    code: int
    answered: int
    accepted: int
    unhealthy: list[str]


async def outage(trial: Trial, name: str, server: str) -> Outage:
    """Fills the disk until the server has ended, waits for 10 s, makes room, starts it again."""
    accepted = trial.load.ledger.accepted
    async with trial.fault(f"{name}'s disk is full, it ended itself, and 10 s more"):
        code = await full_until_it_ends(trial, server)
        answered, count = trial.load.answered(), len(accepted)
        await asyncio.sleep(10)
        found = Outage(code, answered, len(accepted) - count, await trial.cluster.unhealthy())
        trial.disks[server].free()
        await trial.cluster.start(server)
    return found


@pytest.mark.faults
@pytest.mark.disks
async def test_kafkas_disk_is_full(trials: Trials) -> None:
    async with trials(rate=6, disks={"kafka": 256}) as trial:
        await trial.load.under_way(30)
        before = trial.cluster.pids()

        found = await outage(trial, "Kafka", "kafka")

        await trial.load.under_way(20)
        await trial.end()
        assert found.code != 0
        # What no broker had written down nobody was told to be accepted.
        assert found.accepted == 0
        assert found.unhealthy == []
        assert trial.cluster.pids() == before


@pytest.mark.faults
@pytest.mark.disks
async def test_mongodbs_disk_is_full(trials: Trials) -> None:
    async with trials(rate=6, disks={"mongodb": 768}) as trial:
        await trial.load.under_way(30)
        before = trial.cluster.pids()

        found = await outage(trial, "MongoDB", "mongodb")

        await trial.load.under_way(20)
        await trial.end()
        assert found.code != 0
        # Commands were accepted all the while, and waited.
        assert found.accepted > 0
        assert trial.load.answered() > found.answered
        assert found.unhealthy == []
        assert trial.cluster.pids() == before
