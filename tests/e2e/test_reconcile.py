"""Discrepancies planted by hand in MongoDB are found, and what can be repaired is."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from services.reconcile.findings import Finding
from services.reconcile.kept import Archive
from services.reconcile.repair import repair
from services.reconcile.run import Comparison, Scope
from services.topic_reader import TopicReader
from shared.clock import utc_now
from shared.messaging.publisher import KafkaPublisher
from shared.metrics import Metrics
from shared.settings import Settings
from tests.e2e.conftest import NewID
from tests.e2e.goods import SHIPPED_AT, line, open_shop, order_body, place, shipment_body
from tests.e2e.test_operators import run_cli
from tests.support.deployment import Deployment
from tests.support.outside import OutsideSystem

Mongo = AsyncMongoClient[dict[str, Any]]
Plant = Callable[["Planter", str], Awaitable[None]]


class Planter:
    """Changes documents as nobody should."""

    def __init__(self, mongo: Mongo, settings: Settings) -> None:
        self._mongo, self._settings = mongo, settings

    def _of(self, where: str) -> Any:
        service, name = where.split(".")
        return self._mongo[self._settings.database(service)][name]

    async def put(self, where: str, id: str, **changes: Any) -> None:
        """Sets fields of a state; dots of their paths are written as two underscores, and what is
        set to None is removed."""
        paths = {f"state.{path.replace('__', '.')}": value for path, value in changes.items()}
        gone = {path: "" for path, value in paths.items() if value is None}
        there = {path: value for path, value in paths.items() if value is not None}
        update = {"$unset": gone} if gone else {}
        result = await self._of(where).update_one(
            {"_id": id}, {**update, **({"$set": there} if there else {})}
        )
        assert result.matched_count == 1, f"{where} has no {id}"

    async def drop(self, where: str, id: str) -> None:
        assert (await self._of(where).delete_one({"_id": id})).deleted_count == 1

    async def get(self, where: str, id: str) -> dict[str, Any]:
        document = await self._of(where).find_one({"_id": id})
        assert document is not None
        return document

    async def add(self, where: str, document: dict[str, Any]) -> None:
        await self._of(where).insert_one(document)


async def _forwarding_lost(p: Planter, id: str) -> None:
    await p.drop("forwarding.forwardings", id)


async def _ledger_lost(p: Planter, id: str) -> None:
    await p.drop("shipments.ledgers", id)


async def _order_lost(p: Planter, id: str) -> None:
    await p.drop("checkout.orders", id)


async def _not_promised(p: Planter, id: str) -> None:
    await p.put("pricing.quotes", id, Promised=False)


async def _completed_by_hand(p: Planter, id: str) -> None:
    await p.put("checkout.orders", id, Order__Status="Completed")


async def _comments_by_hand(p: Planter, id: str) -> None:
    await p.put("checkout.orders", id, Order__Comments="changed by hand")


async def _line_lost(p: Planter, id: str) -> None:
    document = await p.get("forwarding.forwardings", id)
    lines = document["state"]["Parts"][0]["LineItems"]
    await p.put("forwarding.forwardings", id, Parts__0__LineItems=lines[:1])


async def _part_completed_by_hand(p: Planter, id: str) -> None:
    await p.put("forwarding.forwardings", id, Parts__0__Order__Status="Completed")


async def _quantity_by_hand(p: Planter, id: str) -> None:
    await p.put("checkout.orders", id, LineItems__0__QuantityShipped=1)


async def _ledger_entry_by_hand(p: Planter, id: str) -> None:
    entry = {"ShipmentID": "no-such-shipment", "LineItemID": "L1", "Quantity": 1, "Version": 1}
    await p.put("shipments.ledgers", id, Entries=[entry])


async def _shipped_in_silence(p: Planter, id: str) -> None:
    """A shipment and its ledger entries, as if the service had died before it told anybody."""
    lines = (await p.get("shipments.ledgers", id))["state"]["Lines"]
    shipment = f"silent-{id}"
    entries = [
        {"ShipmentID": shipment, "LineItemID": line, "Quantity": count, "Version": 1}
        for line, count in lines.items()
    ]
    await p.put("shipments.ledgers", id, Entries=entries)
    now = datetime.now(UTC) - timedelta(minutes=5)
    await p.add(
        "shipments.shipments",
        {
            "_id": shipment,
            "version": 1,
            "writer": "by hand",
            "state": {
                "Shipment": {
                    "ID": shipment, "Revision": 1, "DateCreated": now, "DateShipped": now,
                },
                "Items": [
                    {"OrderID": id, "LineItemID": line, "QuantityShipped": count}
                    for line, count in lines.items()
                ],
                "Waiting": [],
            },
            "inbox": {"ids": [], "marks": []},
            "outbox": [],
        },
    )  # fmt: skip


async def _answer_missed(p: Planter, id: str) -> None:
    quote = (await p.get("pricing.quotes", id))["state"]
    command = {"Topic": "orders.commands", "Type": "PlaceOrder", "ID": "x", "Source": "outside"}
    await p.put(
        "checkout.orders", id,
        Order__Status="Unsubmitted", Phase="Pricing", Promised=False, Command=command,
        RequestID=quote["RequestID"],
    )  # fmt: skip


async def _checkout_missed_a_shipment(p: Planter, id: str) -> None:
    await p.put(
        "checkout.orders", id,
        Order__Status="Open", Order__DateCompleted=None, Shares={},
        LineItems__0__QuantityShipped=0, LineItems__1__QuantityShipped=0,
    )  # fmt: skip


async def _forwarding_missed_a_shipment(p: Planter, id: str) -> None:
    document = await p.get("forwarding.forwardings", id)
    lines = document["state"]["Parts"][0]["LineItems"]
    await p.put(
        "forwarding.forwardings", id,
        Shares={}, Parts__0__Order__Status="Open", Parts__0__Order__DateCompleted=None,
        Parts__0__LineItems=[{**line, "QuantityShipped": 0} for line in lines],
    )  # fmt: skip


async def _stock_held_for_a_canceled_order(p: Planter, id: str) -> None:
    await p.put("pricing.quotes", id, Promised=True, Released=False)


async def _unreadable(p: Planter, id: str) -> None:
    await p.put("forwarding.forwardings", id, Parts="none")


OPEN: dict[Plant, tuple[set[str], set[str]]] = {
    _forwarding_lost: ({"not-forwarded"}, set()),
    _ledger_lost: ({"ledger-missing", "ledger-part-missing"}, set()),
    _order_lost: ({"order-unknown"}, {"order-unknown"}),
    _not_promised: ({"not-promised"}, {"not-promised"}),
    _completed_by_hand: (
        {"order-completed-early", "order-not-told"},
        {"order-completed-early", "order-not-told"},
    ),
    _comments_by_hand: ({"order-not-told"}, {"order-not-told"}),
    _line_lost: ({"lines-not-covered"}, {"lines-not-covered"}),
    _part_completed_by_hand: (
        {"supplier-order-status", "supplier-order-not-told"},
        {"supplier-order-status", "supplier-order-not-told"},
    ),
    _quantity_by_hand: (
        {"order-quantities", "order-not-told"},
        {"order-quantities", "order-not-told"},
    ),
    _ledger_entry_by_hand: ({"ledger-entries"}, {"ledger-entries"}),
    _shipped_in_silence: (
        {"shipment-not-told", "shipment-missed-by-checkout", "shipment-missed-by-forwarding"},
        set(),
    ),
    _answer_missed: ({"answer-missed"}, set()),
    _unreadable: ({"document-unreadable"}, {"document-unreadable"}),
}
"""What is planted on an order that is open; the kinds it makes, before and after the repair."""

SHIPPED: dict[Plant, tuple[set[str], set[str]]] = {
    _checkout_missed_a_shipment: ({"shipment-missed-by-checkout", "order-not-told"}, set()),
    _forwarding_missed_a_shipment: (
        {"shipment-missed-by-forwarding", "supplier-order-not-told"},
        set(),
    ),
}
"""The same on an order that is completed."""

CANCELED: dict[Plant, tuple[set[str], set[str]]] = {
    _stock_held_for_a_canceled_order: ({"stock-not-released"}, set())
}
"""The same on an order that is canceled."""


def settings_of(engine: Deployment) -> Settings:
    return Settings().model_copy(update={"kafka": engine.kafka, "mongodb": engine.mongodb})


async def test_every_planted_discrepancy_is_found_and_what_can_be_repaired_is(
    engine: Deployment, outside: OutsideSystem, own: NewID
) -> None:
    settings = settings_of(engine)
    shop = await open_shop(outside, own("shop"))
    expected = {
        own(f"r{number}"): (plant, before, after)
        for number, (plant, (before, after)) in enumerate([*OPEN.items(), *SHIPPED.items(),
                                                           *CANCELED.items()])
    }  # fmt: skip
    good = own("good")

    async def prepare(id: str, plant: Plant | None) -> None:
        lines = [line("L1", shop.product, 2), line("L2", shop.product)]
        await place(outside, order_body(id, shop.buyer, *lines))
        await outside.event("SupplierOrderForwarded", id)
        if plant in SHIPPED or plant is None:
            items = [(id, "L1", 2), (id, "L2", 1)]
            shipment = shipment_body(f"s-{id}", *items, DateShipped=SHIPPED_AT)
            await outside.command("CreateShipment", shipment)
            await outside.event("OrderCompleted", id)
            await outside.event("SupplierOrderCompleted", id)
        if plant in CANCELED:
            await outside.command("CancelOrder", {"OrderID": id})
            await outside.event("SupplierOrderCanceled", id)

    plants = {id: plant for id, (plant, _, _) in expected.items()}
    await asyncio.gather(prepare(good, None), *(prepare(*each) for each in plants.items()))
    mongo: Mongo
    async with (
        AsyncMongoClient(engine.mongodb, tz_aware=True) as mongo,
        TopicReader(engine.kafka) as reader,
    ):
        planter = Planter(mongo, settings)
        scope = Scope(grace=timedelta(0))

        async def look() -> dict[str, list[Finding]]:
            """What disagrees about the orders of this test, once they stand still."""
            report = await Comparison(Archive(mongo, settings), reader, utc_now, scope).run()
            found = defaultdict(list)
            for finding in report.findings:
                if finding.order_id in {good, *expected}:
                    found[finding.order_id].append(finding)
            return found

        def kinds(found: dict[str, list[Finding]]) -> dict[str, set[str]]:
            return {id: {finding.kind for finding in of} for id, of in found.items()}

        async def until(wanted: dict[str, set[str]]) -> dict[str, list[Finding]]:
            found: dict[str, list[Finding]] = {}
            for _ in range(20):
                found = await look()
                if kinds(found) == wanted:
                    break
                await asyncio.sleep(0.5)
            assert kinds(found) == wanted
            return found

        # The outboxes are cleared some seconds after all is said; then everything agrees.
        await until({})
        await asyncio.gather(*(plant(planter, id) for id, plant in plants.items()))

        found = await until({id: before for id, (_, before, _) in expected.items()})

        for of in found.values():
            for finding in of:
                assert len(finding.says) >= 1
                assert finding.repair is not None or finding.next
        # They remember what they wrote last; whoever writes documents by hand restarts them.
        await asyncio.gather(engine.kill_service("checkout"), engine.kill_service("forwarding"))
        publisher = KafkaPublisher(engine.kafka, "reconcile", Metrics())
        await publisher.start()
        try:
            every = [finding for of in found.values() for finding in of]
            await repair(every, reader, publisher, utc_now)
        finally:
            await publisher.stop()
        await until({id: after for id, (_, _, after) in expected.items() if after})
        silent = next(id for id, plant in plants.items() if plant is _shipped_in_silence)
        assert len(outside.all("OrderCompleted", silent)) == 1
        assert len(outside.all("ShipmentReconciled", f"silent-{silent}")) == 1
        lost = next(id for id, plant in plants.items() if plant is _comments_by_hand)
        where = ("--kafka", engine.kafka, "--mongodb", engine.mongodb, "--grace", "0")

        (code, text, _), (bad_code, document, _) = await asyncio.gather(
            run_cli("reconcile", "--order", good, *where),
            run_cli("reconcile", "--order", lost, "--json", *where),
        )

        assert code == 0, text
        assert "nothing disagrees" in text
        assert bad_code == 1
        [told] = json.loads(document)["Findings"]
        assert (told["Kind"], told["OrderID"], told["Repairable"]) == (
            "order-not-told",
            lost,
            False,
        )
        assert set(told["Says"]) == {"checkout", "orders.events"}
        # What was broken for good must not trouble the tests that come after.
        for id, (plant, _, after) in expected.items():
            if after and plant is not _order_lost:
                await planter.drop("checkout.orders", id)


@pytest.mark.parametrize("arguments", [["--since", "yesterday"], ["--grace", "-1"]])
async def test_what_is_no_time_is_a_usage_error(arguments: list[str]) -> None:
    code, _, error = await run_cli("reconcile", *arguments)

    assert code == 2
    assert arguments[0] in error
