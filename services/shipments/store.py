"""MongoDB: shipments and ledgers, their indexes and the few queries by something else than IDs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from services.shipments.ledger import Ledger
from services.shipments.shipment import ShipmentState
from shared.aggregates import Aggregate, AggregateStore
from shared.mongo.aggregates import MongoAggregateStore

_WAITING = "waiting"


class Ledgers(AggregateStore[Ledger], Protocol):
    async def of_supplier_orders(self, ids: Iterable[str]) -> Sequence[Aggregate[Ledger]]:
        """The ledgers that have one of these supplier orders as a part."""
        ...


class Shipments(AggregateStore[ShipmentState], Protocol):
    async def waiting_for(self, orders: Iterable[str]) -> Sequence[str]:
        """IDs of the shipments that wait for one of these orders."""
        ...

    async def waiting(self, after: str, limit: int) -> Mapping[str, Sequence[str]]:
        """Waiting shipments in the order of their IDs, from behind ``after``, with the IDs of the
        orders that they wait for."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """IDs of shipments that have to be looked at by ``now``: a command may not wait any
        longer, or a ledger is unsettled. Oldest first."""
        ...

    async def count_waiting(self) -> int:
        """How many shipments wait."""
        ...


class LedgerStore(MongoAggregateStore[Ledger]):
    """Ledgers by the buyer's order's ID; supplier orders' IDs are indexed."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        super().__init__(
            database,
            "ledgers",
            Ledger,
            indexes=[IndexModel([("state.Parts.ID", ASCENDING)])],
            whole=True,
        )

    async def of_supplier_orders(self, ids: Iterable[str]) -> Sequence[Aggregate[Ledger]]:
        query = self.collection.find({"state.Parts.ID": {"$in": list(ids)}})
        return [self._read(document) async for document in query]


class ShipmentStore(MongoAggregateStore[ShipmentState]):
    """Shipments by ID; those that wait are found by what they wait for and until when."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        super().__init__(
            database,
            "shipments",
            ShipmentState,
            indexes=[
                IndexModel([("state.WaitingFor", ASCENDING)], sparse=True),
                IndexModel([("state.WaitingUntil", ASCENDING)], sparse=True),
                IndexModel(
                    [("_id", ASCENDING), ("state.WaitingUntil", ASCENDING)],
                    name=_WAITING,
                    partialFilterExpression={"state.WaitingFor": {"$exists": True}},
                ),
            ],
            whole=True,
        )

    async def waiting_for(self, orders: Iterable[str]) -> Sequence[str]:
        query = self.collection.find({"state.WaitingFor": {"$in": list(orders)}}, {"_id": 1})
        return [document["_id"] async for document in query]

    async def waiting(self, after: str, limit: int) -> Mapping[str, Sequence[str]]:
        query = self.collection.find(
            {"_id": {"$gt": after}, "state.WaitingFor": {"$exists": True}},
            {"state.WaitingFor": 1},
        )
        query = query.sort("_id", ASCENDING).limit(limit).hint(_WAITING)
        return {document["_id"]: document["state"]["WaitingFor"] async for document in query}

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        query = self.collection.find({"state.WaitingUntil": {"$lte": now}}, {"_id": 1})
        query = query.sort("state.WaitingUntil", ASCENDING).limit(limit)
        return [document["_id"] async for document in query]

    async def count_waiting(self) -> int:
        return await self.collection.count_documents(
            {"state.WaitingFor": {"$exists": True}}, hint=_WAITING
        )
