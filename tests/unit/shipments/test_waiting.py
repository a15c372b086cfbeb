"""Commands whose order is not known yet: they wait, in order, for a while, in bounded number."""

from datetime import timedelta

from tests.support.fakes import START
from tests.unit.shipments.world import (
    APPROVED,
    CANCELED,
    World,
    create,
    forwarded,
    order,
    taken,
    update,
)

NOON = "2026-01-02T12:00:00Z"


async def test_a_shipment_waits_for_its_order() -> None:
    world = World()
    await world.take(create("S-1", {("O-1", "1"): 2}, TrackingNumber="T1", at={"trace": "t"}))
    assert world.publisher.types == []

    await world.take(order())

    assert world.publisher.types == ["ShipmentCreated", "ShipmentReconciled"]
    assert {entry.trace for entry in world.publisher.entries} == {"t"}
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 2}
    state = world.shipments.state("S-1")
    assert (state.waiting, state.waiting_for, state.waiting_until) == ([], None, None)


async def test_waiting_or_not_the_events_are_the_same() -> None:
    at_once, later = World(), World()
    command, news = create(at={"id": "c", "offset": 1}), order()
    await at_once.take(news, command)

    await later.take(command)
    await later.take(news)

    assert later.publisher.entries == at_once.publisher.entries


async def test_later_commands_of_a_waiting_shipment_wait_with_it() -> None:
    world = World()
    await world.take(order("O-2"))
    await world.take(create("S-1", {("O-1", "1"): 2}))
    await world.take(update("S-1", DateShipped=NOON), update("S-1", {("O-2", "1"): 3}))
    assert world.publisher.types == []

    await world.take(order("O-1"))

    assert world.publisher.types == [
        "ShipmentCreated",
        "ShipmentReconciled",
        "ShipmentShipped",
        "ShipmentReconciled",
        "ShipmentReconciled",
    ]
    assert world.shipments.state("S-1").shipment.revision == 3


async def test_an_update_of_a_shipment_waits_while_the_shipment_stays() -> None:
    world = World()
    await world.take(order("O-1"), create("S-1"))

    await world.take(update("S-1", {("O-2", "1"): 3}))

    state = world.shipments.state("S-1")
    assert state.waiting_for == ["O-2"]
    assert state.shipment.revision == 1


async def test_a_shipment_waits_for_all_its_orders() -> None:
    world = World()
    await world.take(create("S-1", {("O-1", "1"): 2, ("O-2", "1"): 2}))

    await world.take(order("O-1"))
    assert world.publisher.types == []
    assert world.shipments.state("S-1").waiting_for == ["O-2"]
    await world.take(order("O-2"))

    assert len(world.reconciled) == 1


async def test_a_suppliers_order_may_come_before_the_buyers() -> None:
    world = World()
    await world.take(create("S-1", {("PO77", "1"): 2}))

    await world.take(forwarded(id="PO77"))
    assert world.shipments.state("S-1").waiting_for == ["O-1", "PO77"]
    await world.take(order())

    [event] = world.reconciled
    assert (event.items[0].order_id, event.items[0].supplier_order_id) == ("O-1", "PO77")


async def test_a_suppliers_order_may_come_after_the_buyers() -> None:
    world = World()
    await world.take(create("S-1", {("PO77", "1"): 2}))

    await world.take(order(type=APPROVED))
    await world.take(forwarded(id="PO77"))

    assert len(world.reconciled) == 1


async def test_an_order_canceled_before_it_is_known_stays_canceled() -> None:
    world = World()
    await world.take(create("S-1"))

    await world.take(order(type=CANCELED))
    await world.take(order(), create("S-2"))

    assert world.codes == ["Order.CannotShipBadStatus"] * 2
    assert world.ledgers.state("O-1").canceled


async def test_what_waits_too_long_is_refused() -> None:
    world = World(seconds=60)
    await world.take(create("S-1"), update("S-1", DateShipped=NOON))
    world.clock.advance(59)
    await world.handlers.sweep()
    assert world.codes == []
    assert world.metrics.waiting_shipments._value.get() == 1

    world.clock.advance(1)
    await world.handlers.sweep()

    assert world.codes == ["NotFound", "NotFound"]
    assert world.errors[0].data == {
        "ObjectType": "Order",
        "ObjectID": "O-1",
        "WaitedSeconds": 60,
    }
    assert world.rejections[0].order_id == "O-1"
    assert world.errors[1].data == {"ObjectType": "Shipment", "ObjectID": "S-1"}
    assert world.shipments.state("S-1") is None
    assert world.metrics.waiting_shipments._value.get() == 0


async def test_no_more_shipments_wait_than_the_limit() -> None:
    world = World(limit=2)

    await world.take(create("S-1"), create("S-2"), create("S-3"), update("S-2", DateShipped=NOON))

    assert world.codes == ["NotFound"]
    assert world.rejections[0].command.type == "CreateShipment"
    assert world.errors[0].data == {
        "ObjectType": "Order",
        "ObjectID": "O-1",
        "WaitingLimit": 2,
    }
    assert world.shipments.state("S-3") is None
    assert await world.shipments.count_waiting() == 2


async def test_no_more_commands_of_one_shipment_wait_than_fit() -> None:
    world = World()

    await world.take(create("S-1"), *(update("S-1", Account=str(n)) for n in range(40)))

    assert world.codes == ["NotFound"] * 9
    assert len(world.shipments.state("S-1").waiting) == 32


async def test_a_duplicate_of_a_waiting_command_does_not_wait_twice() -> None:
    world = World()
    command = create("S-1")
    await world.take(command)

    await world.take(command)

    assert len(world.shipments.state("S-1").waiting) == 1


async def test_what_nobody_woke_is_found_by_the_sweep() -> None:
    world = World()
    await world.take(create("S-1"))
    other = World(ledgers=world.ledgers)
    await other.take(order())

    await world.handlers.sweep()

    assert len(world.reconciled) == 1


async def test_an_order_that_comes_while_its_shipment_begins_to_wait_is_not_missed() -> None:
    world = World()
    other = World(ledgers=world.ledgers)
    save = world.shipments.save

    class OrderComesFirst:
        """Between the look at the ledgers and the write of what waits, the order comes."""

        def __getattr__(self, name: str) -> object:
            return getattr(world_shipments, name)

        async def save(self, aggregates: list[object]) -> set[str]:
            if aggregates:
                await other.take(order())
            return await save(aggregates)

    world_shipments = world.shipments
    racing = World(OrderComesFirst(), world.ledgers)  # type: ignore[arg-type]

    await racing.take(create("S-1"))

    assert len(racing.reconciled) == 1


async def test_the_deadline_counts_from_the_beginning_of_the_wait() -> None:
    world = World(seconds=60)
    await world.take(create("S-1", at={"accepted": START - timedelta(days=30)}))
    await world.handlers.sweep()

    await world.take(order())

    assert world.codes == []
    shipment = world.shipments.state("S-1").shipment
    assert shipment.date_created == START - timedelta(days=30)
