"""An outside system that is no part of Ordermesh and shares no code with it: commands in, events
out, with librdkafka."""

import asyncio
import json
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast
from uuid import uuid4

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    Message,
    Producer,
    TopicPartition,
)

Body = dict[str, Any]
Headers = list[tuple[str, bytes | None]]

EVENT_TOPICS = (
    "catalog.events",
    "accounts.events",
    "orders.events",
    "supplier-orders.events",
    "shipments.events",
    "notifications.events",
    "commands.rejected",
)
DEAD_LETTER_TOPICS = (
    "catalog.commands.dead-letters",
    "catalog.events.dead-letters",
    "accounts.events.dead-letters",
    "orders.commands.dead-letters",
    "orders.events.dead-letters",
    "pricing.requests.dead-letters",
    "pricing.results.dead-letters",
    "forwarding.commands.dead-letters",
    "supplier-orders.events.dead-letters",
    "shipments.commands.dead-letters",
    "shipments.events.dead-letters",
)
COMMAND_TOPICS = {
    "PlaceOrder": "orders.commands",
    "ApproveOrder": "orders.commands",
    "DeclineOrder": "orders.commands",
    "CancelOrder": "orders.commands",
    "AssignSupplier": "forwarding.commands",
    "CreateShipment": "shipments.commands",
    "UpdateShipment": "shipments.commands",
}
_LARGE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it stands on a topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers

    def header(self, name: str) -> str:
        """A header's text. KeyError where there is none."""
        value = dict(self.headers)[name]
        return "" if value is None else value.decode()


@dataclass(frozen=True, slots=True)
class Heard:
    """An event: ``repeats`` of it, same source and ID, are dropped as the contract tells."""

    type: str
    key: str
    id: str
    body: Body
    trace: str | None = None


class OutsideSystem:
    """Sends commands under its own ``ce_source`` and keeps a log of every event."""

    def __init__(
        self,
        kafka: str,
        source: str = "outside",
        *,
        security: Mapping[str, str] | None = None,
        dead_letters: bool = True,
    ) -> None:
        """``security`` are librdkafka's settings for a Kafka that wants them; without
        ``dead_letters`` only what outside systems may read is read."""
        self.source = source
        self._topics = (*EVENT_TOPICS, *(DEAD_LETTER_TOPICS if dead_letters else ()))
        self._security = dict(security or {})
        self.repeats: list[tuple[str, str]] = []
        """Type and key of every event that was heard before under its identity."""
        self.before_sending: Callable[[bytes | None], Awaitable[None]] | None = None
        """What a record waits for before it is sent, by its key; nothing as a rule."""
        self.dead_letters: list[Record] = []
        self._kafka = kafka
        self._heard: dict[tuple[str, str], list[Heard]] = defaultdict(list)
        self._seen: set[tuple[str, str]] = set()
        self._interested: dict[tuple[str, str], list[asyncio.Future[None]]] = defaultdict(list)
        self._news = asyncio.Condition()
        self._closing = threading.Event()
        self._failure: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self._producer = Producer(
            {
                **self._security,
                "bootstrap.servers": kafka,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 1,
                "message.max.bytes": _LARGE,
                "reconnect.backoff.max.ms": 1000,
                # Partitions may be added while it sends.
                "topic.metadata.refresh.interval.ms": 1000,
                "log_level": 0,
            }
        )
        self._thread = threading.Thread(target=self._run, name="outside", daemon=True)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        await asyncio.to_thread(self._thread.join)

    # --- commands ---------------------------------------------------------------------------

    async def command(
        self,
        type: str,
        body: Body,
        *,
        id: str | None = None,
        source: str | None = None,
        key: str | None = None,
        trace: str | None = None,
    ) -> str:
        """Sends a command in binary mode, ``trace`` being its ``traceparent``; returns its
        ``ce_id`` when Kafka took it."""
        id = id if id is not None else uuid4().hex
        headers: Headers = [
            ("ce_specversion", b"1.0"),
            ("ce_type", type.encode()),
            ("ce_source", (source if source is not None else self.source).encode()),
            ("ce_id", id.encode()),
            ("content-type", b"application/json"),
        ]
        if trace is not None:
            headers.append(("traceparent", trace.encode()))
        key = key if key is not None else key_of(type, body)
        topic = COMMAND_TOPICS.get(type, "catalog.commands")
        await self.produce(topic, json.dumps(body).encode(), key.encode(), headers)
        return id

    async def produce(
        self, topic: str, value: bytes | None, key: bytes | None, headers: Headers
    ) -> tuple[int, int]:
        """Sends any record; its partition and offset when Kafka took it."""
        if self.before_sending is not None:
            await self.before_sending(key)
        done: asyncio.Future[tuple[int, int]] = self._loop.create_future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            place = (message.partition() or 0, message.offset() or 0)
            self._loop.call_soon_threadsafe(_settle, done, error, place)

        self._producer.produce(
            topic, value=value, key=key, headers=list(headers), on_delivery=delivered
        )
        return await done

    async def save(self, kind: str, *bodies: Body) -> None:
        """Saves catalogue resources of one kind; returns when they count."""
        await self.save_all((kind, body) for body in bodies)

    async def save_all(self, resources: Iterable[tuple[str, Body]]) -> None:
        """Saves resources of any kinds (kind, body) and waits for their events."""
        resources = list(resources)
        before = [len(self.all(saved(kind, body), body["ID"])) for kind, body in resources]
        await asyncio.gather(*(self.command(f"Save{kind}", body) for kind, body in resources))
        wanted: dict[tuple[str, str], int] = {}
        for (kind, body), count in zip(resources, before, strict=True):
            about = (saved(kind, body), body["ID"])
            wanted[about] = wanted.get(about, count) + 1
        for (type, key), count in wanted.items():
            await self.events(type, key, count)

    async def delete(self, kind: str, id: str) -> None:
        await self.command(f"Delete{kind}", {"ID": id})
        await self.event(f"{kind}Deleted", id)

    # --- events -----------------------------------------------------------------------------

    def all(self, type: str, key: str) -> list[Body]:
        """The bodies of the events of ``type`` under ``key`` so far, oldest first."""
        return [heard.body for heard in self._heard.get((type, key), ())]

    def traces(self, type: str, key: str) -> list[str | None]:
        """The ``traceparent`` of the events of ``type`` under ``key`` so far, oldest first."""
        return [heard.trace for heard in self._heard.get((type, key), ())]

    def types(self, key: str) -> list[str]:
        """How often each type was heard under ``key``, as ``OrderSubmitted x1``."""
        return sorted(
            f"{type} x{len(heard)}" for (type, about), heard in self._heard.items() if about == key
        )

    def forget(self) -> None:
        """Forgets every event so far; what is repeated from then on counts as new."""
        self._heard.clear()
        self._seen.clear()
        self.dead_letters.clear()

    async def events(self, type: str, key: str, count: int, limit: float = 20.0) -> list[Body]:
        """The bodies of the events of ``type`` under ``key`` once there are ``count`` of them.
        AssertionError, with what was heard instead, after ``limit`` seconds."""
        try:
            async with asyncio.timeout(limit):
                while len(self.all(type, key)) < count:
                    await self._next((type, key))
        except TimeoutError:
            raise AssertionError(
                f"after {limit} s no {count} x {type} about {key}, but {self.types(key)}"
                f" {self.all('CommandRejected', key)}"
            ) from None
        return self.all(type, key)

    async def first_of(self, types: Iterable[str], key: str, limit: float = 20.0) -> str:
        """Which of ``types`` is heard first under ``key``."""
        wanted = list(types)
        try:
            async with asyncio.timeout(limit):
                while True:
                    for type in wanted:
                        if self.all(type, key):
                            return type
                    await self._next(*((type, key) for type in wanted))
        except TimeoutError:
            raise AssertionError(
                f"after {limit} s none of {wanted} about {key}, but {self.types(key)}"
            ) from None

    async def _next(self, *abouts: tuple[str, str]) -> None:
        """Returns after the next event about one of them."""
        if self._failure is not None:
            raise self._failure
        heard: asyncio.Future[None] = self._loop.create_future()
        for about in abouts:
            self._interested[about].append(heard)
        await heard

    async def event(self, type: str, key: str, limit: float = 20.0) -> Body:
        """The first event of ``type`` under ``key``."""
        return (await self.events(type, key, 1, limit))[0]

    async def rejection(self, command_id: str, key: str, limit: float = 20.0) -> Body:
        """The ``CommandRejected`` under ``key`` that answers the command with this ``ce_id``."""
        found: list[Body] = []

        def answered() -> bool:
            found[:] = [
                body
                for body in self.all("CommandRejected", key)
                if body["Command"]["ID"] == command_id
            ]
            return bool(found)

        await self.until(
            answered, lambda: f"{command_id} about {key} was not refused: {self.types(key)}", limit
        )
        assert len(found) == 1, found
        return found[0]

    async def until(
        self, condition: Callable[[], bool], otherwise: Callable[[], str], limit: float
    ) -> None:
        """Returns when ``condition`` holds; it is asked again after every event."""
        try:
            async with asyncio.timeout(limit), self._news:
                await self._news.wait_for(lambda: self._failure is not None or condition())
        except TimeoutError:
            raise AssertionError(f"after {limit} s: {otherwise()}") from None
        if self._failure is not None:
            raise self._failure

    def letters(self, topic: str, wanted: Callable[[Record], bool]) -> list[Record]:
        """The dead letters of ``topic`` (without the suffix) that are ``wanted``."""
        return [
            record
            for record in self.dead_letters
            if record.topic == f"{topic}.dead-letters" and wanted(record)
        ]

    # --- the client's own thread ------------------------------------------------------------

    def _run(self) -> None:
        consumer = Consumer(
            {
                **self._security,
                "bootstrap.servers": self._kafka,
                "group.id": f"outside-{uuid4().hex}",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 20,
                "fetch.message.max.bytes": _LARGE,
                # How long a broker was away is the tests' to measure, not this client's to add to.
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,
            }
        )
        try:
            self._read(consumer)
        except Exception as error:
            # The loop's side hears of it with its next look.
            self._loop.call_soon_threadsafe(self._fail, error)
        finally:
            consumer.close()
            self._producer.flush(5)

    def _read(self, consumer: Consumer) -> None:
        known = consumer.list_topics(timeout=20).topics
        consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING)
                for topic in self._topics
                for partition in known[topic].partitions
            ]
        )
        while not self._closing.is_set():
            self._producer.poll(0)
            messages = consumer.consume(500, timeout=0.01)
            taken = [message for message in messages if message.error() is None]
            if taken:
                self._loop.call_soon_threadsafe(self._hear, taken)

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        for about in list(self._interested):
            for heard in self._interested.pop(about):
                if not heard.done():
                    heard.set_exception(error)
        self._wake()

    def _hear(self, messages: list[Message]) -> None:
        for message in messages:
            head = cast(Headers, message.headers() or [])
            record = Record(str(message.topic()), message.key(), message.value(), head)
            if record.topic.endswith(".dead-letters"):
                self.dead_letters.append(record)
            else:
                self._note(record)
        self._wake()

    def _note(self, record: Record) -> None:
        identity = (record.header("ce_source"), record.header("ce_id"))
        type, key = record.header("ce_type"), (record.key or b"").decode()
        if identity in self._seen:
            self.repeats.append((type, key))
            return
        self._seen.add(identity)
        trace = dict(record.headers).get("traceparent")
        heard = Heard(
            type, key, identity[1], json.loads(record.value or b""), trace and trace.decode()
        )
        self._heard[type, key].append(heard)
        for waiting in self._interested.pop((type, key), ()):
            if not waiting.done():
                waiting.set_result(None)

    def _wake(self) -> None:
        async def wake() -> None:
            async with self._news:
                self._news.notify_all()

        task = self._loop.create_task(wake())
        _waking.add(task)
        task.add_done_callback(_waking.discard)


_waking: set[asyncio.Task[None]] = set()


def _settle(
    done: "asyncio.Future[tuple[int, int]]", error: KafkaError | None, place: tuple[int, int]
) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(place)
    else:
        done.set_exception(AssertionError(f"Kafka did not take it: {error}"))


def key_of(type: str, body: Mapping[str, Any]) -> str:
    """The record key that the contract asks for."""
    if type == "PlaceOrder":
        return str(body["Order"]["ID"])
    return str(body["OrderID"] if "OrderID" in body else body["ID"])


def saved(kind: str, body: Mapping[str, Any]) -> str:
    """The event that tells that a resource was saved: what expressions decide has its own."""
    decided = body.get("RuleExpression") or body.get("ValueExpression")
    return f"Expression{kind}Saved" if decided else f"{kind}Saved"
