"""A marketplace with something behind every operation."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from services.api import MOUNTED
from tests.support.world import World, world_of


@pytest.fixture(scope="module")
async def world(mongo: AsyncMongoClient[dict[str, Any]]) -> AsyncIterator[World]:
    """Of all tests in a module."""
    prefix = f"test_{uuid4().hex[:12]}"
    async with world_of(mongo, prefix, MOUNTED) as made:
        yield made
    for name in await mongo.list_database_names():
        if name.startswith(prefix):
            await mongo.drop_database(name)
