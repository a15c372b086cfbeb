"""Full disks: a server ends, nothing that was accepted is lost, and all goes on afterwards.

Kafka and mongod end themselves when they cannot write. Making room and starting them again is the
operator's part, and in here the test's; nobody touches the services.
"""

import asyncio

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


@pytest.mark.faults
@pytest.mark.disks
async def test_kafkas_disk_is_full(trials: Trials) -> None:
    async with trials(rate=6, disks={"kafka": 256}) as trial:
        accepted = trial.load.ledger.accepted
        await trial.load.under_way(30)
        before = trial.cluster.pids()

        async with trial.fault("Kafka's disk is full, it ended itself, and 10 s more"):
            code = await full_until_it_ends(trial, "kafka")
            count = len(accepted)
            await asyncio.sleep(10)
            more = len(accepted) - count
            unhealthy = await trial.cluster.unhealthy()
            trial.disks["kafka"].free()
            await trial.cluster.start("kafka")

        await trial.load.under_way(20)
        await trial.end()
        assert code != 0
        # What no broker had written down nobody was told to be accepted.
        assert more == 0
        assert unhealthy == []
        assert trial.cluster.pids() == before


@pytest.mark.faults
@pytest.mark.disks
async def test_mongodbs_disk_is_full(trials: Trials) -> None:
    async with trials(rate=6, disks={"mongodb": 768}) as trial:
        accepted = trial.load.ledger.accepted
        await trial.load.under_way(30)
        before = trial.cluster.pids()

        async with trial.fault("MongoDB's disk is full, it ended itself, and 10 s more"):
            code = await full_until_it_ends(trial, "mongodb")
            answered, count = trial.load.answered(), len(accepted)
            await asyncio.sleep(10)
            waiting = len(accepted) - count
            unhealthy = await trial.cluster.unhealthy()
            trial.disks["mongodb"].free()
            await trial.cluster.start("mongodb")

        await trial.load.under_way(20)
        await trial.end()
        assert code != 0
        # Commands were accepted all the while, and waited.
        assert waiting > 0
        assert trial.load.answered() > answered
        assert unhealthy == []
        assert trial.cluster.pids() == before
