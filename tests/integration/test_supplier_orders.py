"""Supplier orders' IDs on a real MongoDB: unique over all buyer orders, whoever was first."""

import asyncio
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from services.forwarding.consumers import forwarding_processor
from services.forwarding.domain import Forwarding, split
from services.forwarding.store import ForwardingStore
from shared.aggregates import Aggregate, IdentifierTaken
from shared.contracts.registry import ORDER_SUBMITTED, SUPPLIER_ORDER_FORWARDED
from shared.metrics import Metrics
from shared.service import Resources
from shared.settings import Settings
from tests.support.builders import forwarding_context, line, order_event
from tests.support.fakes import FakeClock, FakePublisher, message

# a-b of c and a of b-c spell the same ID.
FIRST, SECOND = ("a-b", "c"), ("a", "b-c")


def forwarding(order: str, supplier: str) -> Aggregate[Forwarding]:
    """An order's forwarding that is new, with one supplier order."""
    event = order_event(order, [line(supplier=supplier)])
    parts = split(event.order, event.line_items, (), forwarding_context(suppliers=[supplier]))
    return Aggregate(order, state=Forwarding(parts=parts))


async def test_of_two_orders_with_the_same_supplier_order_one_is_written(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    store = ForwardingStore(database)

    with pytest.raises(IdentifierTaken) as refusal:
        await store.save([forwarding(*FIRST), forwarding(*SECOND), forwarding("O-1", "c")])

    stored = [id for id in ("a-b", "a", "O-1") if await store.get(id) is not None]
    assert "O-1" in stored
    assert len(stored) == 2
    assert refusal.value.ids == {"a-b", "a"} - set(stored)
    assert refusal.value.lost == set()


async def test_an_order_that_had_claimed_an_id_and_died_has_it_still(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    store = ForwardingStore(database)
    await database["supplier_orders"].insert_one({"_id": "a-b-c", "OrderID": "a-b"})

    assert await store.save([forwarding(*FIRST)]) == set()

    with pytest.raises(IdentifierTaken) as refusal:
        await store.save([forwarding(*SECOND)])
    assert (refusal.value.ids, refusal.value.lost) == ({"a"}, set())


async def test_instances_that_forward_at_once_give_every_supplier_order_an_id_of_its_own(
    mongo: AsyncMongoClient[dict[str, Any]], database: AsyncDatabase[dict[str, Any]]
) -> None:
    publisher = FakePublisher()

    async def forward(order: str, supplier: str) -> None:
        resources = Resources(Settings(), mongo, publisher, Metrics(), clock=FakeClock())
        processor = forwarding_processor("forwarding", ForwardingStore(database), resources)
        await processor.process(
            [message(ORDER_SUBMITTED, order_event(order, [line(supplier=supplier)]))]
        )

    # All spell x-y-z-w.
    await asyncio.gather(forward("x-y-z", "w"), forward("x-y", "z-w"), forward("x", "y-z-w"))

    ids = [body.order.id for body in publisher.bodies(SUPPLIER_ORDER_FORWARDED)]
    assert len(set(ids)) == 3
    assert [id for id in ids if id == "x-y-z-w"] == ["x-y-z-w"]
    claims = {each["_id"]: each["OrderID"] async for each in database["supplier_orders"].find()}
    assert claims.keys() == set(ids)
    assert set(claims.values()) == {"x-y-z", "x-y", "x"}
