"""What becomes of a forwarded order: assignment, cancellation, shipments, completion."""

from datetime import timedelta

import pytest

from shared.contracts.orders import OrderStatus
from shared.contracts.registry import (
    ASSIGN_SUPPLIER,
    ORDER_CANCELED,
    ORDER_SUBMITTED,
    SHIPMENT_RECONCILED,
)
from tests.support.builders import (
    MARKETPLACE,
    assign_supplier,
    forwarding_context,
    line,
    order_event,
    shipment_event,
)
from tests.support.fakes import START
from tests.support.folding import error_codes, names
from tests.unit.forwarding.stories import Story, forwarded, nothing_known, supplier_orders

LATER = START + timedelta(hours=1)
HELD = [line("1", 2, supplier=None), line("2", 3, supplier=None), line("3", 1, supplier="north")]


def statuses(order: Story) -> dict[str, str]:
    assert order.state is not None
    return {part.order.id: part.order.status.value for part in order.state.parts}


def held(order: Story) -> list[str]:
    assert order.state is not None
    return [line.id for line in order.state.held]


# --- held lines -----------------------------------------------------------------------------


def test_assigning_a_supplier_forwards_held_lines() -> None:
    order = forwarded(HELD)
    order.context = forwarding_context(now=LATER)

    events = order.take(ASSIGN_SUPPLIER, assign_supplier("O-1", ("1", "south")))

    assert supplier_orders(events) == [("SupplierOrderForwarded", "O-1-south", ["1"])]
    [part] = [event.body for event in events]
    assert part.line_items[0].supplier_id == "south"  # type: ignore[attr-defined]
    assert part.order.date_created == LATER  # type: ignore[attr-defined]
    assert held(order) == ["2"]
    assert statuses(order) == {"O-1-north": "Open", "O-1-south": "Open"}


def test_a_supplier_that_has_a_part_gets_another_one() -> None:
    order = forwarded(HELD)

    events = order.take(ASSIGN_SUPPLIER, assign_supplier("O-1", ("1", "north"), ("2", MARKETPLACE)))

    assert supplier_orders(events) == [
        ("SupplierOrderForwarded", "O-1-north-2", ["1"]),
        ("SupplierOrderForwarded", "O-1-marketplace", ["2"]),
    ]
    assert held(order) == []


@pytest.mark.parametrize(
    ("assignment", "data"),
    [
        pytest.param(
            ("9", "south"), {"ObjectType": "LineItem", "ObjectID": "9"}, id="unknown line"
        ),
        pytest.param(
            ("3", "south"), {"ObjectType": "LineItem", "ObjectID": "3"}, id="forwarded line"
        ),
        pytest.param(
            ("1", "nobody"), {"ObjectType": "Supplier", "ObjectID": "nobody"}, id="no supplier"
        ),
    ],
)
def test_a_wrong_assignment_is_refused_whole(
    assignment: tuple[str, str], data: dict[str, str]
) -> None:
    order = forwarded(HELD)
    before = order.state

    events = order.take(ASSIGN_SUPPLIER, assign_supplier("O-1", ("2", "south"), assignment))

    assert error_codes(events) == ["NotFound"]
    assert events[0].body.errors[0].data == data  # type: ignore[attr-defined]
    assert order.state is before


def test_all_wrong_assignments_are_named_at_once() -> None:
    order = forwarded(HELD)

    events = order.take(
        ASSIGN_SUPPLIER,
        assign_supplier("O-1", ("9", "south"), ("1", "nobody"), ("2", "north"), ("2", "south")),
    )

    assert error_codes(events) == ["NotFound", "NotFound", "ValidationFailure"]


def test_nothing_can_be_assigned_before_the_order_came() -> None:
    order = nothing_known()

    events = order.take(ASSIGN_SUPPLIER, assign_supplier("O-1", ("1", "north")))

    assert error_codes(events) == ["NotFound"]
    assert order.state is None


def test_nothing_can_be_assigned_after_a_cancellation() -> None:
    order = forwarded(HELD)
    order.take(ORDER_CANCELED, order_event(status=OrderStatus.CANCELED))

    events = order.take(ASSIGN_SUPPLIER, assign_supplier("O-1", ("1", "north")))

    assert error_codes(events) == ["NotFound"]


# --- cancellation ---------------------------------------------------------------------------


def test_canceling_cancels_every_part_and_releases_what_is_held() -> None:
    order = forwarded([*HELD, line("4", supplier="south")])
    order.context = forwarding_context(now=LATER)

    events = order.take(ORDER_CANCELED, order_event(status=OrderStatus.CANCELED))

    assert supplier_orders(events) == [
        ("SupplierOrderCanceled", "O-1-north", ["3"]),
        ("SupplierOrderCanceled", "O-1-south", ["4"]),
    ]
    assert order.state is not None
    assert {part.order.date_canceled for part in order.state.parts} == {LATER}
    assert statuses(order) == {"O-1-north": "Canceled", "O-1-south": "Canceled"}
    assert held(order) == []


def test_canceling_again_changes_nothing() -> None:
    order = forwarded()
    order.take(ORDER_CANCELED, order_event(status=OrderStatus.CANCELED))
    before = order.state

    events = order.take(ORDER_CANCELED, order_event(status=OrderStatus.CANCELED))

    assert events == []
    assert order.state is before


def test_a_part_that_is_complete_is_not_canceled() -> None:
    order = forwarded()
    order.take(SHIPMENT_RECONCILED, shipment_event())

    events = order.take(ORDER_CANCELED, order_event(status=OrderStatus.CANCELED))

    assert supplier_orders(events) == [("SupplierOrderCanceled", "O-1-south", ["2"])]
    assert statuses(order) == {"O-1-north": "Completed", "O-1-south": "Canceled"}


def test_an_order_canceled_before_it_came_is_not_forwarded() -> None:
    order = nothing_known()
    canceled = order.take(ORDER_CANCELED, order_event(status=OrderStatus.CANCELED))

    submitted = order.take(ORDER_SUBMITTED, order_event())

    assert canceled == []
    assert submitted == []
    assert statuses(order) == {}


# --- shipments ------------------------------------------------------------------------------


def test_each_supplier_order_completes_by_itself() -> None:
    order = forwarded()
    order.context = forwarding_context(now=LATER)

    first = order.take(SHIPMENT_RECONCILED, shipment_event("S-1", {("O-1", "1"): 2}))
    assert statuses(order) == {"O-1-north": "Completed", "O-1-south": "Open"}
    part = order.take(SHIPMENT_RECONCILED, shipment_event("S-2", {("O-1", "2"): 1}))
    rest = order.take(SHIPMENT_RECONCILED, shipment_event("S-3", {("O-1", "2"): 2}))

    assert supplier_orders(first) == [("SupplierOrderCompleted", "O-1-north", ["1"])]
    assert part == []
    assert supplier_orders(rest) == [("SupplierOrderCompleted", "O-1-south", ["2"])]
    assert rest[0].body.line_items[0].quantity_shipped == 3  # type: ignore[attr-defined]
    assert rest[0].body.order.date_completed == LATER  # type: ignore[attr-defined]


def test_without_a_date_everything_counts_but_nothing_completes() -> None:
    order = forwarded()

    events = order.take(SHIPMENT_RECONCILED, shipment_event(shipped=None))

    assert events == []
    assert statuses(order) == {"O-1-north": "Open", "O-1-south": "Open"}
    assert order.state is not None
    assert [part.line_items[0].quantity_shipped for part in order.state.parts] == [2, 0]


def test_a_repeated_shipment_changes_nothing() -> None:
    order = forwarded()
    order.take(SHIPMENT_RECONCILED, shipment_event())
    before = order.state

    events = order.take(SHIPMENT_RECONCILED, shipment_event())

    assert events == []
    assert order.state is before


def test_a_shipment_that_overtook_the_order_completes_it_on_arrival() -> None:
    order = nothing_known()
    early = order.take(SHIPMENT_RECONCILED, shipment_event(items={("O-1", "1"): 2}))

    events = order.take(
        ORDER_SUBMITTED, order_event(lines=[line("1", 2), line("2", supplier="south")])
    )

    assert early == []
    assert names(events) == [
        "SupplierOrderForwarded", "SupplierOrderForwarded", "SupplierOrderCompleted",
    ]  # fmt: skip
    assert events[0].body.line_items[0].quantity_shipped == 2  # type: ignore[attr-defined]
    assert statuses(order) == {"O-1-north": "Completed", "O-1-south": "Open"}


def test_held_lines_that_left_already_complete_when_they_are_assigned() -> None:
    order = forwarded([line("1", 2, supplier=None)])
    order.take(SHIPMENT_RECONCILED, shipment_event())
    assert order.state is not None
    assert order.state.held[0].quantity_shipped == 2

    events = order.take(ASSIGN_SUPPLIER, assign_supplier("O-1", ("1", "south")))

    assert names(events) == ["SupplierOrderForwarded", "SupplierOrderCompleted"]


def test_what_ships_of_a_canceled_order_does_not_complete_its_parts() -> None:
    order = forwarded()
    order.take(ORDER_CANCELED, order_event(status=OrderStatus.CANCELED))

    events = order.take(SHIPMENT_RECONCILED, shipment_event())

    assert events == []
    assert statuses(order) == {"O-1-north": "Canceled", "O-1-south": "Canceled"}
