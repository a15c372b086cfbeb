"""The embedded Kafka and MongoDB, for real, and shared by all tests of this module."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient
from pymongo.write_concern import WriteConcern

from shared.embedded import (
    DataFolder,
    EmbeddedKafka,
    EmbeddedMongoDB,
    EmbeddedServerError,
    Supervisor,
    free_port,
)
from shared.embedded.jars import MIRROR, kafka_jars


class Servers:
    """Both servers under one supervisor, in one data folder."""

    def __init__(self, folder: DataFolder) -> None:
        self.supervisor = Supervisor(first_delay=0.05)
        self.kafka = EmbeddedKafka(folder.path / "kafka", folder.port("kafka"))
        self.mongodb = EmbeddedMongoDB(folder.path / "mongodb", folder.port("mongodb"))

    async def kill(self, name: str) -> None:
        """Kill one and wait until the supervisor has it running again."""
        pid = self.supervisor.pids[name]
        assert pid is not None
        restarts = self.supervisor.restarts[name]
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while self.supervisor.restarts[name] == restarts:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    made = Servers(DataFolder(tmp_path_factory.mktemp("embedded")))
    try:
        await made.supervisor.start("mongodb", made.mongodb)
        await made.supervisor.start("kafka", made.kafka)
        yield made
    finally:
        await made.supervisor.stop()


def connect(mongodb: EmbeddedMongoDB) -> AsyncMongoClient[dict[str, Any]]:
    return AsyncMongoClient(mongodb.url)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has reaped yet counts as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def create_topic(kafka: EmbeddedKafka, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def produce(kafka: EmbeddedKafka, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.address, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def consume(kafka: EmbeddedKafka, topic: str) -> list[bytes]:
    """All that the topic holds, after its first record has arrived."""
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=kafka.address, auto_offset_reset="earliest"
    ) as consumer:
        first = await asyncio.wait_for(consumer.getone(), 20)
        rest = await consumer.getmany(timeout_ms=300)
    return [first.value, *(record.value for records in rest.values() for record in records)]


async def test_kafka_keeps_what_it_acknowledged_over_kill_9(servers: Servers) -> None:
    await create_topic(servers.kafka, "kept")
    await produce(servers.kafka, "kept", b"before")

    await servers.kill("kafka")

    await produce(servers.kafka, "kept", b"after")
    assert await consume(servers.kafka, "kept") == [b"before", b"after"]


async def test_mongodb_keeps_majority_writes_over_kill_9(servers: Servers) -> None:
    async with connect(servers.mongodb) as client:
        orders = client.get_database("kept", write_concern=WriteConcern("majority", j=True)).orders
        await orders.insert_one({"_id": 1})

        await servers.kill("mongodb")

        # The same client goes on: the address is the same, and it waits for the primary.
        await orders.insert_one({"_id": 2})
        assert [order["_id"] async for order in orders.find().sort("_id")] == [1, 2]


async def test_a_topic_is_not_made_by_asking_for_it(servers: Servers) -> None:
    async with AIOKafkaConsumer(bootstrap_servers=servers.kafka.address) as consumer:
        assert "never-made" not in await consumer.topics()


@pytest.mark.parametrize("kind", [EmbeddedKafka, EmbeddedMongoDB])
async def test_a_taken_port_is_named(
    kind: type[EmbeddedKafka | EmbeddedMongoDB], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(EmbeddedServerError, match=f"{port}.*taken"):
            await kind(tmp_path, port).start()


async def test_a_registry_that_does_not_answer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRROR, f"http://127.0.0.1:{free_port()}/maven")

    with pytest.raises(EmbeddedServerError, match=f"could not be downloaded.*{MIRROR}"):
        await asyncio.to_thread(kafka_jars, tmp_path)


async def test_a_jar_that_is_not_the_locked_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"something else")

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Forger) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv(MIRROR, f"http://127.0.0.1:{server.server_port}")

        with pytest.raises(EmbeddedServerError, match="not the one that Ordermesh was tested with"):
            await asyncio.to_thread(kafka_jars, tmp_path)

        server.shutdown()
    assert not list(tmp_path.rglob("*.jar"))


async def test_a_folder_in_use_is_named(servers: Servers) -> None:
    second = EmbeddedMongoDB(servers.mongodb.data, free_port())

    with pytest.raises(EmbeddedServerError, match="Another process uses the data folder"):
        await second.start()

    assert second.pid is None


async def test_mongodb_opens_its_folder_on_another_port(tmp_path: Path) -> None:
    async with (
        EmbeddedMongoDB(tmp_path, free_port(), cache_mb=256) as first,
        connect(first) as client,
    ):
        await client.kept.orders.insert_one({"_id": 1})

    async with (
        EmbeddedMongoDB(tmp_path, free_port(), cache_mb=256) as second,
        connect(second) as client,
    ):
        assert await client.kept.orders.count_documents({}) == 1


async def test_a_parent_killed_with_sigkill_leaves_no_server(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys\n"
        "from shared.embedded import EmbeddedMongoDB, free_port\n"
        "async def main():\n"
        "    data = pathlib.Path(sys.argv[1])\n"
        "    async with EmbeddedMongoDB(data, free_port(), cache_mb=256) as mongodb:\n"
        "        print(mongodb.pid, flush=True)\n"
        "        await mongodb.wait()\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen(  # noqa: ASYNC220 - it is killed from outside any loop
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    assert psutil.Process(pid).name() == "mongod"

    parent.kill()
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 10
    while not gone(pid):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
