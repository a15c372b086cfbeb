"""A MongoDB replica set of several embedded servers, for tests of fail-over."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from shared.embedded import EmbeddedMongoDB
from shared.embedded.mongodb import REPLICA_SET

_LIMIT = 60.0


class Member(EmbeddedMongoDB):
    """A server that is one of several: it has started once it answers, primary or not."""

    async def answers(self) -> bool:
        try:
            async with _direct(self) as client:
                await client.admin.command("ping")
                return True
        except PyMongoError:
            return False


def url_of(members: Sequence[EmbeddedMongoDB]) -> str:
    """What clients of the whole set connect to."""
    return f"mongodb://{','.join(one.address for one in members)}/?replicaSet={REPLICA_SET}"


async def initiate(members: Sequence[Member]) -> None:
    """Makes a set of servers that were just started; returns when one of them is primary.

    The others miss a dead primary after 2 s instead of 10, which would be most of a test's time.
    """
    config = {
        "_id": REPLICA_SET,
        "members": [{"_id": number, "host": one.address} for number, one in enumerate(members)],
        "settings": {"electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 500},
    }
    async with _direct(members[0]) as client:
        await client.admin.command("replSetInitiate", config)
    await primary_of(members)


async def primary_of(members: Sequence[Member]) -> Member:
    """The member that is primary; waits for an election, at most a minute."""
    async with asyncio.timeout(_LIMIT):
        while True:
            for member in members:
                if member.pid is not None and await _is_primary(member):
                    return member
            await asyncio.sleep(0.1)


async def _is_primary(member: Member) -> bool:
    try:
        async with _direct(member) as client:
            return bool((await client.admin.command("hello")).get("isWritablePrimary"))
    except PyMongoError:
        return False


def _direct(member: EmbeddedMongoDB) -> AsyncMongoClient[dict[str, Any]]:
    return AsyncMongoClient(
        f"mongodb://{member.address}/?directConnection=true", serverSelectionTimeoutMS=2_000
    )
