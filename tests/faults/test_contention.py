"""Hundreds of writers on one order, one product and one stock: no update is lost, no unit sold
twice, and all of them get on."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.goods import SHIPPED_AT, line, order_body, shipment_body
from tests.faults.orders import STOCK, email_of
from tests.faults.test_services import die_at
from tests.faults.trial import Trial, Trials
from tests.faults.writers import Command, all_at_once
from tests.support.deployment import deployment
from tests.support.outside import Body, OutsideSystem

_WRITERS = 500
_PATIENCE = 120.0


def crowded(id: str, buyer: str, product: str, quantity: int) -> Body:
    """An order that many will write to, with the mail address that the audit expects."""
    user = {"FromUser": {"ID": f"user-{id}", "Email": email_of(id)}}
    return order_body(id, buyer, line("L1", product, quantity), order=user)


async def answered(outside: OutsideSystem, order: str, effects: dict[str, list[str]]) -> Body:
    """The refusals about ``order`` by their commands' IDs, once those and ``effects`` (keys by
    types of events) are an answer for every writer. None is answered twice."""

    def counts() -> tuple[int, int]:
        happened = sum(
            len(outside.all(type, key)) for type, keys in effects.items() for key in keys
        )
        return happened, len(outside.all("CommandRejected", order))

    await outside.until(
        lambda: sum(counts()) >= _WRITERS,
        lambda: f"{counts()} of {_WRITERS} writers were answered",
        _PATIENCE,
    )
    refusals = outside.all("CommandRejected", order)
    assert sum(counts()) == _WRITERS
    refused = {refusal["Command"]["ID"]: refusal for refusal in refusals}
    assert len(refused) == len(refusals)
    return refused


@pytest.mark.faults
async def test_500_shippers_of_single_units_of_one_order(trials: Trials) -> None:
    ordered = _WRITERS - 80
    async with trials(rate=3) as trial:
        outside = trial.outside
        await trial.load.under_way(10)
        await outside.command("PlaceOrder", crowded("crowd", "acme", "mug", ordered))
        await outside.event("SupplierOrderForwarded", "crowd", _PATIENCE)
        shipments = [f"crowd-{number}" for number in range(_WRITERS)]
        commands = [
            Command(
                "CreateShipment",
                shipment_body(id, ("crowd", "L1", 1), SupplierID="north", DateShipped=SHIPPED_AT),
                f"create-{id}",
            )
            for id in shipments
        ]
        # Every eighth is sent by two clients.
        commands += commands[::8]
        random.Random(1).shuffle(commands)

        async with trial.fault("500 shippers at once, shipments and checkout killed meanwhile"):
            await asyncio.gather(
                all_at_once(trial.cluster.kafka.address, commands),
                die_at(trial, "shipments", "after_write"),
                die_at(trial, "checkout", "after_write"),
            )

        refused = await answered(outside, "crowd", {"ShipmentCreated": shipments})
        await outside.event("OrderCompleted", "crowd", _PATIENCE)
        report = await trial.end()
        created = [id for id in shipments if outside.all("ShipmentCreated", id)]
        assert (len(created), len(refused)) == (ordered, _WRITERS - ordered)
        assert {f"create-{id}" for id in created}.isdisjoint(refused)
        assert report.dead_letters == 0


@pytest.mark.faults
async def test_500_who_decide_one_order(trials: Trials) -> None:
    async with trials(rate=3) as trial:
        outside = trial.outside
        await trial.load.under_way(10)
        await outside.command("PlaceOrder", crowded("dispute", "guild", "desk", 3))
        await outside.event("OrderAwaitingApproval", "dispute", _PATIENCE)
        commands = [
            Command(type, {"OrderID": "dispute"}, f"decide-{number}")
            for number, type in enumerate(
                ["ApproveOrder", "DeclineOrder", "CancelOrder", "ApproveOrder", "DeclineOrder"]
                * (_WRITERS // 5)
            )
        ]

        async with trial.fault("500 approve, decline and cancel at once, checkout killed"):
            await asyncio.gather(
                all_at_once(trial.cluster.kafka.address, commands),
                die_at(trial, "checkout", "after_write"),
            )

        decided = ("OrderApproved", "OrderDeclined", "OrderCanceled")
        await answered(outside, "dispute", {type: ["dispute"] for type in decided})
        await trial.end()
        told = [type for type in decided if outside.all(type, "dispute")]
        assert all(len(outside.all(type, "dispute")) <= 1 for type in decided)
        # What was approved or declined could still be canceled; nothing else follows a decision.
        assert told in (
            ["OrderApproved"],
            ["OrderDeclined"],
            ["OrderCanceled"],
            ["OrderApproved", "OrderCanceled"],
            ["OrderDeclined", "OrderCanceled"],
        )


@pytest.mark.faults
async def test_one_scarce_product_in_all_orders_and_three_who_promise_it(trials: Trials) -> None:
    # However fast it is, orders are left when the others have started.
    async with trials(rate=100, at_once=250, hot="rug") as trial:
        more = [trial.cluster.add("pricing") for _ in range(2)]
        await trial.load.under_way(20)

        async with trial.fault("orders for 150 units at 100 a second, pricing grows, one dies"):
            await trial.cluster.start(*more)
            await trial.load.under_way(20)
            await trial.cluster.down(more[0])
            await trial.load.under_way(100)

        report = await trial.end()
        assert report.outcomes.total() == len(trial.load.plans) > STOCK["rug"]
        # Every unit was promised to somebody at some time; whoever canceled gave some back.
        assert report.outcomes["Rejected"] > 0
        assert await promised_ever(trial, "rug") >= STOCK["rug"]


async def promised_ever(trial: Trial, product: str) -> int:
    """The units in all orders that were submitted, canceled ones too."""
    log = (await trial.audit()).log
    return sum(
        line["Quantity"]
        for record in log.distinct("orders.events")
        if record.type == "OrderSubmitted"
        for line in record.body["LineItems"]
        if line["ProductID"] == product
    )


@pytest.mark.faults
async def test_500_requests_that_change_one_product(
    tmp_path: Path, tell: Callable[[str], None]
) -> None:
    later: list[int] = []
    async with deployment(tmp_path / "data") as engine, engine.admin() as client:
        made = await client.put("/v1/products/hot", json={"Name": "The hot one"})
        assert made.status_code == 200, made.text

        async def write(number: int) -> None:
            while True:
                answer = await client.patch("/v1/products/hot", json={"xp": {f"w{number}": number}})
                if answer.status_code == 200:
                    return
                # "Try again in a moment" is the one other answer.
                assert answer.status_code == 503, answer.text
                later.append(number)
                await asyncio.sleep(0.2)

        began = time.monotonic()
        async with asyncio.timeout(_PATIENCE):
            await asyncio.gather(*map(write, range(_WRITERS)))
        seconds = time.monotonic() - began

        product = (await client.get("/v1/products/hot")).json()
    tell(f"{_WRITERS} requests changed a product in {seconds:.1f} s, {len(later)} were put off")
    assert product["xp"] == {f"w{number}": number for number in range(_WRITERS)}
