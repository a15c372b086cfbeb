"""What shipment commands do, and what they are refused for."""

import pytest

from shared.contracts.registry import SHIPMENT_CREATED
from tests.unit.shipments.world import (
    CANCELED,
    World,
    create,
    forwarded,
    order,
    taken,
    update,
)

NOON = "2026-01-02T12:00:00Z"
EVENING = "2026-01-02T18:00:00Z"


@pytest.fixture
async def world() -> World:
    """Order O-1, ten of line 1 and ten of line 2."""
    world = World()
    await world.take(order())
    return world


async def test_a_shipment_counts_at_once(world: World) -> None:
    await world.take(create("S-1", {("O-1", "1"): 3}))

    assert world.publisher.types == ["ShipmentCreated", "ShipmentReconciled"]
    [event] = world.reconciled
    assert [(i.order_id, i.line_item_id, i.quantity_shipped) for i in event.items] == [
        ("O-1", "1", 3)
    ]
    assert event.shipment.revision == 1
    assert event.shipment.buyer_id == "acme"
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 3}


async def test_dates_tell_that_it_left_and_arrived(world: World) -> None:
    await world.take(create(DateShipped=NOON, DateDelivered=EVENING))

    assert world.publisher.types == [
        "ShipmentCreated",
        "ShipmentShipped",
        "ShipmentDelivered",
        "ShipmentReconciled",
    ]


async def test_an_announced_shipment_gets_items_and_leaves_later(world: World) -> None:
    await world.take(
        create("S-1", {}), update("S-1", {("O-1", "1"): 1}), update("S-1", DateShipped=NOON)
    )

    assert world.publisher.types == [
        "ShipmentCreated",
        "ShipmentReconciled",
        "ShipmentShipped",
        "ShipmentReconciled",
    ]
    assert [event.shipment.revision for event in world.reconciled] == [2, 3]


async def test_an_update_changes_only_what_it_carries(world: World) -> None:
    await world.take(create(TrackingNumber="T1", Shipper="UPS", Account="A"))

    await world.take(update(TrackingNumber="T2", Account=None))

    shipment = world.shipments.state("S-1").shipment
    assert (shipment.tracking_number, shipment.shipper, shipment.account) == ("T2", "UPS", None)
    assert shipment.revision == 2
    assert world.publisher.types == ["ShipmentCreated", "ShipmentReconciled"]


async def test_an_update_that_changes_nothing_writes_nothing(world: World) -> None:
    await world.take(create(TrackingNumber="T1"))
    before = world.shipments.documents(), world.ledgers.documents()

    await world.take(update(items={("O-1", "1"): 2}, TrackingNumber="T1"))

    assert (world.shipments.documents(), world.ledgers.documents()) == before


async def test_items_are_replaced_added_and_removed(world: World) -> None:
    await world.take(order("O-2"), create("S-1", {("O-1", "1"): 4, ("O-2", "1"): 1}))

    await world.take(update("S-1", {("O-1", "1"): 6, ("O-1", "2"): 5, ("O-2", "1"): 0}))

    event = world.reconciled[-1]
    assert {(i.order_id, i.line_item_id): i.quantity_shipped for i in event.items} == {
        ("O-1", "1"): 6,
        ("O-1", "2"): 5,
    }
    assert event.removed_order_ids == ["O-2"]
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 6, ("S-1", "2"): 5}
    assert taken(world.ledgers.state("O-2")) == {}


async def test_removing_what_is_not_there_changes_nothing(world: World) -> None:
    await world.take(create())

    await world.take(update(items={("O-1", "2"): 0, ("nowhere", "1"): 0}))

    assert world.codes == []
    assert world.shipments.state("S-1").shipment.revision == 1


async def test_the_same_creation_again_changes_nothing(world: World) -> None:
    await world.take(create("S-1"), create("S-1"))

    assert world.codes == []
    assert world.publisher.types.count("ShipmentCreated") == 1


async def test_another_creation_under_the_same_id_is_refused(world: World) -> None:
    await world.take(create("S-1"), create("S-1", {("O-1", "1"): 3}))

    assert world.codes == ["IdExists"]
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 2}


async def test_more_than_ordered_is_refused_with_the_numbers(world: World) -> None:
    await world.take(create("S-1", {("O-1", "1"): 7}))

    await world.take(create("S-2", {("O-1", "1"): 4, ("O-1", "2"): 1}))

    [rejected] = world.rejections
    [error] = rejected.errors
    assert error.error_code == "ShipmentItem.QuantityExceeded"
    assert error.data == {
        "OrderID": "O-1",
        "LineItemID": "1",
        "Ordered": 10,
        "AlreadyShipped": 7,
        "Requested": 4,
    }
    assert rejected.order_id == "O-1"
    assert world.shipments.state("S-2") is None
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 7}


async def test_a_refused_update_changes_nothing_and_names_everything(world: World) -> None:
    await world.take(create("S-1", {("O-1", "1"): 7}))
    before = world.shipments.state("S-1"), world.ledgers.documents()

    await world.take(
        update("S-1", {("O-1", "1"): 11, ("O-1", "9"): 1, ("O-1", "2"): 3}, DateShipped=NOON)
    )

    assert world.codes == ["ShipmentItem.QuantityExceeded", "NotFound"]
    assert world.errors[1].data == {"ObjectType": "LineItem", "ObjectID": "9", "OrderID": "O-1"}
    assert (world.shipments.state("S-1"), world.ledgers.documents()) == before


async def test_lowering_makes_room_in_the_same_batch(world: World) -> None:
    await world.take(create("S-1", {("O-1", "1"): 10}))

    await world.take(update("S-1", {("O-1", "1"): 4}), create("S-2", {("O-1", "1"): 6}))

    assert world.codes == []
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 4, ("S-2", "1"): 6}


async def test_what_was_raised_and_lowered_in_one_batch_makes_room(world: World) -> None:
    await world.take(
        create("S-1", {("O-1", "1"): 10}),
        update("S-1", {("O-1", "1"): 4}),
        create("S-2", {("O-1", "1"): 6}),
        update("S-2", TrackingNumber="T"),
    )

    assert world.codes == []
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 4, ("S-2", "1"): 6}
    assert world.shipments.state("S-2").shipment.tracking_number == "T"


async def test_an_unknown_shipment_cannot_be_updated(world: World) -> None:
    await world.take(update("S-9", DateShipped=NOON))

    assert world.codes == ["NotFound"]
    assert world.errors[0].data == {"ObjectType": "Shipment", "ObjectID": "S-9"}


async def test_a_new_item_needs_a_quantity(world: World) -> None:
    await world.take(create("S-1", {("O-1", "1"): 0}))

    assert world.codes == ["ValidationFailure"]


async def test_a_line_is_named_once_under_whichever_order(world: World) -> None:
    await world.take(forwarded())

    await world.take(create("S-1", {("O-1", "1"): 1, ("O-1-north", "1"): 1}))

    assert world.codes == ["ValidationFailure"]
    assert world.shipments.state("S-1") is None


async def test_a_canceled_order_takes_no_more_but_gives_back(world: World) -> None:
    await world.take(create("S-1", {("O-1", "1"): 2}))
    await world.take(order(type=CANCELED))

    await world.take(
        update("S-1", {("O-1", "1"): 3}),
        create("S-2", {("O-1", "2"): 1}),
        update("S-1", {("O-1", "1"): 1}),
    )

    assert world.codes == ["Order.CannotShipBadStatus"] * 2
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 1}


async def test_what_has_left_cannot_be_unshipped(world: World) -> None:
    await world.take(create(DateShipped=NOON))

    await world.take(update(DateShipped=None), update(DateShipped=EVENING))

    assert world.codes == ["ValidationFailure"]
    assert world.publisher.types.count("ShipmentShipped") == 1
    assert world.publisher.types.count("ShipmentReconciled") == 2


async def test_nothing_arrives_before_it_leaves(world: World) -> None:
    await world.take(create(DateShipped=EVENING, DateDelivered=NOON))

    assert world.codes == ["ValidationFailure"]


async def test_a_suppliers_order_ties_back(world: World) -> None:
    await world.take(forwarded())

    await world.take(create("S-1", {("O-1-north", "1"): 2}, SupplierID="north"))

    [item] = world.reconciled[0].items
    assert (item.order_id, item.supplier_order_id) == ("O-1", "O-1-north")


async def test_a_suppliers_order_with_an_id_of_its_own_ties_back(world: World) -> None:
    await world.take(forwarded(id="PO77", lines=["1"]))

    await world.take(create("S-1", {("PO77", "1"): 2}), create("S-2", {("O-1", "1"): 2}))

    assert [event.items[0].supplier_order_id for event in world.reconciled] == ["PO77", "PO77"]
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 2, ("S-2", "1"): 2}


async def test_of_two_orders_with_one_id_the_one_with_the_line_is_meant(world: World) -> None:
    await world.take(order("PO77", {"7": 1}), forwarded(id="PO77", lines=["1"]))

    await world.take(create("S-1", {("PO77", "1"): 2, ("PO77", "7"): 1}))

    assert [item.order_id for item in world.reconciled[0].items] == ["O-1", "PO77"]


async def test_another_suppliers_line_is_refused(world: World) -> None:
    await world.take(forwarded(lines=["1"]), forwarded(supplier="south", lines=["2"]))

    await world.take(
        create("S-1", {("O-1", "1"): 1}, SupplierID="south"),
        create("S-2", {("O-1-north", "2"): 1}),
    )

    assert world.codes == ["ValidationFailure", "NotFound"]
    assert world.errors[0].data == {
        "OrderID": "O-1",
        "LineItemID": "1",
        "SupplierID": "south",
        "ForwardedTo": ["north"],
    }


async def test_duplicates_change_nothing(world: World) -> None:
    commands = [create("S-1", at={"id": "a"}), update("S-1", {("O-1", "1"): 5}, at={"id": "b"})]
    await world.take(*commands)
    before = world.shipments.documents(), world.ledgers.documents(), len(world.publisher.entries)

    await world.take(*commands, create("S-1", at={"id": "a"}))

    after = world.shipments.documents(), world.ledgers.documents(), len(world.publisher.entries)
    assert after == before


async def test_a_batch_takes_a_handful_of_round_trips(world: World) -> None:
    world.ledgers.loads.clear()
    commands = [create(f"S-{n}", {("O-1", "1"): 1, ("O-1", "2"): 1}) for n in range(10)]
    saved = len(world.ledgers.saves), len(world.shipments.saves)

    await world.take(*commands)

    assert len(world.publisher.bodies(SHIPMENT_CREATED)) == 10
    assert len(world.ledgers.loads) == 1
    assert (len(world.ledgers.saves), len(world.shipments.saves)) == (saved[0] + 1, saved[1] + 1)


async def test_events_of_a_command_carry_its_trace(world: World) -> None:
    await world.take(create(at={"trace": "00-aa-bb-01"}))

    assert {entry.trace for entry in world.publisher.entries} == {"00-aa-bb-01"}
