"""The documents of every service, read in pages by their IDs."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pymongo import ASCENDING, AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from services.checkout.domain.state import OrderState
from services.forwarding.domain import Forwarding
from services.pricing.quotes import Quote
from services.reconcile.findings import Finding
from services.shipments.ledger import Ledger
from services.shipments.shipment import ShipmentState
from shared.contracts.base import Resource
from shared.messaging.outbox import OutboxEntry, entries_in
from shared.mongo.codec import CODEC
from shared.settings import Settings

S = TypeVar("S", bound=Resource)

PAGE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

WITH_OUTBOX = (
    ("accounts", "suppliers"),
    ("accounts", "buyers"),
    ("checkout", "orders"),
    ("checkout", "approval_rules"),
    ("forwarding", "forwardings"),
    ("shipments", "shipments"),
    ("pricing", "products"),
    ("pricing", "price_schedules"),
    ("pricing", "promotions"),
    ("pricing", "locations"),
    ("pricing", "sourcing_rules"),
    ("pricing", "allotments"),
    ("pricing", "quotes"),
    ("notifications", "webhooks"),
    ("notifications", "deliveries"),
)
"""Every collection (service, name) whose documents tell the world of their changes."""


@dataclass(frozen=True, slots=True)
class Kept(Generic[S]):
    """A document. ``changed`` is the time (UTC) of the latest message that it took in or tells
    of; ``seen`` are the identities that it remembers; ``outbox`` is what it has still to tell."""

    id: str
    version: int
    state: S
    changed: datetime
    seen: frozenset[str] = frozenset()
    outbox: Sequence[OutboxEntry] = ()


@dataclass(frozen=True, slots=True)
class Whole:
    """What all services keep of one buyer order. ``damaged``: some of it cannot be read, so that
    nothing may be concluded from what is missing."""

    id: str
    order: Kept[OrderState] | None = None
    quote: Kept[Quote] | None = None
    forwarding: Kept[Forwarding] | None = None
    ledger: Kept[Ledger] | None = None
    damaged: bool = False

    def shipment_ids(self) -> set[str]:
        """The shipments that somebody says carry something of the order."""
        ids: set[str] = set()
        if self.order is not None:
            ids.update(self.order.state.shares)
        if self.forwarding is not None:
            ids.update(self.forwarding.state.shares)
        if self.ledger is not None:
            ids.update(entry.shipment_id for entry in self.ledger.state.entries)
        return ids


class Archive:
    """Reads what the services keep. ``unreadable`` are documents that are none of theirs."""

    def __init__(self, mongo: AsyncMongoClient[dict[str, Any]], settings: Settings) -> None:
        self._mongo = mongo
        self._settings = settings
        self.unreadable: dict[tuple[str, str, str], Finding] = {}

    def _collection(self, service: str, name: str) -> AsyncCollection[dict[str, Any]]:
        database = self._mongo[self._settings.database(service)]
        return database.get_collection(name, codec_options=CODEC)

    async def order_ids(self, since: datetime | None = None) -> AsyncIterator[list[str]]:
        """The IDs of all buyer orders, or of those that changed from ``since`` (UTC) on."""
        query = {} if since is None else {"state.Order.LastUpdated": {"$gte": since}}
        async for ids in self._ids("checkout", "orders", query):
            yield ids

    async def stray_ids(self) -> AsyncIterator[list[str]]:
        """The IDs of buyer orders that others know and checkout does not."""
        orders = self._collection("checkout", "orders")
        for service, name in (
            ("forwarding", "forwardings"),
            ("shipments", "ledgers"),
            ("pricing", "quotes"),
        ):
            async for ids in self._ids(service, name, {}):
                known = {d["_id"] async for d in orders.find({"_id": {"$in": ids}}, {"_id": 1})}
                if stray := [id for id in ids if id not in known]:
                    yield stray

    async def shipment_ids(self) -> AsyncIterator[list[str]]:
        async for ids in self._ids("shipments", "shipments", {}):
            yield ids

    async def carriers(self, order_id: str) -> list[str]:
        """The shipments that carry something of an order. No index helps: for one order only."""
        query = self._collection("shipments", "shipments").find(
            {"state.Items.OrderID": order_id}, {"_id": 1}
        )
        return [document["_id"] async for document in query]

    async def wholes(self, ids: Iterable[str]) -> dict[str, Whole]:
        """All that is kept of the orders ``ids``."""
        wanted = list(ids)
        orders = await self._read("checkout", "orders", OrderState, wanted)
        quotes = await self._read("pricing", "quotes", Quote, wanted)
        forwardings = await self._read("forwarding", "forwardings", Forwarding, wanted)
        ledgers = await self._read("shipments", "ledgers", Ledger, wanted)
        damaged = {finding.order_id for finding in self.unreadable.values()}
        return {
            id: Whole(
                id,
                orders.get(id),
                quotes.get(id),
                forwardings.get(id),
                ledgers.get(id),
                id in damaged,
            )
            for id in wanted
        }

    async def shipments(self, ids: Iterable[str]) -> dict[str, Kept[ShipmentState]]:
        return await self._read("shipments", "shipments", ShipmentState, list(ids))

    async def outboxes(
        self, service: str, name: str, before: datetime
    ) -> AsyncIterator[tuple[str, list[OutboxEntry]]]:
        """Documents with something to tell from before then (UTC), with what it is."""
        query = self._collection(service, name).find(
            {"outbox_at": {"$lt": before}}, {"outbox": 1, "bodies": 1}
        )
        async for document in query.sort("outbox_at", ASCENDING):
            yield document["_id"], entries_in(document)

    async def _ids(
        self, service: str, name: str, query: Mapping[str, Any]
    ) -> AsyncIterator[list[str]]:
        collection, last = self._collection(service, name), ""
        while True:
            page = collection.find({**query, "_id": {"$gt": last}}, {"_id": 1})
            ids = [d["_id"] async for d in page.sort("_id", ASCENDING).limit(PAGE)]
            if not ids:
                return
            yield ids
            last = ids[-1]

    async def _read(
        self, service: str, name: str, kind: type[S], ids: Sequence[str]
    ) -> dict[str, Kept[S]]:
        found: dict[str, Kept[S]] = {}
        for start in range(0, len(ids), PAGE):
            query = {"_id": {"$in": list(ids[start : start + PAGE])}}
            async for document in self._collection(service, name).find(query):
                if document["state"] is None:
                    continue
                try:
                    found[document["_id"]] = _kept(document, kind)
                except ValidationError as error:
                    self._note_unreadable(service, name, document["_id"], error)
        return found

    def _note_unreadable(self, service: str, name: str, id: str, error: ValidationError) -> None:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        path = ".".join(str(part) for part in fault["loc"])
        finding = Finding(
            "document-unreadable",
            id if name != "shipments" else "",
            {service: f"{name} {id} cannot be read: {path}: {fault['msg']}"},
            f"Restore the document from a backup; {service} stops at it.",
            subject=f"{service}.{name} {id}",
        )
        self.unreadable[finding.key] = finding


def _kept(document: dict[str, Any], kind: type[S]) -> Kept[S]:
    inbox = document["inbox"]
    times = [datetime.fromtimestamp(mark[3] / 1000, UTC) for mark in inbox["marks"]]
    entries = entries_in(document)
    times += [entry.time for entry in entries]
    return Kept(
        document["_id"],
        document["version"],
        kind.model_validate(document["state"]),
        max(times, default=_EPOCH),
        frozenset(inbox["ids"]),
        entries,
    )
