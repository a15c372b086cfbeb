"""Hand-written stand-ins for MongoDB, Kafka and the clock, and a builder of messages.

The suites in ``tests/contract`` hold the fakes to what the real ones do.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Generic, TypeVar

import bson

from shared.aggregates import Aggregate, Unsent, Versioned
from shared.contracts.base import Resource
from shared.contracts.registry import MessageType
from shared.messaging.inbox import Inbox
from shared.messaging.message import Message, Place
from shared.messaging.outbox import OutboxEntry, entries_in, outbox_fields
from shared.messaging.publisher import Outgoing, RecordTooLarge, headers_of
from shared.mongo.codec import CODEC

S = TypeVar("S", bound=Resource)
B = TypeVar("B", bound=Resource)

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
"""When a fake clock begins, and when offset 0 of the built messages was accepted."""


class FakeClock:
    """A clock that stands still until it is advanced. Call it for the time in UTC."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta | float) -> datetime:
        """Moves the clock by a timedelta or by seconds; returns the new time."""
        self.now += by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self.now


class FakeStore(Generic[S]):
    """An AggregateStore in memory.

    What it keeps goes through BSON and back, as in MongoDB, so that nothing is shared between
    what was saved and what is loaded. ``loads`` and ``saves`` are the IDs of every call, ``found``
    those of all outboxes that were looked for and found.
    """

    def __init__(self, state: type[S]) -> None:
        self.loads: list[list[str]] = []
        self.saves: list[list[str]] = []
        self.found: list[str] = []
        self._state = state
        self._documents: dict[str, bytes] = {}
        self._losing: set[str] = set()
        self._faults: list[tuple[BaseException, bool]] = []
        self._written: dict[str, Unsent] = {}

    def put(self, id: str, state: S | None, outbox: Sequence[OutboxEntry] = ()) -> None:
        """Stores an aggregate as another writer would, over whatever is there."""
        version = self.aggregate(id).version + 1
        self._write(Aggregate(id, version, state, outbox=list(outbox)))

    def state(self, id: str) -> S | None:
        """The stored state; None when there is none."""
        return self.aggregate(id).state

    def aggregate(self, id: str) -> Aggregate[S]:
        """What is stored under ``id``, or a new aggregate."""
        document = self._documents.get(id)
        return Aggregate(id) if document is None else self._read(document)

    def documents(self) -> dict[str, bytes]:
        """Everything stored, as BSON: equal before and after when nothing was changed."""
        return dict(self._documents)

    def lose_next(self, ids: Iterable[str]) -> None:
        """Lets another writer be first at the next save of each of ``ids``: it writes the same
        state again."""
        self._losing.update(ids)

    def fail_next(self, error: BaseException, *, after_write: bool) -> None:
        """Raises ``error`` at the next save: before anything is written, or after everything is,
        as when only the answer is lost. Faults queue up."""
        self._faults.append((error, after_write))

    def calm(self) -> None:
        """Takes back the races and faults that have not come about yet."""
        self._losing.clear()
        self._faults.clear()

    async def load(
        self, ids: Iterable[str], *, presumed_new: Collection[str] = ()
    ) -> dict[str, Aggregate[S]]:
        wanted = list(ids)
        self.loads.append([id for id in wanted if id not in presumed_new])
        return {
            id: Aggregate(id, remembered=True) if id in presumed_new else self.aggregate(id)
            for id in wanted
        }

    def forget(self, ids: Iterable[str]) -> None:
        """Nothing is remembered here."""

    def published(self, aggregates: Sequence[Versioned]) -> None:
        """Nothing is remembered here."""

    async def save(self, aggregates: Sequence[Aggregate[S]]) -> set[str]:
        if not aggregates:
            return set()
        self.saves.append([aggregate.id for aggregate in aggregates])
        error, after_write = self._faults.pop(0) if self._faults else (None, False)
        if error is not None and not after_write:
            raise error
        lost = set()
        for aggregate in aggregates:
            self._written.pop(aggregate.id, None)
            if aggregate.id in self._losing:
                self._losing.remove(aggregate.id)
                stored = self.aggregate(aggregate.id)
                stored.version += 1
                self._write(stored)
            if self.aggregate(aggregate.id).version != aggregate.version:
                lost.add(aggregate.id)
                continue
            written = aggregate.copy()
            written.version += 1
            self._write(written)
        if error is not None:
            raise error
        for aggregate in aggregates:
            if aggregate.id not in lost:
                aggregate.version += 1
                if aggregate.outbox:
                    self._written[aggregate.id] = Unsent.of(aggregate)
        return lost

    async def unsent(self, older_than: datetime, limit: int) -> AsyncIterator[Unsent]:
        waiting = [
            aggregate
            for aggregate in map(self._read, self._documents.values())
            if aggregate.outbox and aggregate.outbox[0].time < older_than
        ]
        for aggregate in sorted(waiting, key=lambda aggregate: aggregate.outbox[0].time)[:limit]:
            self.found.append(aggregate.id)
            yield Unsent.of(aggregate)

    def written(self, older_than: datetime) -> Iterator[Unsent]:
        written = sorted(self._written.values(), key=lambda unsent: unsent.since)
        return (unsent for unsent in written if unsent.since < older_than)

    async def clear(self, aggregates: Sequence[Versioned]) -> None:
        for aggregate in aggregates:
            written = self._written.get(aggregate.id)
            if written is not None and written.version == aggregate.version:
                del self._written[aggregate.id]
            stored = self.aggregate(aggregate.id)
            if stored.version == aggregate.version and stored.version:
                stored.version += 1
                stored.outbox = []
                self._write(stored)

    async def outbox_depth(self) -> int:
        return sum(1 for document in self._documents.values() if self._read(document).outbox)

    async def get(self, id: str) -> S | None:
        """The state of one aggregate, for reading only."""
        return self.state(id)

    def _write(self, aggregate: Aggregate[S]) -> None:
        state = aggregate.state
        self._documents[aggregate.id] = bson.encode(
            {
                "_id": aggregate.id,
                "version": aggregate.version,
                "state": None if state is None else state.model_dump(exclude_none=True),
                "inbox": aggregate.inbox.document(),
                **outbox_fields(aggregate.outbox),
            }
        )

    def _read(self, stored: bytes) -> Aggregate[S]:
        document = bson.decode(stored, CODEC)
        state = document["state"]
        return Aggregate(
            document["_id"],
            document["version"],
            None if state is None else self._state.model_validate(state),
            Inbox.from_document(document["inbox"]),
            entries_in(document),
        )


class FakePublisher:
    """A Publisher that keeps what it is given: ``entries`` published, ``sent`` records, and
    ``records``, all of both as Kafka would get them, in order."""

    def __init__(self, service: str = "tests", largest: int = 8 * 1024 * 1024) -> None:
        self.entries: list[OutboxEntry] = []
        self.sent: list[Outgoing] = []
        self.records: list[Outgoing] = []
        self.committed: set[Place] = set()
        """Where messages stand that the service's group has committed."""
        self._source = f"/ordermesh/{service}"
        self._largest = largest
        self._published: set[str] = set()
        self._faults: list[tuple[BaseException, bool]] = []

    def fail_next(self, error: BaseException, *, after_write: bool = False) -> None:
        """Raises ``error`` at the next call that has something to publish: before anything is
        sent, or after everything is. A process that dies there knows of none as published."""
        self._faults.append((error, after_write))

    def calm(self) -> None:
        """Takes back the faults that have not come about yet."""
        self._faults.clear()

    def forget(self) -> None:
        """Forgets what was published, as a new process has; what was published stays listed."""
        self._published.clear()

    def bodies(self, type: MessageType[B]) -> list[B]:
        """The bodies of all published events of ``type``, in order."""
        return [
            type.body.model_validate_json(entry.body)
            for entry in self.entries
            if (entry.topic, entry.type) == (type.topic, type.name)
        ]

    @property
    def types(self) -> list[str]:
        """The type names of all published events, in order."""
        return [entry.type for entry in self.entries]

    async def publish(self, entries: Iterable[OutboxEntry]) -> None:
        entries = list(entries)
        if not entries:
            return
        records = [
            Outgoing(e.topic, e.key.encode(), e.body.encode(), headers_of(e, self._source))
            for e in entries
        ]
        with_fault = self._take(records)
        self.entries += entries
        if with_fault is not None:
            raise with_fault
        self._published.update(entry.id for entry in entries)

    async def send(self, records: Sequence[Outgoing]) -> None:
        if not records:
            return
        with_fault = self._take(records)
        self.sent += records
        if with_fault is not None:
            raise with_fault

    def is_published(self, entry_id: str) -> bool:
        return entry_id in self._published

    async def told_by_others(self, entries: Iterable[OutboxEntry]) -> set[str]:
        return {entry.id for entry in entries if entry.place in self.committed}

    def _take(self, records: Sequence[Outgoing]) -> BaseException | None:
        """Keeps the records; returns the fault to raise afterwards, if any."""
        error, after_write = self._faults.pop(0) if self._faults else (None, False)
        if error is not None and not after_write:
            raise error
        for record in records:
            if len(record.value or b"") > self._largest:
                raise RecordTooLarge(f"{len(record.value or b'')} bytes")
        self.records += [
            replace(record, key=b"") if record.key is None and record.value is None else record
            for record in records
        ]
        return error


_offsets = count()


def message(
    type: MessageType[B],
    body: B | Mapping[str, Any],
    *,
    id: str | None = None,
    source: str = "/tests",
    key: str | None = None,
    topic: str | None = None,
    partition: int = 0,
    offset: int | None = None,
    accepted: datetime | None = None,
    trace: str | None = None,
) -> Message[B]:
    """A decoded message. ``body`` is the model or its JSON as a mapping with wire names.

    Without an ``offset`` each message gets the next one; ID and time of acceptance follow from
    the offset, the key from the body. A type made by ``reading()`` needs its ``key`` said.
    """
    if not isinstance(body, Resource):
        body = type.body.model_validate(body)
    at = next(_offsets) if offset is None else offset
    return Message(
        type=type,
        body=body,
        id=f"m-{at}" if id is None else id,
        source=source,
        key=type.key(body) if key is None else key,
        topic=type.topic if topic is None else topic,
        partition=partition,
        offset=at,
        accepted=START + timedelta(milliseconds=at) if accepted is None else accepted,
        value=body.model_dump_json(exclude_none=True).encode(),
        trace=trace,
    )
