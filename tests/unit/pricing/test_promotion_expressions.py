"""Promotions that say with expressions whom they are for and what they take off."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.promotions import fold_promotion
from shared.contracts.catalog import Promotion
from shared.contracts.orders import Order, OrderStatus
from shared.contracts.registry import PROMOTION
from tests.support.fakes import START
from tests.support.folding import Folding, error_codes, names
from tests.unit.pricing.builders import (
    amount_off,
    errors,
    line,
    price,
    priced,
    product,
    promotion,
    refusal,
    request,
    terms,
)

Promotions: TypeAlias = Folding[Promotion, Mapping[str, str]]

ORDER = Order(
    id="O-1", from_company_id="acme", currency="USD", status=OrderStatus.UNSUBMITTED,
    date_created=START, last_updated=START, xp={"Rush": True, "Credit": 0.125},
)  # fmt: skip


def by_rule(value: str, eligible: str | None = None, code: str = "R", **fields: Any) -> Promotion:
    """A promotion that takes off what ``value`` comes to."""
    return Promotion(
        id=f"id-{code}", code=code, value_expression=value, eligible_expression=eligible, **fields
    )


def item_rule(value: str, eligible: str, **fields: Any) -> Promotion:
    return by_rule(value, eligible, line_item_level=True, **fields)


def asking(*promotions: Promotion, **fields: Any) -> Any:
    """A mug at 10, two cups at 10 each, with these promotions."""
    codes = [each.code for each in promotions]
    return request(line(), line("cup", 2), promotions=codes, **fields)


def applied(*promotions: Promotion, on: Any = None, **fields: Any) -> list[tuple[str | None, str]]:
    """(line, amount) of all that the promotions came to."""
    pricing = priced(asking(*promotions, **fields), promotions=promotions, on=on)
    return [(each.line_item_id, str(each.amount)) for each in pricing.promotions]


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("5", "5.00"),
        ("order.Subtotal * .1", "3.00"),
        ("order.ShippingCost", "4.90"),
        ("order.Total", "30.00"),
        ("order.Total / 10", "3.49"),
        ("order.TaxCost", "0.00"),
        ("items.total(ProductID = 'cup') / items.quantity(ProductID = 'cup')", "10.00"),
        ("min(order.Subtotal * .5, 8)", "8.00"),
        ("ifs(items.quantity() >= 3, 7, 1)", "7.00"),
        ("order.xp.Credit", "0.13"),
        ("-3", "0.00"),
        ("1000", "30.00"),
        ("9" * 60, "30.00"),
    ],
)
def test_what_a_promotion_of_the_order_takes_off(value: str, amount: str) -> None:
    on = terms(shipping={"standard": "4.90"}, tax="0.1")

    assert applied(by_rule(value), on=on, order=ORDER) == [(None, amount)]


@pytest.mark.parametrize(
    ("eligible", "found"),
    [
        ("order.Subtotal >= 30 and order.LineItemCount = 2", True),
        ("order.Subtotal > 30", False),
        ("items.any(ProductID = 'mug') and items.any(ProductID = 'cup')", True),
        ("items.all(Product.xp.OnSale = true)", False),
        ("items.any(Product.Name = 'mug' and UnitPrice = 10)", True),
        ("order.xp.Rush", True),
        ("order.ID = 'O-1' and order.FromCompanyID = 'acme' and order.Currency = 'USD'", True),
        ("now() = now(0)", True),
    ],
)
def test_which_orders_a_promotion_is_for(eligible: str, found: bool) -> None:
    rule = by_rule("5", eligible)

    result = price(asking(rule, order=ORDER), promotions=[rule])

    assert (result.pricing is not None) is found
    assert [error.error_code for error in result.errors] == (
        [] if found else ["Promotion.NotEligible"]
    )


def test_a_refusal_says_which_expression_it_was() -> None:
    rule = by_rule("5", "order.Subtotal > 30")

    found = refusal(asking(rule), promotions=[rule])

    assert found.message == "Promotion R is not for such an order; remove it."
    assert found.data == {
        "PromotionID": "id-R", "Code": "R", "EligibleExpression": "order.Subtotal > 30",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("eligible", "value"),
    [
        ("order.Subtotal / 0 > 1", "5"),
        ("items.any(product.incategory('A'))", "5"),
        ("true", "5 / (order.Subtotal - 30)"),
        ("true", "order.xp.Nothing"),
        ("order.Totle > 1", "5"),
        ("true", "item.LineSubtotal"),
    ],
)
def test_what_cannot_be_computed_does_not_apply(eligible: str, value: str) -> None:
    rule = by_rule(value, eligible)

    found = refusal(asking(rule), promotions=[rule])

    assert found.error_code == "Promotion.NotEligible"
    assert found.message.startswith("Promotion R cannot be computed for this order (")


def test_a_promotion_of_the_order_is_spread_over_its_lines_for_what_follows() -> None:
    rule = by_rule("order.Subtotal * .1")

    pricing = priced(asking(rule), promotions=[rule], on=terms(tax="0.1"))

    assert [item.line_total for item in pricing.line_items] == [10, 20]
    assert (pricing.promotion_discount, pricing.tax_cost) == (Decimal(3), Decimal("2.70"))


@pytest.mark.parametrize(
    ("value", "eligible", "found"),
    [
        ("item.LineSubtotal * .15", "item.ProductID = 'cup'", [("L2", "3.00")]),
        ("3", "item.Quantity >= 1", [("L1", "3.00"), ("L2", "3.00")]),
        ("item.UnitPrice", "item.ProductID = 'cup' and items.any(ProductID = 'mug')",
         [("L2", "10.00")]),
        ("50", "item.Product.Name = 'mug'", [("L1", "10.00")]),
        ("20 / items.count()", "item.ID <> 'L9'", [("L1", "10.00"), ("L2", "10.00")]),
        ("items.quantity(ProductID = item.ProductID)", "item.Quantity > 0",
         [("L1", "1.00"), ("L2", "2.00")]),
    ],
)  # fmt: skip
def test_what_a_promotion_of_lines_takes_off(
    value: str, eligible: str, found: list[tuple[str, str]]
) -> None:
    rule = item_rule(value, eligible)

    assert applied(rule) == found


def test_a_promotion_of_lines_lowers_them() -> None:
    rule = item_rule("item.LineSubtotal * .15", "item.ProductID = 'cup'")

    pricing = priced(asking(rule), promotions=[rule])

    assert [item.promotion_discount for item in pricing.line_items] == [0, 3]
    assert [item.line_total for item in pricing.line_items] == [10, 17]
    assert pricing.total == 27


def test_a_promotion_of_lines_of_which_none_is_eligible_is_refused() -> None:
    rule = item_rule("5", "item.ProductID = 'pot'")

    assert [error.error_code for error in errors(asking(rule), promotions=[rule])] == [
        "Promotion.NotEligible"
    ]


def test_a_promotion_sees_what_those_before_it_took_off() -> None:
    first = item_rule("2", "item.ProductID = 'mug'", code="A", priority=1)
    second = by_rule("order.PromotionDiscount", "order.Total = 28", code="B", priority=2)
    third = item_rule("item.LineTotal", "item.PromotionDiscount = 2", code="C", priority=3)

    found = applied(third, first, second)

    # Of the mug's 8 the second promotion took a share: 2 x 8 / 28.
    assert found == [("L1", "2.00"), (None, "2.00"), ("L1", "7.43")]


def test_expressions_go_with_the_other_terms() -> None:
    cups = amount_off("CUPS", "4", eligible_expression="order.Subtotal > 5", product_ids=["cup"])
    tenth = promotion("TENTH", "10", line_item_level=True, eligible_expression="item.Quantity = 2")

    assert applied(cups, tenth) == [(None, "4.00"), ("L2", "1.60")]


def test_products_narrow_what_an_amount_may_take() -> None:
    assert applied(by_rule("15", product_ids=["mug"])) == [(None, "10.00")]


def test_without_the_order_its_own_fields_are_absent() -> None:
    rule = by_rule("5", "order.ID = 'O-1' and order.FromUserID = 'ada' and not order.xp.Rush")

    assert applied(rule, user_id="ada") == [(None, "5.00")]


def test_a_line_has_the_orders_address_unless_it_has_its_own() -> None:
    rule = item_rule("1", "item.ShippingAddress.City = 'Turin'")
    lines = [line(), line("cup", shipping_address={"City": "Rome"})]
    turin = ORDER.model_copy(
        update={"shipping_address": request(shipping_address={"City": "Turin"}).shipping_address}
    )

    pricing = priced(request(*lines, promotions=["R"], order=turin), promotions=[rule])

    assert [each.line_item_id for each in pricing.promotions] == ["L1"]


def test_other_errors_come_before_expressions_are_asked() -> None:
    rule = by_rule("5", "order.Subtotal > 1000")

    found = errors(request(line("nothing"), promotions=["R"]), promotions=[rule])

    assert [error.error_code for error in found] == ["Order.ProductsNotFound"]


def test_a_line_promotion_over_the_longest_order_is_computed() -> None:
    rule = item_rule(
        "item.LineSubtotal * .1",
        "item.Quantity = 1 and items.quantity() >= 5000 and items.any(ProductID = 'cup')",
    )
    lines = [*(line() for _ in range(4_999)), line("cup")]

    pricing = priced(request(*lines, promotions=["R"]), promotions=[rule])

    assert len(pricing.promotions) == 5_000


def test_a_line_promotion_that_takes_too_long_is_refused() -> None:
    rule = item_rule("1", "items.any(ProductID = item.Product.xp.Pair)")
    goods = [product("mug", xp={"Pair": "cup"})]
    lines = [line() for _ in range(2_000)]

    found = refusal(request(*lines, promotions=["R"]), promotions=[rule], products=goods)

    assert found.error_code == "Promotion.NotEligible"
    assert "too long" in found.message


@given(
    st.lists(st.decimals(-50, 50, places=3), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_amounts_are_cents_and_never_more_than_there_is(
    values: list[Decimal], at_lines: list[bool]
) -> None:
    rules = [
        item_rule(str(value), "item.Quantity > 0", code=f"C{at}")
        if at_line
        else by_rule(str(value), code=f"C{at}")
        for at, (value, at_line) in enumerate(zip(values, at_lines, strict=False))
    ]

    pricing = priced(asking(*rules), promotions=rules)

    amounts = [each.amount for each in pricing.promotions]
    assert all(0 <= amount == round(amount, 2) for amount in amounts)
    assert sum(amounts) == pricing.promotion_discount <= pricing.subtotal
    assert all(0 <= item.line_total <= item.line_subtotal for item in pricing.line_items)


# --- saving promotions ---


def saved(**fields: Any) -> dict[str, Any]:
    return {"ID": "p", "Code": "P", **fields}


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"ValueExpression": "item.UnitPrice"}, ["Expression.ItemNotAllowed"]),
        (
            {"ValueExpression": "5", "EligibleExpression": "true", "LineItemLevel": True},
            ["Expression.ItemRequired"],
        ),
        (
            {"ValueExpression": "5 +", "EligibleExpression": "order.Totle > 5"},
            ["Expression.InvalidToken", "Expression.InvalidSyntax"],
        ),
        ({"ValueExpression": "order.Total > 5"}, ["Expression.InvalidArguments"]),
        ({"ValueExpression": "orders.count()"}, ["Expression.OrderHistoryCannotBeUsed"]),
    ],
)
def test_a_promotion_that_cannot_be_asked_is_refused(
    fields: dict[str, Any], codes: list[str]
) -> None:
    promotions: Promotions = Folding("p", fold_promotion, {})

    events = promotions.take(PROMOTION.save, saved(**fields))

    assert error_codes(events) == codes
    assert promotions.state is None


def test_a_promotion_that_can_be_asked_is_kept() -> None:
    promotions: Promotions = Folding("p", fold_promotion, {})
    body = saved(
        ValueExpression="item.UnitPrice", EligibleExpression="item.Quantity > 1", LineItemLevel=True
    )

    events = promotions.take(PROMOTION.save, body)

    assert names(events) == ["ExpressionPromotionSaved"]
    assert promotions.state == Promotion.model_validate(body)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"EligibleExpression": "true"},
        {"DiscountType": "Amount"},
        {"Value": 5},
        {"DiscountType": "Amount", "Value": 5, "ValueExpression": "5"},
    ],
)
def test_a_promotion_says_in_one_way_what_it_takes_off(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="give "):
        Promotion.model_validate(saved(**fields))
