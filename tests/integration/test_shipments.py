"""Shipments on a real MongoDB: several instances on one order, waiting, expiry, the queries."""

import asyncio
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from services.shipments.store import LedgerStore, ShipmentStore
from tests.unit.shipments.world import World, create, forwarded, order, taken, update

Stores = tuple[ShipmentStore, LedgerStore]


@pytest.fixture
async def stores(database: AsyncDatabase[dict[str, Any]]) -> Stores:
    shipments, ledgers = ShipmentStore(database), LedgerStore(database)
    await shipments.create_indexes()
    await ledgers.create_indexes()
    return shipments, ledgers


async def test_instances_that_race_for_one_order_never_ship_too_much(stores: Stores) -> None:
    shipments, ledgers = stores
    worlds = [World(*stores) for _ in range(4)]
    await worlds[0].take(order("O-1", {"1": 10}))

    await asyncio.gather(
        *(
            world.take(*(create(f"S-{n}-{m}", {("O-1", "1"): 2}) for m in range(3)))
            for n, world in enumerate(worlds)
        )
    )

    codes = [code for world in worlds for code in world.codes]
    assert codes == ["ShipmentItem.QuantityExceeded"] * 7
    ledger = taken(await ledgers.get("O-1"))
    assert sum(ledger.values()) == 10
    stored = await shipments.load([f"S-{n}-{m}" for n in range(4) for m in range(3)])
    carried = {id: a.state.carried() for id, a in stored.items() if a.state is not None}
    assert {(id, "1"): 2 for id in carried} == ledger


async def test_instances_that_race_for_one_shipment_apply_each_command_once(
    stores: Stores,
) -> None:
    shipments, ledgers = stores
    worlds = [World(*stores) for _ in range(3)]
    commands = [create("S-1", {}), *(update("S-1", {("O-1", "1"): n}) for n in range(1, 6))]
    await worlds[0].take(order("O-1"))

    await asyncio.gather(*(world.take(*commands) for world in worlds))

    ids = [entry.id for world in worlds for entry in world.publisher.entries]
    assert len(set(ids)) == 6
    state = await shipments.get("S-1")
    assert state is not None
    assert state.carried() == {("O-1", "1"): 5}
    assert taken(await ledgers.get("O-1")) == {("S-1", "1"): 5}


async def test_what_waited_is_applied_by_whichever_instance_learns_of_the_order(
    stores: Stores,
) -> None:
    shipments, ledgers = stores
    one, two = World(*stores), World(*stores)
    await one.take(create("S-1", {("PO77", "1"): 2}), create("S-2", {("O-1", "1"): 3}))
    await one.handlers.count()
    assert await shipments.count_waiting() == 2

    await two.take(order("O-1"))
    await two.take(forwarded("O-1", id="PO77"))

    assert one.publisher.types == []
    assert [event.shipment.id for event in two.reconciled] == ["S-2", "S-1"]
    assert taken(await ledgers.get("O-1")) == {("S-1", "1"): 2, ("S-2", "1"): 3}
    assert await shipments.count_waiting() == 0


async def test_orders_and_shipments_that_cross_never_miss_each_other(stores: Stores) -> None:
    one, two = World(*stores), World(*stores)

    for n in range(20):
        await asyncio.gather(
            one.take(create(f"S-{n}", {(f"O-{n}", "1"): 1})), two.take(order(f"O-{n}"))
        )

    assert len(one.reconciled) + len(two.reconciled) == 20
    assert await stores[0].count_waiting() == 0


async def test_what_waits_is_swept_in_pages_and_expires(stores: Stores) -> None:
    shipments, _ = stores
    world = World(*stores, seconds=60)
    await world.take(*(create(f"S-{n:03}", {(f"O-{n}", "1"): 1}) for n in range(3)))
    assert dict(await shipments.waiting("S-000", 10)) == {"S-001": ["O-1"], "S-002": ["O-2"]}

    world.clock.advance(61)
    await world.handlers.sweep()

    assert world.codes == ["NotFound"] * 3
    assert await shipments.count_waiting() == 0
    assert world.metrics.waiting_shipments._value.get() == 0


async def test_a_supplier_order_is_found_by_its_own_id(stores: Stores) -> None:
    _, ledgers = stores
    world = World(*stores)
    await world.take(order("O-1"), forwarded("O-1", id="PO77"))

    found = await ledgers.of_supplier_orders(["PO77", "PO78"])

    assert [(ledger.id, ledger.version) for ledger in found] == [("O-1", 1)]
