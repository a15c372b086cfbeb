"""Pricing's answer: it submits the order, lets it wait, refuses it, or comes too late."""

from datetime import timedelta
from decimal import Decimal

from services.checkout.domain.state import Phase
from shared.contracts.orders import OrderEvent, OrderStatus
from shared.contracts.registry import CANCEL_ORDER, ORDER_PRICED
from tests.support.builders import checkout_context, error, line, place_order, priced, pricing
from tests.support.fakes import START
from tests.support.folding import error_codes, names
from tests.unit.checkout.stories import (
    canceled_order,
    new_order,
    open_order,
    pricing_order,
    promising_order,
)

LATER = START + timedelta(seconds=2)


def test_a_promise_submits_the_order_with_its_prices() -> None:
    order = pricing_order()
    assert order.state is not None
    order.context = checkout_context(now=LATER)
    found = pricing([line("1", 2)], shipping="5.00", tax="1.40", discount="3.00")

    [event] = order.take(ORDER_PRICED, priced(order.state.request_id, found))

    assert event.type.name == "OrderSubmitted"
    assert isinstance(event.body, OrderEvent)
    told = event.body.order
    assert (told.status, told.is_submitted) == (OrderStatus.OPEN, True)
    assert (told.date_created, told.date_submitted, told.last_updated) == (
        order.state.order.date_created, LATER, LATER,
    )  # fmt: skip
    assert (told.subtotal, told.shipping_cost, told.tax_cost, told.promotion_discount) == (
        Decimal("20.00"), Decimal("5.00"), Decimal("1.40"), Decimal("3.00"),
    )  # fmt: skip
    assert told.total == Decimal("23.40")
    assert event.body.line_items == found.line_items
    assert (order.state.phase, order.state.promised) == (Phase.SETTLED, True)
    assert (order.state.request_id, order.state.command) == (None, None)


def test_an_answer_without_a_promise_lets_the_order_await_approval() -> None:
    order = pricing_order(context=checkout_context(approval_above={"acme": "20"}))
    assert order.state is not None

    [event] = order.take(ORDER_PRICED, priced(order.state.request_id, promised=False))

    assert event.type.name == "OrderAwaitingApproval"
    assert order.state.status is OrderStatus.AWAITING_APPROVAL
    assert not order.state.promised
    assert not order.state.order.is_submitted
    assert order.state.order.date_submitted is None
    assert order.state.order.total == Decimal("26.40")


def test_errors_of_pricing_refuse_the_order() -> None:
    order = pricing_order(place_order())
    assert order.state is not None
    order.context = checkout_context(now=LATER)

    events = order.take(ORDER_PRICED, priced(order.state.request_id, errors=[error("NotFound")]))

    assert error_codes(events) == ["NotFound"]
    assert (order.state.phase, order.state.promised) == (Phase.REJECTED, False)
    assert order.state.order.last_updated == LATER


def test_an_answer_to_another_request_changes_nothing() -> None:
    order = pricing_order()
    before = order.state

    events = order.take(ORDER_PRICED, priced("another", promised=False))

    assert events == []
    assert order.state is before


def test_a_second_answer_to_a_promised_order_changes_nothing() -> None:
    order = pricing_order()
    assert order.state is not None
    answer = priced(order.state.request_id)
    order.take(ORDER_PRICED, answer)
    before = order.state

    events = order.take(ORDER_PRICED, answer)

    assert events == []
    assert order.state is before


def test_a_promise_for_an_order_canceled_meanwhile_is_given_back() -> None:
    order = pricing_order()
    assert order.state is not None
    request = order.state.request_id
    order.take(CANCEL_ORDER, {"OrderID": "O-1"})
    before = order.state

    [event] = order.take(ORDER_PRICED, priced(request))

    assert (event.type.name, event.body.model_dump()) == ("ReleaseOrder", {"OrderID": "O-1"})
    assert order.state is before


def test_a_promise_after_an_approval_canceled_meanwhile_is_given_back() -> None:
    order = promising_order()
    assert order.state is not None
    request = order.state.request_id
    order.take(CANCEL_ORDER, {"OrderID": "O-1"})

    events = order.take(ORDER_PRICED, priced(request))

    assert names(events) == ["ReleaseOrder"]
    assert order.state.status is OrderStatus.CANCELED


def test_a_refusal_for_an_order_canceled_meanwhile_says_nothing() -> None:
    order = pricing_order()
    assert order.state is not None
    request = order.state.request_id
    order.take(CANCEL_ORDER, {"OrderID": "O-1"})
    before = order.state

    events = order.take(ORDER_PRICED, priced(request, errors=[error()]))

    assert events == []
    assert order.state is before


def test_a_promise_for_an_unknown_order_is_given_back() -> None:
    order = new_order()

    events = order.take(ORDER_PRICED, priced("r-1"))

    assert names(events) == ["ReleaseOrder"]
    assert order.state is None


def test_stale_answers_leave_open_and_canceled_orders_alone() -> None:
    for order in (open_order(), canceled_order()):
        before = order.state

        events = order.take(ORDER_PRICED, priced("stale", promised=False))

        assert events == []
        assert order.state is before
