"""Databases for tests of the HTTP API, and a marketplace with something behind every operation."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from services.names import MOUNTED
from tests.support.world import World, world_of

Mongo = AsyncMongoClient[dict[str, Any]]


@pytest.fixture(scope="session")
async def http_databases(mongo: Mongo) -> AsyncIterator[str]:
    """A prefix for the databases of all these tests: making some hundred indexes takes longer
    than most of the tests, and emptying collections next to nothing."""
    prefix = f"test_{uuid4().hex[:12]}"
    yield prefix
    await _drop(mongo, prefix)


@pytest.fixture
async def database_prefix(mongo: Mongo, http_databases: str) -> AsyncIterator[str]:
    """The prefix of databases without documents."""
    yield http_databases
    for name in await _databases(mongo, http_databases):
        database = mongo[name]
        for collection in await database.list_collection_names():
            await database[collection].delete_many({})


@pytest.fixture(scope="module")
async def world(mongo: Mongo) -> AsyncIterator[World]:
    """Of all tests in a module."""
    prefix = f"test_{uuid4().hex[:12]}"
    async with world_of(mongo, prefix, MOUNTED) as made:
        yield made
    await _drop(mongo, prefix)


async def _drop(mongo: Mongo, prefix: str) -> None:
    for name in await _databases(mongo, prefix):
        await mongo.drop_database(name)


async def _databases(mongo: Mongo, prefix: str) -> list[str]:
    return [name for name in await mongo.list_database_names() if name.startswith(prefix)]
