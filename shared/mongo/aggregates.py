"""Aggregates: one document each, holding state, inbox and outbox.

A change of state, the note of the message that caused it and the events that follow from it are
one write of one document, so no transaction spans documents and nothing ties an aggregate to a
shard. Documents look like this::

    {_id, version, writer, state: {...} | null,
     inbox: {ids: [...], marks: [[topic, partition, offset, milliseconds], ...]},
     outbox: [{ID, Topic, Type, Key, Time, Body, Trace?, Place?}, ...], bodies?: binary,
     outbox_at?: time of the oldest entry, gone_at?: since when there is no state}

A write names the version that it was computed from; ``writer`` is unique to the write, so that
reading back tells who won.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import uuid4

from pymongo import ASCENDING, IndexModel, UpdateMany, WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from shared.aggregates import Aggregate, IdentifierTaken, Unsent, Versioned
from shared.contracts.base import Resource
from shared.messaging.inbox import Inbox
from shared.messaging.outbox import entries_in, outbox_fields
from shared.mongo.cache import Cache
from shared.mongo.codec import CODEC
from shared.mongo.dumping import bson_of
from shared.mongo.writes import Writes

S = TypeVar("S", bound=Resource)

DURABLE = WriteConcern(w="majority", j=True)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPTIONAL = ("bodies", "outbox_at", "gone_at")
_KEEP_GONE = timedelta(days=7)
_MOST_WRITTEN = 20_000
"""Outboxes that a store remembers to have written."""


class MongoAggregateStore(Generic[S]):
    """Aggregates of one kind in one collection.

    ``whole``: nobody keeps fields of their own in these documents.

    Keeps aggregates that it wrote itself, up to ``cache`` bytes of documents, which take about
    twice that in memory; a stale one loses its next write by version and is then read again.
    """

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        name: str,
        state: type[S],
        *,
        indexes: Sequence[IndexModel] = (),
        cache: int = 0,
        whole: bool = False,
    ) -> None:
        self.collection: AsyncCollection[dict[str, Any]] = database.get_collection(
            name, codec_options=CODEC, write_concern=DURABLE
        )
        self._state = state
        self._indexes = indexes
        self._whole = whole
        self._cache: Cache[Aggregate[S]] = Cache(cache)
        self._written: OrderedDict[str, Unsent] = OrderedDict()

    async def create_indexes(self) -> None:
        await self.collection.create_indexes(
            [
                IndexModel([("outbox_at", ASCENDING)], sparse=True),
                IndexModel(
                    [("gone_at", ASCENDING)],
                    sparse=True,
                    expireAfterSeconds=int(_KEEP_GONE.total_seconds()),
                ),
                *self._indexes,
            ]
        )

    async def load(
        self, ids: Iterable[str], *, presumed_new: Collection[str] = ()
    ) -> dict[str, Aggregate[S]]:
        found: dict[str, Aggregate[S]] = {}
        missing = []
        for id in ids:
            cached = self._cache.get(id)
            if cached is not None:
                found[id] = cached.copy()
                found[id].remembered = True
            elif id in presumed_new:
                found[id] = Aggregate(id, remembered=True)
            else:
                missing.append(id)
                found[id] = Aggregate(id)
        if missing:
            async for document in self.collection.find({"_id": {"$in": missing}}):
                found[document["_id"]] = self._read(document)
        return found

    def forget(self, ids: Iterable[str]) -> None:
        for id in ids:
            self._cache.drop(id)

    async def save(self, aggregates: Sequence[Aggregate[S]]) -> set[str]:
        if not aggregates:
            return set()
        writer = uuid4().hex
        writes = Writes(optional=_OPTIONAL, whole=self._whole)
        updated = 0
        sizes = []
        self.forget(aggregate.id for aggregate in aggregates)
        for aggregate in aggregates:
            self._written.pop(aggregate.id, None)
            document = self._document(aggregate, writer)
            if aggregate.version == 0:
                sizes.append(writes.insert(document))
            else:
                sizes.append(writes.replace(aggregate.version, document))
                updated += 1
        outcome = await writes.execute(self.collection)
        lost, taken = outcome.lost, outcome.taken
        if outcome.replaced < updated:
            lost |= await self._lost_races(aggregates, writer) - taken
        for aggregate, size in zip(aggregates, sizes, strict=True):
            if aggregate.id not in lost and aggregate.id not in taken:
                aggregate.version += 1
                aggregate.stored = aggregate.state
                self._remember(aggregate, size)
        while len(self._written) > _MOST_WRITTEN:
            self._written.popitem(last=False)
        if taken:
            raise IdentifierTaken(taken, lost)
        return lost

    def published(self, aggregates: Sequence[Versioned]) -> None:
        for aggregate in aggregates:
            cached = self._cache.get(aggregate.id)
            if cached is not None and cached.version == aggregate.version:
                cached.outbox = []

    async def unsent(self, older_than: datetime, limit: int) -> AsyncIterator[Unsent]:
        # Without the bodies: nearly all of these are published and only have to be cleared.
        query = self.collection.find(
            {"outbox_at": {"$lt": older_than}}, {"version": 1, "outbox.ID": 1, "outbox.Time": 1}
        )
        async for document in query.sort("outbox_at", ASCENDING).limit(limit):
            entries = {entry["ID"]: entry["Time"] for entry in document["outbox"]}
            yield Unsent(document["_id"], document["version"], entries)

    def written(self, older_than: datetime) -> Iterator[Unsent]:
        for unsent in self._written.values():
            if unsent.since >= older_than:
                return
            yield unsent

    async def clear(self, aggregates: Sequence[Versioned]) -> None:
        if not aggregates:
            return
        by_version: dict[int, list[str]] = {}
        for aggregate in aggregates:
            by_version.setdefault(aggregate.version, []).append(aggregate.id)
        # Versions are few: one operation for each is cheaper than one for each aggregate.
        result = await self.collection.bulk_write(
            [
                UpdateMany(
                    {"_id": {"$in": ids}, "version": version},
                    {
                        "$set": {"outbox": []},
                        "$unset": {"bodies": "", "outbox_at": ""},
                        "$inc": {"version": 1},
                    },
                )
                for version, ids in by_version.items()
            ],
            ordered=False,
        )
        all_cleared = result.matched_count == len(aggregates)
        for aggregate in aggregates:
            written = self._written.get(aggregate.id)
            if written is not None and written.version == aggregate.version:
                del self._written[aggregate.id]
            cached = self._cache.get(aggregate.id)
            if cached is None or cached.version != aggregate.version:
                continue
            if all_cleared:
                cached.version += 1
                cached.outbox = []
            else:
                # It may be one that another instance has written meanwhile: counted up without
                # its change, it would pass for that instance's version.
                self._cache.drop(aggregate.id)

    async def outbox_depth(self) -> int:
        return await self.collection.count_documents({"outbox_at": {"$gt": _EPOCH}})

    async def get(self, id: str) -> S | None:
        """The state of one aggregate, for reading only."""
        document = await self.collection.find_one({"_id": id}, {"state": 1})
        if document is None or document["state"] is None:
            return None
        return self._state.model_validate(document["state"])

    def _remember(self, aggregate: Aggregate[S], size: int) -> None:
        if aggregate.outbox:
            self._written[aggregate.id] = Unsent.of(aggregate)
        if size <= self._cache.limit:
            self._cache.put(aggregate.id, aggregate.copy(), size)

    def _document(self, aggregate: Aggregate[S], writer: str) -> dict[str, Any]:
        state = aggregate.state
        document: dict[str, Any] = {
            "_id": aggregate.id,
            "version": aggregate.version + 1,
            "writer": writer,
            "state": None if state is None else bson_of(state, kept=self._cache.limit > 0),
            "inbox": aggregate.inbox.document(),
            **outbox_fields(aggregate.outbox),
        }
        if aggregate.outbox:
            document["outbox_at"] = aggregate.outbox[0].time
        if state is None:
            document["gone_at"] = datetime.now(UTC)
        return document

    def _read(self, document: dict[str, Any]) -> Aggregate[S]:
        stored = document["state"]
        state = None if stored is None else self._state.model_validate(stored)
        return Aggregate(
            document["_id"],
            document["version"],
            state,
            Inbox.from_document(document["inbox"]),
            entries_in(document),
            stored=state,
        )

    async def _lost_races(self, aggregates: Sequence[Aggregate[S]], writer: str) -> set[str]:
        # A bulk write counts what it matched but does not say which filter missed.
        ids = [aggregate.id for aggregate in aggregates if aggregate.version]
        query = {"_id": {"$in": ids}, "writer": writer}
        won = {document["_id"] async for document in self.collection.find(query, {"_id": 1})}
        return set(ids) - won
