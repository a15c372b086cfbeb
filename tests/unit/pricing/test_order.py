"""Orders: shipping, payments, all errors at once, and what always holds."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.pricing.domain.money import spread
from services.pricing.domain.prices import price_break
from shared.contracts.catalog import DiscountType, PriceBreak, PriceSchedule, Promotion, Supplier
from shared.contracts.orders import ShipMethodSelection
from tests.unit.pricing.builders import (
    codes,
    errors,
    line,
    money,
    price,
    priced,
    product,
    promotion,
    refusal,
    request,
    schedule,
    terms,
)

RATES = {"STANDARD": "4.90", "EXPRESS": "12.00"}
NORTH = Supplier(id="north", name="North")


def select(estimate: str, method: str) -> ShipMethodSelection:
    return ShipMethodSelection(ship_estimate_id=estimate, ship_method_id=method)


def test_every_suppliers_part_ships_by_its_cheapest_method() -> None:
    lines = [line(), line("cup", supplier_id="north"), line(supplier_id="marketplace")]

    pricing = priced(request(*lines), suppliers=[NORTH], on=terms(shipping=RATES))

    assert (pricing.shipping_cost, pricing.shipping_cost_overridden) == (money("9.80"), False)
    assert pricing.total == money("39.80")


def test_a_selection_picks_another_method() -> None:
    lines = [line(), line("cup", supplier_id="north")]
    selections = [select("north", "EXPRESS"), select("marketplace", "STANDARD")]

    pricing = priced(
        request(*lines, ship_method_selections=selections),
        suppliers=[NORTH],
        on=terms(shipping=RATES),
    )

    assert pricing.shipping_cost == money("16.90")


def test_a_selection_of_what_is_not_there_is_refused() -> None:
    selections = [select("south", "EXPRESS"), select("marketplace", "PIGEON")]

    found = errors(request(ship_method_selections=selections), on=terms(shipping=RATES))

    assert [(error.error_code, error.data) for error in found] == [
        (
            "IntegrationEvent.MustHaveShipEstimates",
            {"ShipEstimateID": "south", "ShipEstimateIDs": ["marketplace"]},
        ),
        (
            "IntegrationEvent.MustHaveShipEstimates",
            {
                "ShipEstimateID": "marketplace",
                "ShipMethodID": "PIGEON",
                "ShipMethodIDs": ["EXPRESS", "STANDARD"],
            },
        ),
    ]


def test_a_lines_own_shipping_cost_replaces_its_estimate() -> None:
    overridden = line(shipping_cost=money("1.50"))

    whole = priced(request(overridden), on=terms(shipping=RATES))
    partly = priced(request(overridden, line("cup")), on=terms(shipping=RATES))

    assert (whole.shipping_cost, whole.shipping_cost_overridden) == (money("1.50"), True)
    assert whole.line_items[0].shipping_cost == money("1.50")
    assert (partly.shipping_cost, partly.shipping_cost_overridden) == (money("6.40"), True)


def test_payments_must_cover_the_total_to_the_cent() -> None:
    less = price(request(payments_total=money("9.99")))

    [error] = less.errors
    assert error.error_code == "Order.PaymentsDoNotCoverTotal"
    assert error.data == {"Total": 10.0, "Payments": 9.99, "Missing": 0.01}
    assert less.pricing is not None
    assert less.pricing.total == 10
    assert codes(request(payments_total=money("10.00"))) == []
    assert codes(request(payments_total=money("10.01"))) == []
    assert codes(request(payments_total=None)) == []


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = request(
        line("gone"),
        line("old"),
        line(quantity=0),
        line("bare"),
        line(supplier_id="nobody"),
        promotions=["NONE", "OFF"],
        payments_total=money("0.001"),
    )

    result = price(
        wrong,
        products=[
            product("mug"),
            product("old", active=False),
            product("bare", default_price_schedule_id=None),
        ],
        promotions=[promotion("OFF", active=False)],
    )

    assert result.pricing is None
    assert sorted(error.error_code for error in result.errors) == [
        "LineItem.QuantityMustBePositive",
        "NotFound",
        "NotFound",
        "Order.CannotSubmitWithInactiveProduct",
        "Order.ProductsNotFound",
        "PriceSchedule.MissingOrConflicting",
        "Promotion.NotActive",
        "ValidationFailure",
    ]


def test_a_total_with_too_many_digits_is_refused() -> None:
    lines = [line(unit_price=money("9999999999.99"), quantity=900) for _ in range(2)]

    assert refusal(request(*lines)).error_code == "ValidationFailure"


cents = st.integers(0, 50_000).map(lambda count: Decimal(count).scaleb(-2))
lines = st.lists(
    st.builds(
        lambda which, quantity, unit: line(
            which, quantity, unit_price=unit, supplier_id="north" if quantity % 2 else None
        ),
        st.sampled_from(["mug", "cup"]),
        st.integers(1, 50),
        st.none() | cents,
    ),
    min_size=1,
    max_size=6,
)


@st.composite
def promotion_lists(draw: Any) -> list[Promotion]:
    made = []
    for at in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(DiscountType))
        most = 10_000 if kind is DiscountType.PERCENTAGE else 100_000
        made.append(
            Promotion(
                id=f"p{at}",
                code=f"C{at}",
                discount_type=kind,
                value=Decimal(draw(st.integers(1, most))).scaleb(-2),
                line_item_level=draw(st.booleans()),
                priority=draw(st.none() | st.integers(0, 3)),
            )
        )
    return made


@given(lines=lines, promotions=promotion_lists(), tax=st.integers(0, 30), flat=cents)
def test_totals_are_the_sums_of_their_parts_and_never_negative(
    lines: Any, promotions: list[Promotion], tax: int, flat: Decimal
) -> None:
    pricing = priced(
        request(*lines, promotions=[each.code for each in promotions]),
        promotions=promotions,
        suppliers=[NORTH],
        on=terms(tax=str(Decimal(tax) / 100), shipping={"STANDARD": str(flat)}),
    )

    items = pricing.line_items
    for item in items:
        assert item.line_total == item.line_subtotal - item.promotion_discount
        assert item.line_total >= 0
        assert item.promotion_discount == sum(
            each.amount for each in pricing.promotions if each.line_item_id == item.id
        )
    assert pricing.subtotal == sum(item.line_subtotal for item in items)
    assert pricing.promotion_discount == sum(each.amount for each in pricing.promotions)
    assert all(each.amount >= 0 for each in pricing.promotions)
    assert pricing.promotion_discount <= pricing.subtotal
    assert pricing.tax_cost >= 0
    assert (
        pricing.total
        == pricing.subtotal + pricing.tax_cost + pricing.shipping_cost - pricing.promotion_discount
    )
    for amount in (pricing.total, pricing.tax_cost, *(item.line_total for item in items)):
        assert amount == amount.quantize(Decimal("0.01"))


@given(amount=cents, weights=st.lists(cents, min_size=1, max_size=8))
def test_what_is_spread_adds_up_and_follows_the_weights(
    amount: Decimal, weights: list[Decimal]
) -> None:
    parts = spread(amount, weights, "USD")

    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)
    if total := sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - amount * weight / total) < Decimal("0.01")


@given(quantity=st.integers(1, 60), breaks=st.sets(st.integers(1, 50), min_size=1))
def test_the_break_is_the_highest_one_reached(quantity: int, breaks: set[int]) -> None:
    given_schedule: PriceSchedule = schedule().model_copy(
        update={"price_breaks": [PriceBreak(quantity=each, price=Decimal(1)) for each in breaks]}
    )

    found = price_break(given_schedule, quantity)

    reached = [each for each in breaks if each <= quantity]
    assert (found.quantity if found else None) == max(reached, default=None)
