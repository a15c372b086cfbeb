"""Fixtures of all tests: real servers, started when the first test asks for them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from shared.messaging.topics import Topic, create_topics
from tests.support.servers import kafka_server, mongodb_server

NewTopic = Callable[..., Awaitable[str]]
"""``await new_topic("orders", partitions=1, max_message_bytes=...)`` gives the topic's name."""


@pytest.fixture(scope="session")
async def mongodb_url() -> AsyncIterator[str]:
    """The URL of a real MongoDB, a replica set."""
    # Not pytest's temporary folders, which stay for some runs.
    with TemporaryDirectory(prefix="ordermesh-mongodb-") as data:
        async with mongodb_server(Path(data)) as url:
            yield url


@pytest.fixture(scope="session")
async def kafka_address() -> AsyncIterator[str]:
    """The bootstrap address of a real Kafka."""
    with TemporaryDirectory(prefix="ordermesh-kafka-") as data:
        async with kafka_server(Path(data)) as address:
            yield address


@pytest.fixture(scope="session")
async def mongo(mongodb_url: str) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    """A client of the real MongoDB, as the services make theirs."""
    client: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient(mongodb_url, tz_aware=True) as client:
        yield client


@pytest.fixture
async def database_prefix(
    mongo: AsyncMongoClient[dict[str, Any]],
) -> AsyncIterator[str]:
    """A prefix for the names of this test's databases, which are dropped afterwards."""
    prefix = f"test_{uuid4().hex[:12]}"
    yield prefix
    for name in await mongo.list_database_names():
        if name.startswith(prefix):
            await mongo.drop_database(name)


@pytest.fixture
def database(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str
) -> AsyncDatabase[dict[str, Any]]:
    """An empty database of this test alone."""
    return mongo[f"{database_prefix}_own"]


@pytest.fixture
async def new_topic(kafka_address: str) -> AsyncIterator[NewTopic]:
    """Makes topics of this test alone, which are deleted afterwards."""
    made: list[str] = []

    async def make(name: str = "topic", *, partitions: int = 1, **settings: Any) -> str:
        full = f"test.{uuid4().hex[:12]}.{name}"
        topic = Topic(full, retention_ms=-1, **settings)
        await create_topics(kafka_address, partitions=partitions, topics=[topic])
        made.append(full)
        return full

    yield make
    if made:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
        await admin.start()
        try:
            await admin.delete_topics(made)
        finally:
            await admin.close()
