"""Placing an order: what is asked of pricing, and what an order is refused for."""

from decimal import Decimal

import pytest

from services.checkout.domain.state import Phase
from shared.contracts.catalog import Buyer
from shared.contracts.orders import OrderStatus, PlaceOrder
from shared.contracts.registry import ORDER_PRICED, PLACE_ORDER
from shared.messaging.outbox import caused_by, event_id
from tests.support.builders import (
    BUYER,
    checkout_context,
    draft,
    error,
    payment,
    place_order,
    priced,
    pricing,
)
from tests.support.fakes import START, message
from tests.support.folding import error_codes, names
from tests.unit.checkout.stories import new_order, open_order, pricing_order


def test_asks_pricing_for_everything_it_has_to_know() -> None:
    order = new_order(checkout_context(approval_above={"acme": "100", "other": "1"}))
    body = place_order(
        lines=[draft("mug", 2, id="a"), draft("pen", 5)],
        payments=[payment("12.50"), payment("7.50")],
        promotions=["SPRING"],
        from_user="ada",
        shipping_address={"Country": "DE"},
    )

    [event] = order.take(PLACE_ORDER, body)

    assert event.type.name == "PriceOrder"
    assert order.state is not None
    assert event.body.model_dump(exclude_none=True) == {
        "OrderID": "O-1",
        "BuyerID": "acme",
        "UserID": "ada",
        "Currency": "USD",
        "ShippingAddress": {"Country": "DE"},
        "LineItems": [
            {"ID": "a", "ProductID": "mug", "Quantity": 2},
            {"ID": "2", "ProductID": "pen", "Quantity": 5},
        ],
        "Promotions": ["SPRING"],
        "ShipMethodSelections": [],
        "PaymentsTotal": money("20.00"),
        "ApprovalAbove": money("100"),
        "Hold": False,
        "Order": order.state.order.model_dump(exclude_none=True),
    }


def test_the_order_itself_goes_to_pricing_only_with_promotions_that_may_look_at_it() -> None:
    [event] = new_order().take(PLACE_ORDER, place_order(xp={"Rush": True}))

    assert event.body.order is None  # type: ignore[attr-defined]


def money(amount: str) -> object:
    return pricing(tax=amount).model_dump()["TaxCost"]


def test_keeps_the_order_unsubmitted_until_pricing_answers() -> None:
    order = new_order()
    body = place_order(comments="ring twice", xp={"ref": 7})

    order.take(PLACE_ORDER, body, accepted=START, source="/shop")

    state = order.state
    assert state is not None
    assert (state.phase, state.status) == (Phase.PRICING, OrderStatus.UNSUBMITTED)
    assert not state.order.is_submitted
    assert state.order.date_submitted is None
    assert state.order.date_created == START
    assert (state.order.comments, state.order.xp) == ("ring twice", {"ref": 7})
    assert (state.order.to_company_id, state.source) == ("marketplace", "/shop")


def test_the_request_is_known_by_the_id_its_event_will_have() -> None:
    order = new_order()
    taken = message(PLACE_ORDER, place_order(), id="c-1", source="/shop")

    [event] = order.take(PLACE_ORDER, place_order(), id="c-1", source="/shop")

    assert order.state is not None
    assert order.state.request_id == event_id(caused_by(taken, "O-1"), event.type, 0)


def test_lines_and_payments_without_an_id_get_the_next_free_number() -> None:
    body = place_order(
        lines=[draft(), draft(id="1"), draft(id="3"), draft()],
        payments=[payment("1", id="2"), payment("1"), payment("1")],
    )

    state = pricing_order(body).state

    assert state is not None
    assert [line.id for line in state.line_items] == ["2", "1", "3", "4"]
    assert [payment.id for payment in state.payments] == ["2", "3", "4"]


@pytest.mark.parametrize(
    ("given", "of_buyer", "expected"),
    [("EUR", "GBP", "EUR"), (None, "GBP", "GBP"), (None, None, "USD")],
)
def test_the_currency_is_the_orders_or_the_buyers_or_the_default(
    given: str | None, of_buyer: str | None, expected: str
) -> None:
    buyer = BUYER.model_copy(update={"currency": of_buyer})
    order = pricing_order(place_order(currency=given), checkout_context(buyers=[buyer]))

    state = order.state

    assert state is not None
    assert state.order.currency == expected
    assert order.events[0].body.currency == expected  # type: ignore[attr-defined]


INACTIVE = Buyer(id="idle", name="Idle", active=False)


@pytest.mark.parametrize(
    ("body", "code", "data"),
    [
        pytest.param(
            place_order(from_company_id="nobody"),
            "NotFound",
            {"ObjectType": "Buyer", "ObjectID": "nobody"},
            id="unknown buyer",
        ),
        pytest.param(
            place_order(from_company_id="idle"),
            "Auth.CompanyNotActive",
            {"BuyerID": "idle"},
            id="inactive buyer",
        ),
        pytest.param(
            place_order(lines=[draft(id="a"), draft(id="b"), draft(id="a")]),
            "LineItem.DuplicateID",
            {"LineItemIDs": ["a"]},
            id="a line ID twice",
        ),
        pytest.param(
            place_order(payments=[payment("1"), payment("1", accepted=False)]),
            "Order.CannotSubmitWithUnaccceptedPayments",
            {"PaymentIDs": ["2"]},
            id="a payment that is not accepted",
        ),
        pytest.param(
            place_order(payments=[payment("1", id="p"), payment("2", id="p")]),
            "Payment.DuplicateID",
            {"PaymentIDs": ["p"]},
            id="a payment ID twice",
        ),
        pytest.param(
            place_order(payments=[payment("1.005")]),
            "ValidationFailure",
            {"Field": "Payments.Amount", "Currency": "USD"},
            id="a payment of half a cent",
        ),
        pytest.param(
            place_order(payments=[payment("1.5")], currency="JPY"),
            "ValidationFailure",
            {"Field": "Payments.Amount", "Currency": "JPY"},
            id="a payment of half a yen",
        ),
    ],
)
def test_what_checkout_finds_wrong_is_refused_when_pricing_has_answered(
    body: PlaceOrder, code: str, data: dict[str, object]
) -> None:
    order = pricing_order(body, checkout_context(buyers=[BUYER, INACTIVE]))
    assert order.state is not None
    [question] = order.events
    assert question.body.hold is True  # type: ignore[attr-defined]

    answer = priced(order.state.request_id, promised=False)
    [rejected] = order.take(ORDER_PRICED, answer)

    [found] = rejected.body.errors  # type: ignore[attr-defined]
    assert (found.error_code, found.data) == (code, data)
    assert order.state.phase is Phase.REJECTED
    assert order.state.status is OrderStatus.UNSUBMITTED


def test_all_errors_come_together_in_one_refusal_of_the_command() -> None:
    order = new_order()
    body = place_order(
        from_company_id="nobody",
        lines=[draft(id="a"), draft(id="a")],
        payments=[payment("1.001", id="p", accepted=False), payment("1", id="p")],
    )
    order.take(PLACE_ORDER, body, id="c-1", source="/shop")
    assert order.state is not None
    from_pricing = [error("Inventory.Insufficient"), error("Promotion.Expired")]

    [rejected] = order.take(ORDER_PRICED, priced(order.state.request_id, errors=from_pricing))

    assert error_codes([rejected]) == [
        "NotFound",
        "LineItem.DuplicateID",
        "Order.CannotSubmitWithUnaccceptedPayments",
        "Payment.DuplicateID",
        "ValidationFailure",
        "Inventory.Insufficient",
        "Promotion.Expired",
    ]
    assert rejected.body.model_dump(include={"command", "order_id"}) == {
        "Command": {
            "Topic": "orders.commands", "Type": "PlaceOrder", "ID": "c-1", "Source": "/shop",
        },
        "OrderID": "O-1",
    }  # fmt: skip
    assert order.state.errors == rejected.body.errors  # type: ignore[attr-defined]


def test_an_order_without_lines_is_refused_at_once() -> None:
    order = new_order()

    events = order.take(PLACE_ORDER, place_order(from_company_id="nobody", lines=[]))

    assert error_codes(events) == ["NotFound", "Order.CannotSubmitWithNoLineItems"]
    assert order.state is not None
    assert order.state.phase is Phase.REJECTED


def test_an_id_in_use_is_refused_and_changes_nothing() -> None:
    order = open_order()
    before = order.state

    events = order.take(PLACE_ORDER, place_order(comments="another"))

    assert error_codes(events) == ["IdExists"]
    assert order.state is before


def test_an_id_is_in_use_while_pricing_is_asked() -> None:
    order = pricing_order()
    before = order.state

    events = order.take(PLACE_ORDER, place_order())

    assert error_codes(events) == ["IdExists"]
    assert order.state is before


def test_a_refused_order_may_be_placed_again() -> None:
    order = pricing_order(place_order(comments="first"))
    assert order.state is not None
    first_request = order.state.request_id
    order.take(ORDER_PRICED, priced(first_request, errors=[error()]))

    order.take(PLACE_ORDER, place_order(comments="second"))
    [submitted] = order.take(ORDER_PRICED, priced(order.state.request_id))

    assert submitted.type.name == "OrderSubmitted"
    assert order.state.errors == []
    assert order.state.request_id != first_request
    assert order.state.order.comments == "second"


def test_what_payments_cover_is_not_limited_by_one_that_takes_what_is_open() -> None:
    order = pricing_order(place_order(payments=[payment("5"), payment()]))

    assert order.events[0].body.payments_total is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        pytest.param([None], ["26.40"], id="all"),
        pytest.param(["20", None], ["20", "6.40"], id="the rest"),
        pytest.param([None, None], ["26.40", "0"], id="the first takes all"),
        pytest.param(["30", None], ["30", "0"], id="nothing is open"),
        pytest.param(["20", "10"], ["20", "10"], id="all are given"),
    ],
)
def test_an_open_payment_takes_what_the_others_leave(
    amounts: list[str | None], expected: list[str]
) -> None:
    order = pricing_order(place_order(payments=[payment(amount) for amount in amounts]))
    assert order.state is not None

    [event] = order.take(ORDER_PRICED, priced(order.state.request_id, pricing()))

    assert [payment.amount for payment in order.state.payments] == list(map(Decimal, expected))
    assert event.body.payments == order.state.payments  # type: ignore[attr-defined]
    assert names([event]) == ["OrderSubmitted"]
