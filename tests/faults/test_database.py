"""kill -9 of MongoDB in the middle of writes: alone, and as the primary of three."""

import asyncio

import pytest
from pymongo import AsyncMongoClient

from tests.faults.documents import PREFIX, Client
from tests.faults.trial import Trials

_WRITES = {"op": {"$in": ["insert", "update"]}, "ns": {"$regex": f"^{PREFIX}"}}


async def until_writing(mongodb: str) -> None:
    """Returns while the server carries out a bulk write of a service."""
    client: Client
    async with asyncio.timeout(30), AsyncMongoClient(mongodb) as client:
        while True:
            running = await client.admin.command("currentOp", {"active": True, **_WRITES})
            if running["inprog"]:
                return


@pytest.mark.faults
async def test_a_database_that_was_killed_while_it_wrote(trials: Trials) -> None:
    async with trials() as trial:
        await trial.load.under_way(30)
        before = trial.cluster.pids()

        for _ in range(3):
            async with trial.fault("kill -9 of mongod in a bulk write"):
                await until_writing(trial.cluster.mongodb_url)
                await trial.cluster.down("mongodb")
            await trial.load.under_way(20)

        await trial.end()
        assert trial.cluster.pids() == before


@pytest.mark.faults
async def test_a_database_that_is_down_for_longer_than_its_driver_waits(trials: Trials) -> None:
    async with trials() as trial:
        await trial.load.under_way(30)
        before = trial.cluster.pids()

        async with trial.fault("kill -9 of mongod in a bulk write, down 30 s"):
            await until_writing(trial.cluster.mongodb_url)
            await trial.cluster.kill("mongodb")
            await asyncio.sleep(30)
            unhealthy = await trial.cluster.unhealthy()
            await trial.cluster.start("mongodb")

        await trial.load.under_way(20)
        await trial.end()
        assert trial.cluster.pids() == before
        assert unhealthy == []


@pytest.mark.faults
async def test_a_primary_that_was_killed_is_replaced_by_another_member(trials: Trials) -> None:
    async with trials(members=3) as trial:
        await trial.load.under_way(30)
        before = trial.cluster.pids()
        primary = await trial.cluster.primary()

        async with trial.fault("kill -9 of the primary of three, in a bulk write"):
            await until_writing(trial.cluster.mongodb_url)
            await trial.cluster.kill(primary)

        # The two that are left are a majority.
        assert await trial.cluster.primary() != primary
        await trial.load.under_way(20)
        async with trial.fault("its return"):
            await trial.cluster.start(primary)
        await trial.load.under_way(20)
        await trial.end()
        assert trial.cluster.pids() == before
