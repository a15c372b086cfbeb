"""What stands in the database, read past all services."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from services.checkout.domain.state import OrderState
from services.forwarding.domain import Forwarding
from services.notifications.domain import Delivery
from services.pricing.allotments import Allotment
from services.pricing.quotes import Quote
from services.shipments.ledger import Ledger
from services.shipments.shipment import ShipmentState
from shared.mongo.codec import CODEC

PREFIX = "ordermesh_"

Client = AsyncMongoClient[dict[str, Any]]
Collection = AsyncCollection[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Documents:
    """The states of all aggregates of an order's way, by ID; those without a state are left out.
    ``quote_versions`` are the versions of the quotes' documents."""

    orders: dict[str, OrderState]
    forwardings: dict[str, Forwarding]
    shipments: dict[str, ShipmentState]
    ledgers: dict[str, Ledger]
    allotments: dict[str, Allotment]
    quotes: dict[str, Quote]
    quote_versions: dict[str, int]
    deliveries: dict[str, Delivery]


async def read_documents(mongodb: str, since: str = "") -> Documents:
    """Everything about orders from the ID ``since`` on, with the quotes of older ones that an
    allotment still waits for."""
    client: Client
    async with AsyncMongoClient(mongodb, tz_aware=True) as client:
        own = {"_id": {"$gte": since}}
        allotments = await _states(client, "pricing", "allotments", Allotment)
        waiting = [order for each in allotments.values() for order in each.pending]
        quoted = {"$or": [own, {"_id": {"$in": waiting}}]}
        versions = {}
        quotes: Collection = client[f"{PREFIX}pricing"]["quotes"]
        async for document in quotes.find(quoted, {"version": 1}):
            versions[document["_id"]] = document["version"]
        told = {"state.OrderID": {"$gte": since}} if since else {}
        return Documents(
            orders=await _states(client, "checkout", "orders", OrderState, own),
            forwardings=await _states(client, "forwarding", "forwardings", Forwarding, own),
            shipments=await _states(client, "shipments", "shipments", ShipmentState, own),
            ledgers=await _states(client, "shipments", "ledgers", Ledger, own),
            allotments=allotments,
            quotes=await _states(client, "pricing", "quotes", Quote, quoted),
            quote_versions=versions,
            deliveries=await _states(client, "notifications", "deliveries", Delivery, told),
        )


async def contents(mongodb: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Every document of every service, by collection and ID, without what a write notes of itself:
    its version and writer, the inbox."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    client: Client
    async with AsyncMongoClient(mongodb, tz_aware=True) as client:
        for name in await client.list_database_names():
            if name.startswith(PREFIX):
                for collection in await client[name].list_collection_names():
                    async for document in client[name][collection].find():
                        for field in ("version", "writer", "inbox"):
                            document.pop(field, None)
                        found[f"{name}.{collection}", str(document["_id"])] = document
    return found


async def unsettled(mongodb: str) -> dict[str, str]:
    """What is still to be done: documents with an outbox, by collection; shipments that wait;
    notifications that are pending. Empty: nothing."""
    found: dict[str, str] = {}
    client: Client
    async with AsyncMongoClient(mongodb) as client:
        for name in await client.list_database_names():
            if not name.startswith(PREFIX):
                continue
            database: AsyncDatabase[dict[str, Any]] = client[name]
            for collection in await database.list_collection_names():
                count = await database[collection].count_documents({"outbox.0": {"$exists": True}})
                if count:
                    found[f"outboxes of {name}.{collection}"] = str(count)
        shipments: Collection = client[f"{PREFIX}shipments"]["shipments"]
        deliveries: Collection = client[f"{PREFIX}notifications"]["deliveries"]
        for what, query in (
            (
                "waiting shipments",
                shipments.count_documents({"state.WaitingFor.0": {"$exists": 1}}),
            ),
            (
                "unsettled shipments",
                shipments.count_documents({"state.Unsettled.0": {"$exists": 1}}),
            ),
            ("pending notifications", deliveries.count_documents({"state.Status": "Pending"})),
        ):
            count = await query
            if count:
                found[what] = str(count)
    return found


async def _states(
    client: Client,
    service: str,
    collection: str,
    kind: type[Any],
    which: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    found = client[f"{PREFIX}{service}"].get_collection(collection, codec_options=CODEC)
    return {
        document["_id"]: kind.model_validate(document["state"])
        async for document in found.find({**which, "state": {"$ne": None}}, {"state": 1})
    }
