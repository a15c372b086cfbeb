"""Shipments tied back to an order: quantities, completion, repeats."""

from datetime import timedelta

from shared.contracts.orders import OrderEvent, OrderStatus
from shared.contracts.registry import CANCEL_ORDER, SHIPMENT_RECONCILED
from tests.support.builders import checkout_context, shipment_event
from tests.support.fakes import START
from tests.support.folding import names
from tests.unit.checkout.stories import Story, new_order, open_order

LATER = START + timedelta(days=1)
EVERYTHING = {("O-1", "1"): 2, ("O-1", "2"): 3}


def shipped(order: Story) -> dict[str, int]:
    assert order.state is not None
    return {line.id: line.quantity_shipped for line in order.state.line_items}


def test_a_part_is_counted_and_told_with_its_shipment() -> None:
    order = open_order()
    order.context = checkout_context(now=LATER)

    [event] = order.take(
        SHIPMENT_RECONCILED,
        shipment_event(items={("O-1", "1"): 1}, shipper="UPS", tracking_number="1Z"),
    )

    assert event.type.name == "OrderShipmentsChanged"
    assert isinstance(event.body, OrderEvent)
    assert event.body.shipment is not None
    assert event.body.shipment.model_dump() == {
        "ID": "S-1", "Shipper": "UPS", "TrackingNumber": "1Z", "DateShipped": START,
    }  # fmt: skip
    assert [line.quantity_shipped for line in event.body.line_items] == [1, 0]
    assert (event.body.order.status, event.body.order.last_updated) == (OrderStatus.OPEN, LATER)
    assert shipped(order) == {"1": 1, "2": 0}


def test_completes_when_everything_has_left() -> None:
    order = open_order()
    order.take(SHIPMENT_RECONCILED, shipment_event("S-1", {("O-1", "1"): 2}))
    order.context = checkout_context(now=LATER)

    events = order.take(SHIPMENT_RECONCILED, shipment_event("S-2", {("O-1", "2"): 3}))

    assert names(events) == ["OrderShipmentsChanged", "OrderCompleted"]
    assert order.state is not None
    assert order.state.status is OrderStatus.COMPLETED
    assert order.state.order.date_completed == LATER
    assert shipped(order) == {"1": 2, "2": 3}


def test_without_a_date_everything_counts_but_nothing_completes() -> None:
    order = open_order()

    events = order.take(SHIPMENT_RECONCILED, shipment_event(items=EVERYTHING, shipped=None))

    assert names(events) == ["OrderShipmentsChanged"]
    assert order.state is not None
    assert order.state.status is OrderStatus.OPEN
    assert shipped(order) == {"1": 2, "2": 3}


def test_the_date_that_comes_later_completes() -> None:
    order = open_order()
    order.take(SHIPMENT_RECONCILED, shipment_event(items=EVERYTHING, shipped=None))

    events = order.take(SHIPMENT_RECONCILED, shipment_event(items=EVERYTHING, revision=2))

    assert names(events) == ["OrderShipmentsChanged", "OrderCompleted"]


def test_an_older_revision_is_ignored() -> None:
    order = open_order()
    order.take(SHIPMENT_RECONCILED, shipment_event(items={("O-1", "1"): 1}, revision=2))
    before = order.state

    events = order.take(SHIPMENT_RECONCILED, shipment_event(items=EVERYTHING, revision=1))

    assert events == []
    assert order.state is before


def test_an_order_that_a_shipment_no_longer_carries_drops_its_share() -> None:
    order = open_order()
    order.take(SHIPMENT_RECONCILED, shipment_event("S-1", {("O-1", "1"): 2}))
    order.take(SHIPMENT_RECONCILED, shipment_event("S-2", {("O-1", "2"): 1}))

    events = order.take(
        SHIPMENT_RECONCILED,
        shipment_event("S-1", {("O-2", "1"): 2}, revision=2, removed=["O-1"]),
    )

    assert names(events) == ["OrderShipmentsChanged"]
    assert shipped(order) == {"1": 0, "2": 1}


def test_a_completed_order_is_not_completed_again() -> None:
    order = open_order()
    order.take(SHIPMENT_RECONCILED, shipment_event(items=EVERYTHING))
    assert order.state is not None
    completed = order.state.order.date_completed
    before = order.state
    order.context = checkout_context(now=LATER)

    repeated = order.take(SHIPMENT_RECONCILED, shipment_event(items=EVERYTHING))
    assert order.state is before
    corrected = order.take(SHIPMENT_RECONCILED, shipment_event(items=EVERYTHING, revision=2))

    assert repeated == []
    assert names(corrected) == ["OrderShipmentsChanged"]
    assert order.state.status is OrderStatus.COMPLETED
    assert order.state.order.date_completed == completed


def test_what_ships_of_a_canceled_order_is_counted_but_does_not_complete_it() -> None:
    order = open_order()
    order.take(CANCEL_ORDER, {"OrderID": "O-1"})

    events = order.take(SHIPMENT_RECONCILED, shipment_event(items=EVERYTHING))

    assert names(events) == ["OrderShipmentsChanged"]
    assert order.state is not None
    assert order.state.status is OrderStatus.CANCELED
    assert shipped(order) == {"1": 2, "2": 3}


def test_a_shipment_of_an_unknown_order_leaves_nothing_behind() -> None:
    order = new_order()

    events = order.take(SHIPMENT_RECONCILED, shipment_event())

    assert events == []
    assert order.state is None
