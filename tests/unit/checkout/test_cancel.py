"""Canceling, in every state an order can be in."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.checkout.domain.state import Phase
from shared.contracts.orders import OrderStatus
from shared.contracts.registry import (
    CANCEL_ORDER,
    DECLINE_ORDER,
    ORDER_PRICED,
    PLACE_ORDER,
    SHIPMENT_RECONCILED,
)
from tests.support.builders import checkout_context, error, place_order, priced, shipment_event
from tests.support.fakes import START
from tests.support.folding import error_codes, names
from tests.unit.checkout.stories import (
    Story,
    awaiting_order,
    canceled_order,
    new_order,
    open_order,
    pricing_order,
    promising_order,
)

LATER = START + timedelta(hours=1)


def declined_order() -> Story:
    order = awaiting_order()
    order.take(DECLINE_ORDER, {"OrderID": "O-1"})
    return order


def rejected_order() -> Story:
    order = pricing_order()
    assert order.state is not None
    order.take(ORDER_PRICED, priced(order.state.request_id, errors=[error()]))
    return order


def completed_order() -> Story:
    order = open_order()
    order.take(SHIPMENT_RECONCILED, shipment_event(items={("O-1", "1"): 2, ("O-1", "2"): 3}))
    return order


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        pytest.param(pricing_order, ["OrderCanceled"], id="being priced"),
        pytest.param(awaiting_order, ["OrderCanceled"], id="awaiting approval"),
        pytest.param(promising_order, ["OrderCanceled"], id="being approved"),
        pytest.param(declined_order, ["OrderCanceled"], id="declined"),
        pytest.param(open_order, ["OrderCanceled", "ReleaseOrder"], id="open"),
    ],
)
def test_cancels_and_gives_back_what_was_promised(
    begin: Callable[[], Story], expected: list[str]
) -> None:
    order = begin()
    order.context = checkout_context(now=LATER)

    events = order.take(CANCEL_ORDER, {"OrderID": "O-1", "Comments": "changed my mind"})

    assert names(events) == expected
    state = order.state
    assert state is not None
    assert (state.status, state.phase) == (OrderStatus.CANCELED, Phase.SETTLED)
    assert (state.order.date_canceled, state.order.last_updated) == (LATER, LATER)
    assert (state.promised, state.request_id, state.command) == (False, None, None)
    assert events[0].body.comments == "changed my mind"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("begin", "code"),
    [
        pytest.param(new_order, "NotFound", id="unknown"),
        pytest.param(rejected_order, "NotFound", id="refused"),
        pytest.param(completed_order, "Order.CannotCancelInCurrentStatus", id="completed"),
        pytest.param(canceled_order, "Order.CannotCancelInCurrentStatus", id="canceled"),
    ],
)
def test_refuses_what_cannot_be_canceled(begin: Callable[[], Story], code: str) -> None:
    order = begin()
    before = order.state

    events = order.take(CANCEL_ORDER, {"OrderID": "O-1"})

    assert error_codes(events) == [code]
    assert order.state is before


def test_refuses_when_something_has_left_and_says_how_much() -> None:
    order = open_order()
    order.take(SHIPMENT_RECONCILED, shipment_event(items={("O-1", "2"): 1}))
    before = order.state

    [rejected] = order.take(CANCEL_ORDER, {"OrderID": "O-1"})

    [reason] = rejected.body.errors  # type: ignore[attr-defined]
    assert reason.error_code == "Order.CannotCancelInCurrentStatus"
    assert reason.message == "Order O-1 cannot be canceled: 1 of its 5 units have left."
    assert reason.data == {
        "OrderID": "O-1", "Status": "Open", "QuantityShipped": 1, "Quantity": 5,
    }  # fmt: skip
    assert order.state is before


def test_what_is_packed_but_has_not_left_can_be_canceled() -> None:
    order = open_order()
    order.take(SHIPMENT_RECONCILED, shipment_event(shipped=None))

    events = order.take(CANCEL_ORDER, {"OrderID": "O-1"})

    assert names(events) == ["OrderCanceled", "ReleaseOrder"]


def test_the_id_of_a_canceled_order_stays_taken() -> None:
    order = canceled_order()

    events = order.take(PLACE_ORDER, place_order())

    assert error_codes(events) == ["IdExists"]
