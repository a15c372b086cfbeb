"""Approving and declining."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.checkout.domain.state import Phase
from shared.contracts.orders import OrderStatus, PriceOrder
from shared.contracts.registry import (
    APPROVE_ORDER,
    DECLINE_ORDER,
    ORDER_PRICED,
    MessageType,
)
from tests.support.builders import checkout_context, error, place_order, priced, pricing
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


def test_the_rules_threshold_goes_to_pricing_which_knows_the_total() -> None:
    context = checkout_context(approval_above={"acme": "20.00"})

    order = pricing_order(place_order(), context)

    question = order.events[0].body
    assert isinstance(question, PriceOrder)
    assert question.approval_above == Decimal("20.00")


def test_approving_asks_for_the_promise_of_what_was_priced() -> None:
    order = awaiting_order(from_user={"ID": "ada"})
    assert order.state is not None
    before = order.state.order

    [event] = order.take(
        APPROVE_ORDER, {"OrderID": "O-1", "ApprovingUser": "grace", "Comments": "fine"}
    )

    question = event.body
    assert isinstance(question, PriceOrder)
    assert question.priced == pricing()
    assert (question.order_id, question.buyer_id, question.user_id) == ("O-1", "acme", "ada")
    assert (question.line_items, question.approval_above, question.hold) == ([], None, False)
    assert order.state.phase is Phase.PROMISING
    assert order.state.order == before
    assert (order.state.approving_user, order.state.comments) == ("grace", "fine")


def test_the_promise_opens_the_order() -> None:
    order = promising_order()
    assert order.state is not None
    order.context = checkout_context(now=LATER)

    [event] = order.take(ORDER_PRICED, priced(order.state.request_id))

    assert event.type.name == "OrderApproved"
    told = order.state.order
    assert (told.status, told.is_submitted) == (OrderStatus.OPEN, True)
    assert (told.date_approved, told.date_submitted) == (LATER, LATER)
    assert event.body.order == told  # type: ignore[attr-defined]
    assert (order.state.promised, order.state.phase) == (True, Phase.SETTLED)


def test_a_refused_promise_leaves_the_order_awaiting_and_refuses_the_approval() -> None:
    order = awaiting_order()
    order.take(APPROVE_ORDER, {"OrderID": "O-1"}, id="a-1")
    assert order.state is not None

    [rejected] = order.take(ORDER_PRICED, priced(order.state.request_id, errors=[error()]))

    assert error_codes([rejected]) == ["Inventory.Insufficient"]
    command = rejected.body.command  # type: ignore[attr-defined]
    assert (command.type, command.id) == ("ApproveOrder", "a-1")
    assert (order.state.status, order.state.phase) == (
        OrderStatus.AWAITING_APPROVAL, Phase.SETTLED,
    )  # fmt: skip
    assert (order.state.promised, order.state.errors) == (False, [])


def test_after_a_refused_promise_the_order_can_be_approved_again() -> None:
    order = promising_order()
    assert order.state is not None
    order.take(ORDER_PRICED, priced(order.state.request_id, errors=[error()]))

    order.take(APPROVE_ORDER, {"OrderID": "O-1"})
    events = order.take(ORDER_PRICED, priced(order.state.request_id))

    assert names(events) == ["OrderApproved"]


def test_declining_ends_the_order() -> None:
    order = awaiting_order()
    order.context = checkout_context(now=LATER)

    [event] = order.take(
        DECLINE_ORDER, {"OrderID": "O-1", "ApprovingUser": "grace", "Comments": "too dear"}
    )

    assert event.type.name == "OrderDeclined"
    assert order.state is not None
    assert (order.state.status, order.state.order.date_declined) == (OrderStatus.DECLINED, LATER)
    assert event.body.comments == "too dear"  # type: ignore[attr-defined]
    assert event.body.approving_user == "grace"  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["ada", "ada@example.com"])
def test_who_placed_an_order_may_not_approve_it(name: str) -> None:
    order = awaiting_order(from_user={"ID": "ada", "Username": "ada@example.com"})
    before = order.state

    events = order.take(APPROVE_ORDER, {"OrderID": "O-1", "ApprovingUser": name})

    assert error_codes(events) == ["Order.NotEligibleToApprove"]
    assert order.state is before


def rejected_order() -> Story:
    order = pricing_order()
    assert order.state is not None
    order.take(ORDER_PRICED, priced(order.state.request_id, errors=[error()]))
    return order


def declined_order() -> Story:
    order = awaiting_order()
    order.take(DECLINE_ORDER, {"OrderID": "O-1"})
    return order


@pytest.mark.parametrize("command", [APPROVE_ORDER, DECLINE_ORDER], ids=["approve", "decline"])
@pytest.mark.parametrize(
    ("begin", "code"),
    [
        pytest.param(new_order, "NotFound", id="unknown"),
        pytest.param(rejected_order, "NotFound", id="refused"),
        pytest.param(pricing_order, "Order.MustBeAwaitingApproval", id="being priced"),
        pytest.param(promising_order, "Order.MustBeAwaitingApproval", id="being approved"),
        pytest.param(open_order, "Order.MustBeAwaitingApproval", id="open"),
        pytest.param(declined_order, "Order.MustBeAwaitingApproval", id="declined"),
        pytest.param(canceled_order, "Order.MustBeAwaitingApproval", id="canceled"),
    ],
)
def test_only_an_order_that_awaits_approval_is_approved_or_declined(
    begin: Callable[[], Story], code: str, command: MessageType[Any]
) -> None:
    order = begin()
    before = order.state

    events = order.take(command, {"OrderID": "O-1"})

    assert error_codes(events) == [code]
    assert order.state is before
