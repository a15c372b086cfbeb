"""A service on a real Kafka and a real MongoDB: accounts, the smallest."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from pymongo import AsyncMongoClient

from services.runtime import RunningService
from shared.clock import SharedClock, mongodb_time
from shared.messaging.decode import REKEYED_FROM
from shared.messaging.topics import create_topics
from shared.metrics import Metrics
from shared.settings import Settings

COMMANDS, EVENTS = "catalog.commands", "catalog.events"
DEAD_LETTERS = "catalog.commands.dead-letters"
GROUP = "ordermesh-accounts"
LIMIT = 30.0

Records = list[ConsumerRecord[bytes, bytes]]


class Rig:
    """The accounts service, which can be started again, and both ends of its topics.

    The topics may hold what other tests sent: every test has its own ``id`` for what it sends.
    """

    def __init__(
        self,
        settings: Settings,
        mongo: AsyncMongoClient[dict[str, Any]],
        producer: AIOKafkaProducer,
    ) -> None:
        self.id = f"t-{uuid4().hex[:12]}"
        self._settings = settings
        self._mongo = mongo
        self._producer = producer
        self._running: RunningService | None = None

    async def start(self) -> None:
        clock = SharedClock(mongodb_time(self._mongo))
        self._running = RunningService(
            "accounts", self._settings, Metrics(), self._mongo, clock, asyncio.Event()
        )
        await asyncio.wait_for(self._running.start(), LIMIT)

    async def stop(self) -> None:
        if self._running is not None:
            await asyncio.wait_for(self._running.stop(), LIMIT)
            self._running = None

    async def send(
        self,
        name: str,
        type: str | None = "SaveBuyer",
        *,
        value: bytes | None = None,
        key: bytes | None = b"",
        headers: tuple[tuple[str, bytes | None], ...] = (),
    ) -> None:
        """Sends a command for the buyer ``{id}-{name}``, under its key unless another is given."""
        id = f"{self.id}-{name}"
        if value is None:
            value = json.dumps({"ID": id, "Name": name}).encode()
        typed = [] if type is None else [("ce_type", type.encode())]
        sent = [*typed, ("ce_source", b"/tests"), *headers]
        await self._producer.send_and_wait(
            COMMANDS, value, key=id.encode() if key == b"" else key, headers=sent
        )

    async def send_tombstone(self, name: str) -> None:
        await self._producer.send_and_wait(COMMANDS, None, key=f"{self.id}-{name}".encode())

    async def documents(self) -> dict[str, dict[str, Any]]:
        """The stored buyers of this test, by name."""
        buyers = self._mongo[self._settings.database("accounts")].buyers
        found = buyers.find({"_id": {"$regex": f"^{self.id}-"}})
        return {d["_id"].removeprefix(f"{self.id}-"): d async for d in found}

    async def until_stored(self, *names: str) -> None:
        async def stored() -> bool:
            return set(names) <= (await self.documents()).keys()

        await until(stored)

    async def read(self, topic: str) -> Records:
        """All records on ``topic`` that concern this test."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka, enable_auto_commit=False
        ) as consumer:
            places = await self._places(topic)
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            ends = await consumer.end_offsets(places)
            found: Records = []
            async with asyncio.timeout(LIMIT):
                while any([await consumer.position(p) < end for p, end in ends.items()]):
                    for records in (await consumer.getmany(timeout_ms=100)).values():
                        found += records
        return [r for r in found if self.id.encode() in (r.key or b"") + (r.value or b"")]

    async def events(self) -> list[tuple[str, str, str]]:
        """Type, name and ``ce_id`` of every event of this test, by name."""
        found = []
        for event in await self.read(EVENTS):
            headers = dict(event.headers)
            name = json.loads(event.value)["ID"].removeprefix(f"{self.id}-")
            found.append((headers["ce_type"].decode(), name, headers["ce_id"].decode()))
        return sorted(found, key=lambda event: event[1])

    async def rewind(self) -> None:
        """Lets the group begin again with all commands that there are. The service is stopped."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka, group_id=GROUP, enable_auto_commit=False
        ) as consumer:
            places = await self._places(COMMANDS)
            consumer.assign(places)
            await consumer.commit(await consumer.beginning_offsets(places))

    async def until_caught_up(self) -> None:
        """Waits until the service has committed everything that is on its topic."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka, group_id=GROUP, enable_auto_commit=False
        ) as consumer:
            places = await self._places(COMMANDS)
            consumer.assign(places)
            ends = await consumer.end_offsets(places)

            async def caught_up() -> bool:
                committed = [await consumer.committed(place) or 0 for place in places]
                return all(done >= ends[at] for done, at in zip(committed, places, strict=True))

            await until(caught_up)

    async def _places(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, n) for n in await self._producer.partitions_for(topic)]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT):
        while not await condition():  # noqa: ASYNC110 - what is waited for is another process's
            await asyncio.sleep(0.05)


@pytest.fixture
async def rig(
    kafka_address: str,
    mongodb_url: str,
    mongo: AsyncMongoClient[dict[str, Any]],
    database_prefix: str,
) -> AsyncIterator[Rig]:
    await create_topics(kafka_address)
    settings = Settings(
        kafka=kafka_address,
        mongodb=mongodb_url,
        database_prefix=database_prefix,
        session_timeout_ms=6_000,
    )
    async with AIOKafkaProducer(bootstrap_servers=kafka_address, acks="all") as producer:
        made = Rig(settings, mongo, producer)
        await made.start()
        try:
            yield made
        finally:
            await made.stop()


async def test_commands_become_documents_and_events(rig: Rig) -> None:
    for n in range(20):
        await rig.send(f"b{n:02}")

    await rig.until_stored(*(f"b{n:02}" for n in range(20)))
    await rig.until_caught_up()

    documents = await rig.documents()
    assert documents["b07"]["state"] == {"ID": f"{rig.id}-b07", "Name": "b07", "Active": True}
    assert {document["version"] for document in documents.values()} == {1}
    await rig.stop()
    assert [event[:2] for event in await rig.events()] == [
        ("BuyerSaved", f"b{n:02}") for n in range(20)
    ]


async def test_a_replay_of_the_whole_topic_changes_nothing(rig: Rig) -> None:
    await rig.send("a")
    await rig.send("b")
    await rig.send("a", "DeleteBuyer")
    await rig.until_stored("a", "b")
    await until(lambda: _is_gone(rig, "a"))
    await rig.until_caught_up()
    await rig.stop()
    before, events = _lasting(await rig.documents()), await rig.events()

    await rig.rewind()
    await rig.start()
    await rig.until_caught_up()
    await rig.stop()

    assert _lasting(await rig.documents()) == before
    assert {event[2] for event in await rig.events()} == {event[2] for event in events}
    assert len({event[2] for event in events}) == 3


async def _is_gone(rig: Rig, name: str) -> bool:
    return (await rig.documents())[name]["state"] is None


def _lasting(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a replay must leave alone: not the outboxes, which are cleared in time."""
    return {name: (d["state"], d["inbox"]) for name, d in documents.items()}


async def test_what_cannot_be_read_is_set_aside_and_its_neighbours_are_applied(rig: Rig) -> None:
    junk = f"not JSON of {rig.id}".encode()
    key = f"{rig.id}-same".encode()
    await rig.send("before", key=None)
    await rig.send("junk", key=key, value=junk, headers=(("note", b"kept"),))
    await rig.send("null", key=key, headers=(("note", None),))
    await rig.send("binary", key=key, headers=(("note", b"\xff\xfe"),))
    await rig.send("untyped", None, key=key)
    await rig.send("unknown", "SaveBuyers", key=key)
    await rig.send("after")

    await rig.until_stored("before", "after")
    await rig.until_caught_up()

    await rig.stop()
    assert (await rig.documents()).keys() == {"before", "after"}
    letters = await rig.read(DEAD_LETTERS)
    assert [(dict(letter.headers)["dl_topic"], letter.key) for letter in letters] == [
        (b"catalog.commands", key)
    ] * 5
    unread, null, binary, untyped, unknown = letters
    assert unread.value == junk
    assert dict(unread.headers)["note"] == b"kept"
    assert [dict(letter.headers)["note"] for letter in (null, binary)] == [None, b"\xff\xfe"]
    errors = [dict(letter.headers)["dl_error"].decode() for letter in letters]
    assert [error.split(":")[0].split(";")[0] for error in errors] == [
        "not a SaveBuyer",
        "a header is null or not UTF-8",
        "a header is null or not UTF-8",
        "no ce_type header",
        "unknown ce_type 'SaveBuyers'",
    ]
    assert all(letter.value for letter in (untyped, unknown))


async def test_a_record_of_nothing_stops_nobody(rig: Rig) -> None:
    await rig.send_tombstone("gone")
    await rig.send("after")

    await rig.until_stored("after")
    await rig.until_caught_up()

    await rig.stop()
    (letter,) = await rig.read(DEAD_LETTERS)
    assert (letter.key, letter.value) == (f"{rig.id}-gone".encode(), None)


async def test_a_keyless_command_is_moved_once(rig: Rig) -> None:
    await rig.send("keyless", key=None)
    await rig.send("wrong", key=f"{rig.id}-other".encode())

    await rig.until_stored("keyless", "wrong")

    await rig.stop()
    commands = await rig.read(COMMANDS)
    moved = [record for record in commands if REKEYED_FROM in dict(record.headers)]
    assert sorted(record.key.decode() for record in moved) == [
        f"{rig.id}-keyless",
        f"{rig.id}-wrong",
    ]
    assert len(commands) == 4
    assert [event[:2] for event in await rig.events()] == [
        ("BuyerSaved", "keyless"),
        ("BuyerSaved", "wrong"),
    ]


async def test_what_is_sent_while_it_is_down_is_done_when_it_is_back(rig: Rig) -> None:
    await rig.stop()
    await rig.send("a")

    await rig.start()

    await rig.until_stored("a")
