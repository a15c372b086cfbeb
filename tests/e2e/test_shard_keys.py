"""What MongoDB is asked while orders pass: each names the documents that it is about, so that a
cluster whose large collections are sharded by the hash of ``_id`` sends it to their shards alone.

MongoDB's profiler tells it, for all processes. What looks at a collection from time to time, not
for a batch, is listed here with why it may ask every shard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from tests.e2e.conftest import NewID
from tests.e2e.load import Load
from tests.support.deployment import SERVICES, deployment
from tests.support.outside import OutsideSystem

SHARDED = {
    "pricing.allotments", "pricing.quotes", "checkout.orders", "forwarding.forwardings",
    "forwarding.supplier_orders", "shipments.shipments", "shipments.ledgers",
    "notifications.deliveries",
}  # fmt: skip
"""The collections that grow with orders, or are written with each. The others have what companies,
products and rules there are: they are not sharded, and a query for them goes to one place."""

NOW_AND_THEN: list[dict[str, set[str]]] = [
    # The relay, every two seconds, and the metrics of outboxes, every five.
    {"outbox_at": {"$lt"}},
    {"outbox_at": {"$gt"}},
    # Every two seconds: shipments that have waited too long, a page of those that wait, how many.
    {"state.WaitingUntil": {"$lte"}},
    {"_id": {"$gt"}, "state.WaitingFor": {"$exists"}},
    {"state.WaitingFor": {"$exists"}},
    # The metric of orders by status.
    {"state.Order.Status": {"="}, "state.Phase": {"$ne"}},
    # The dispatcher of notifications, and its metric: in which lanes something is due, and what.
    {"state.Status": {"="}},
    {"state.Status": {"="}, "state.Lane": {"="}, "state.NextAttempt": {"$lte"}},
]
"""Conditions of such looks: their paths, and what is compared how."""


@asynccontextmanager
async def profiled(mongodb: str) -> AsyncIterator[list[dict[str, Any]]]:
    """Fills the list, when it is left, with all that the services asked in between."""
    asked: list[dict[str, Any]] = []
    client: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient(mongodb) as client:
        databases = [client[f"ordermesh_{name}"] for name in SERVICES]
        for database in databases:
            await database.create_collection("system.profile", capped=True, size=64 * 1024 * 1024)
            await database.command("profile", 2)
        yield asked
        for database in databases:
            await database.command("profile", 0)
            own = {"appName": {"$regex": "^ordermesh"}}
            asked += await database["system.profile"].find(own).to_list()


def condition(operation: dict[str, Any]) -> dict[str, Any]:
    """What an operation's documents have to match."""
    command = operation["command"]
    if str(command.get("$truncated")).startswith("{ q: { _id: { $in: ["):
        # The profiler keeps the beginning of a long statement, as text.
        return {"_id": {"$in": []}}
    if "pipeline" in command:
        return dict(command["pipeline"][0].get("$match", {}))
    return dict(command.get("filter") or command.get("query") or command.get("q") or {})


def names_documents(wanted: dict[str, Any]) -> bool:
    """Whether it can be sent to the shards of some documents: ``_id`` is given, or all are."""
    id = wanted.get("_id")
    return isinstance(id, str) or (isinstance(id, dict) and id.keys() == {"$in"})


def shape(wanted: dict[str, Any]) -> dict[str, set[str]]:
    return {
        path: set(value) if isinstance(value, dict) else {"="} for path, value in wanted.items()
    }


async def test_what_is_done_for_orders_names_its_documents(tmp_path: Path, own: NewID) -> None:
    async with deployment(tmp_path / "data") as running, OutsideSystem(running.kafka) as outside:
        load = Load(outside, own("load"), 40)
        await load.prepare()

        async with profiled(running.mongodb) as asked:
            load.begin(load.orders)
            await load.end()

    about = [
        (operation["ns"].removeprefix("ordermesh_"), operation)
        for operation in asked
        if operation["op"] in ("query", "command", "update", "remove")
    ]
    asked_at_all = {place for place, _ in about} & SHARDED
    broadcast = [
        (place, condition(operation))
        for place, operation in about
        if place in SHARDED
        and not names_documents(condition(operation))
        and shape(condition(operation)) not in NOW_AND_THEN
    ]
    assert broadcast == []
    # Of supplier orders nothing is asked: they are claimed, by inserts.
    assert asked_at_all == SHARDED - {"forwarding.supplier_orders"}
    assert {op["ns"] for op in asked if op["op"] == "insert"} >= {
        "ordermesh_forwarding.supplier_orders"
    }
