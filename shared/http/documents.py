"""Documents behind the HTTP door: read by pages, changed one at a time, each change told.

A change takes the way that Kafka's commands take, as a batch of one: load, decide, write over the
version that was read, with the event in the same document; then the event is published. A caller
need not wait for Kafka: what is written and not yet published is the relay's, should this process
die.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog
from pymongo.asynchronous.collection import AsyncCollection

from shared.aggregates import Aggregate
from shared.contracts.base import Resource
from shared.contracts.resource_events import ResourceEvents
from shared.endings import end, heed_cancellation
from shared.http.batching import Batched
from shared.http.present import wire_of
from shared.http.query import COLLATION, ListQuery, Page, Totals, run_list
from shared.http.turns import Turns
from shared.messaging.message import Event
from shared.messaging.outbox import OutboxEntry, entries_of
from shared.messaging.publisher import Publisher, RecordTooLarge
from shared.mongo.aggregates import MongoAggregateStore

log = structlog.get_logger()

State = dict[str, Any]
Decide = Callable[[Any], Any]
"""The resource as stored (None where there is none) to the resource to store (None to delete)."""


class Cause(Protocol):
    """Why something is changed: a :class:`shared.http.operations.Call`, mostly. ``id`` is unique,
    ``now`` in UTC, ``trace`` a ``traceparent``."""

    @property
    def id(self) -> str: ...

    @property
    def now(self) -> datetime: ...

    @property
    def trace(self) -> str | None: ...


Stages = Callable[[list[str]], list[dict[str, Any]]]
"""Of the keys of some documents the stages of a pipeline that add what is beside them."""

_TRIES = 50
_MOST_WAITING = 20_000
_AT_ONCE = 500


class Announcing(Protocol):
    """What a document's events are given to once they are written."""

    def announce(self, entries: Sequence[OutboxEntry]) -> None: ...

    def is_published(self, id: str) -> bool: ...


class Announcer:
    """Publishes in the background what was written, in the order in which it was. At the end,
    what still waits has so many seconds of ``patience``."""

    def __init__(self, publisher: Publisher, patience: float = 5.0) -> None:
        self._publisher = publisher
        self._patience = patience
        self._waiting: list[OutboxEntry] = []
        self._more = asyncio.Event()
        self._said = asyncio.Event()
        self._said.set()

    def announce(self, entries: Sequence[OutboxEntry]) -> None:
        """Takes entries whose documents are written. Beyond what a long outage may pile up, they
        are left to the relay."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.extend(entries)
            self._said.clear()
            self._more.set()

    def is_published(self, id: str) -> bool:
        return self._publisher.is_published(id)

    async def run(self) -> None:
        """Publishes until cancelled; waits for Kafka where it does not answer."""
        while True:
            await self._more.wait()
            await self._publish()
            heed_cancellation()

    async def _publish(self) -> None:
        while self._waiting:
            batch = self._waiting[:_AT_ONCE]
            try:
                await self._publisher.publish(batch)
            except RecordTooLarge as error:
                # The relay takes them one by one, and tells which it is.
                log.error("events_left_to_relay", entries=len(batch), error=type(error).__name__)
            del self._waiting[: len(batch)]
        self._more.clear()
        self._said.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Publishes while it is entered, and then what still waits, as long as it has patience."""
        task = asyncio.create_task(self.run(), name="announcer")
        try:
            yield
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await self._said.wait()
            await end([task])


@dataclass(slots=True)
class Stored:
    """What is stored of a resource, by wire names, and what is beside it."""

    state: State | None = None
    beside: dict[str, Any] = field(default_factory=dict)


class Documents:
    """The documents of one kind of resource, in one collection. ``fields`` and ``stages`` are
    those of its :class:`shared.http.kinds.Beside`."""

    def __init__(
        self,
        events: ResourceEvents,
        store: MongoAggregateStore[Any],
        announcer: Announcing,
        fields: Sequence[str] = (),
        stages: Stages | None = None,
    ) -> None:
        self.events = events
        self.store = store
        self._fields = dict.fromkeys(fields, 1)
        self._stages = stages
        self._reader = Batched(self._read)
        self._beside_reader = Batched(self._read_beside)
        self._totals = Totals()
        self._always = f"state.{wire_of(events.stored, events.key[0])}"
        self._announcer = announcer
        self.turns = Turns()
        """For changes that take more than one step; :meth:`change` itself takes no turn."""

    @property
    def collection(self) -> AsyncCollection[dict[str, Any]]:
        return self.store.collection

    async def get(self, key: str) -> State | None:
        """What is stored under ``key``, by wire names; not to be changed, for others may read it
        too."""
        return (await self.read(key)).state

    async def read(self, key: str) -> Stored:
        """As :meth:`get`, with what is beside it."""
        return (await self._reader.of((key,))).get(key) or Stored()

    async def beside(self, keys: Collection[str]) -> list[Mapping[str, Any]]:
        """What is beside the resources with these keys, one after the other."""
        found = await self._beside_reader.of(keys)
        return [found[key].beside if key in found else {} for key in keys]

    async def _read(self, keys: list[str]) -> Mapping[str, Stored]:
        if self._stages is not None:
            return await self._together(keys, {"state": 1})
        cursor = self.collection.find({"_id": {"$in": keys}}, {"state": 1})
        return {document["_id"]: Stored(document["state"]) for document in await cursor.to_list()}

    async def _read_beside(self, keys: list[str]) -> Mapping[str, Stored]:
        return await self._together(keys, {})

    async def _together(self, keys: list[str], own: dict[str, int]) -> Mapping[str, Stored]:
        stages = [] if self._stages is None else self._stages(keys)
        cursor = await self.collection.aggregate(
            [
                {"$match": {"_id": {"$in": keys}}},
                {"$project": {"_id": 1, **own, **self._fields}},
                *stages,
            ]
        )
        found: dict[str, Stored] = {}
        for document in await cursor.to_list():
            of_it = found.setdefault(document.pop("_id"), Stored())
            if "state" in document:
                of_it.state = document.pop("state")
            of_it.beside |= document
        return found

    async def page(self, scope: Mapping[str, Any], query: ListQuery) -> Page:
        """A list's page of what has the values of ``scope``, in the very letters."""
        return await run_list(self.collection, _exact(scope), query, self._totals, self._always)

    async def find(self, fields: Mapping[str, Any], *, limit: int = 0) -> list[State]:
        """All with these values, by wire names (``{"BuyerID": "b"}``, or MongoDB's operators, for
        which letters of either case are equal)."""
        cursor = self.collection.find(_having(fields), {"state": 1, "_id": 0}, collation=COLLATION)
        return [document["state"] async for document in cursor.limit(limit)]

    async def entries(self, fields: Mapping[str, Any], *, limit: int) -> dict[str, State]:
        """As :meth:`find`, by the keys under which they are stored."""
        cursor = self.collection.find(_having(fields), {"state": 1}, collation=COLLATION)
        return {document["_id"]: document["state"] async for document in cursor.limit(limit)}

    async def keys(self, fields: Mapping[str, Any]) -> list[str]:
        cursor = self.collection.find(_having(fields), {"_id": 1}, collation=COLLATION)
        return [document["_id"] async for document in cursor]

    async def count(self, fields: Mapping[str, Any]) -> int:
        return await self.collection.count_documents(_having(fields), collation=COLLATION)

    async def change(self, key: str, decide: Decide, call: Cause) -> Any:
        """Writes what ``decide`` makes of what is stored, and announces it. Returns what is then
        stored. ``decide`` may refuse by raising, and is asked again where another writer was
        faster."""
        changed = await self.change_all([key], decide, call)
        return changed[key]

    async def change_all(self, keys: Sequence[str], decide: Decide, call: Cause) -> dict[str, Any]:
        """:meth:`change` of several documents in one bulk write."""
        return await self._change_all(keys, lambda key, stored: decide(stored), call)

    async def put_all(self, resources: Mapping[str, Any], call: Cause) -> None:
        """Stores all of these by their keys, whatever is there, in one bulk write."""
        await self._change_all(list(resources), lambda key, stored: resources[key], call)

    async def _change_all(
        self, keys: Sequence[str], decide: Callable[[str, Any], Any], call: Cause
    ) -> dict[str, Any]:
        todo = list(dict.fromkeys(keys))
        results: dict[str, Any] = {}
        for _ in range(_TRIES):
            if not todo:
                return results
            aggregates = await self.store.load(todo)
            touched: list[Aggregate[Any]] = []
            for key, aggregate in aggregates.items():
                after = decide(key, aggregate.state)
                results[key] = after
                if after is not aggregate.state:
                    touched.append(self._decided(aggregate, after, call))
            lost = await self.store.save(touched)
            for aggregate in touched:
                if aggregate.id not in lost:
                    self._announcer.announce(aggregate.outbox)
            todo = [key for key in todo if key in lost]
        raise TimeoutError(f"lost {_TRIES} races for {', '.join(todo[:3])}")

    def _decided(self, aggregate: Aggregate[Any], after: Any, call: Cause) -> Aggregate[Any]:
        before: Any = aggregate.state
        aggregate.state = after
        event = Event(
            *(
                self.events.deleted_message(before)
                if after is None
                else self.events.saved_message(after)
            )
        )
        kept = [entry for entry in aggregate.outbox if not self._announcer.is_published(entry.id)]
        aggregate.outbox = kept + entries_of(
            f"{call.id}|{self.events.name}|{aggregate.id}", [event], call.now, call.trace
        )
        return aggregate


def _having(fields: Mapping[str, Any]) -> dict[str, Any]:
    # Indexes are made with the collation of lists, so a query without it would use none of them.
    paths = {f"state.{name}": value for name, value in fields.items()}
    return {**_exact(paths), "state": {"$ne": None}}


def _exact(query: Mapping[str, Any]) -> dict[str, Any]:
    return {
        path: exactly(value) if isinstance(value, str) else value for path, value in query.items()
    }


def exactly(value: str) -> dict[str, Any]:
    """Equal to ``value`` also in a list, where letters of either case are equal. An expression
    asks for the very bytes; the index does not tell them apart."""
    return {"$eq": value, "$regex": f"^{re.escape(value)}$"}


def with_ids(ids: Iterable[str]) -> dict[str, Any]:
    """A scope: what has one of these IDs, in the very letters."""
    wanted = sorted(ids)
    return {"ID": {"$in": wanted}, "$expr": is_among("$state.ID", wanted)}


def is_among(path: str, ids: Iterable[str]) -> dict[str, Any]:
    """The expression that ``path`` is one of ``ids``, in the very letters: bytes are sought,
    which no collation touches."""
    joined = f"/{'/'.join(ids)}/"
    # What was deleted has no such field, and no ID has a line feed.
    sought = {"$concat": ["/", {"$ifNull": [path, "\n"]}, "/"]}
    return {"$gte": [{"$indexOfBytes": [{"$literal": joined}, sought]}, 0]}


def wire(resource: Resource) -> State:
    """A resource by its wire names, as it is stored."""
    return resource.model_dump(exclude_none=True)
