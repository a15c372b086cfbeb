"""Where the tests find a real Kafka and a real MongoDB.

In this order: what ``ORDERMESH_KAFKA`` and ``ORDERMESH_MONGODB`` name, containers where a Docker
engine answers, the embedded servers. What was started here is stopped and removed at the end.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from shared.embedded import EmbeddedKafka, EmbeddedMongoDB, free_port

_KAFKA_IMAGE = "apache/kafka:4.3.0"
_MONGODB_IMAGE = "mongo:8"
_LIMIT = 120.0


@asynccontextmanager
async def kafka_server(data: Path) -> AsyncIterator[str]:
    """The bootstrap address of a Kafka; an embedded one keeps its files in ``data``."""
    given = os.environ.get("ORDERMESH_KAFKA")
    if given:
        yield given
    elif await asyncio.to_thread(docker_answers):
        port = free_port()
        async with _container(_KAFKA_IMAGE, port, environment=_kafka_environment(port)):
            await _until_kafka_answers(f"127.0.0.1:{port}")
            yield f"127.0.0.1:{port}"
    else:
        async with EmbeddedKafka(data, free_port()) as kafka:
            yield kafka.address


@asynccontextmanager
async def mongodb_server(data: Path) -> AsyncIterator[str]:
    """The URL of a MongoDB replica set; an embedded one keeps its files in ``data``."""
    given = os.environ.get("ORDERMESH_MONGODB")
    if given:
        yield given
    elif await asyncio.to_thread(docker_answers):
        port = free_port()
        command = f"mongod --port {port} --replSet ordermesh --bind_ip_all"
        async with _container(_MONGODB_IMAGE, port, command=command):
            await _initiate_replica_set(f"127.0.0.1:{port}")
            yield f"mongodb://127.0.0.1:{port}/?replicaSet=ordermesh"
    else:
        async with EmbeddedMongoDB(data, free_port(), cache_mb=256) as mongodb:
            yield mongodb.url


def docker_answers() -> bool:
    """Whether containers can be started here: testcontainers is installed and an engine answers."""
    try:
        import docker  # type: ignore[import-untyped]
        import testcontainers.core.container  # noqa: F401
    except ImportError:
        return False
    try:
        client = docker.from_env(timeout=3)
    except docker.errors.DockerException:
        return False
    try:
        return bool(client.ping())
    except (docker.errors.DockerException, OSError):
        return False
    finally:
        client.close()


@asynccontextmanager
async def _container(
    image: str, port: int, *, command: str = "", environment: Mapping[str, str] | None = None
) -> AsyncIterator[None]:
    """A container whose server listens on ``port`` inside and out, so that the address which it
    names to its clients is the one that they reach it at."""
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(image).with_bind_ports(port, port)
    if command:
        container = container.with_command(command)
    for name, value in (environment or {}).items():
        container = container.with_env(name, value)
    await asyncio.to_thread(container.start)
    try:
        yield
    finally:
        await asyncio.to_thread(container.stop)


def _kafka_environment(port: int) -> dict[str, str]:
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }


async def _until_kafka_answers(address: str) -> None:
    async with asyncio.timeout(_LIMIT):
        while True:
            client = AIOKafkaClient(bootstrap_servers=address, request_timeout_ms=2_000)
            try:
                await client.bootstrap()
                return
            except KafkaError:
                await asyncio.sleep(0.2)
            finally:
                await client.close()


async def _initiate_replica_set(address: str) -> None:
    members = [{"_id": 0, "host": address}]
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        f"mongodb://{address}/?directConnection=true", serverSelectionTimeoutMS=2_000
    )
    async with asyncio.timeout(_LIMIT), client:
        while True:
            try:
                hello = await client.admin.command("hello")
                if hello.get("isWritablePrimary"):
                    return
                if "setName" not in hello:
                    await client.admin.command(
                        "replSetInitiate", {"_id": "ordermesh", "members": members}
                    )
            except PyMongoError:
                # Not up yet, or just electing itself.
                pass
            await asyncio.sleep(0.2)
