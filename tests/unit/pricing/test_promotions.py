"""Promotions: eligibility, order of application, amounts."""

from datetime import timedelta
from typing import Any

import pytest

from services.pricing.domain.money import spread
from shared.contracts.catalog import Promotion
from tests.support.fakes import START
from tests.unit.pricing.builders import (
    amount_off,
    codes,
    line,
    money,
    priced,
    promotion,
    refusal,
    request,
    terms,
)


def amounts(*promotions: Promotion, lines: Any = None, asked: Any = None) -> list[tuple[str, Any]]:
    """(code, amount) of each promotion as applied to a mug and two cups at 10."""
    pricing = priced(
        request(
            *(lines or [line(), line("cup", 2)]),
            promotions=asked or [each.code for each in promotions],
        ),
        promotions=promotions,
    )
    return [(applied.code, applied.amount) for applied in pricing.promotions]


def test_a_percentage_of_the_order_stays_at_the_order() -> None:
    pricing = priced(request(line(), line("cup", 2), promotions=["TEN"]), promotions=[promotion()])

    [applied] = pricing.promotions
    assert (applied.amount, applied.line_item_id, applied.line_item_level) == (3, None, False)
    assert [item.line_total for item in pricing.line_items] == [10, 20]
    assert (pricing.subtotal, pricing.promotion_discount, pricing.total) == (30, 3, 27)


def test_a_promotion_of_the_line_level_lowers_each_matching_line() -> None:
    pricing = priced(
        request(line(), line("cup", 2), line("cup"), promotions=["CUPS"]),
        promotions=[amount_off("CUPS", "4", line_item_level=True, product_ids=["cup"])],
    )

    assert [(each.line_item_id, each.amount) for each in pricing.promotions] == [
        ("L2", 4),
        ("L3", 4),
    ]
    assert [(item.promotion_discount, item.line_total) for item in pricing.line_items] == [
        (0, 10),
        (4, 16),
        (4, 6),
    ]
    assert (pricing.promotion_discount, pricing.total) == (8, 32)


def test_priority_decides_then_the_order_asked_for() -> None:
    first = amount_off("FIRST", "5", priority=1)
    second = promotion("SECOND", "10", priority=2)
    last = promotion("LAST", "10")
    later = promotion("LATER", "50")

    applied = amounts(last, second, later, first, asked=["LATER", "LAST", "SECOND", "FIRST"])

    assert applied == [
        ("FIRST", 5),
        ("SECOND", money("2.50")),
        ("LATER", money("11.25")),
        ("LAST", money("1.13")),
    ]


def test_a_discount_never_exceeds_what_is_left() -> None:
    assert amounts(amount_off("A", "25"), amount_off("B", "25")) == [("A", 25), ("B", 5)]
    assert amounts(amount_off("A", "99", line_item_level=True), promotion()) == [
        ("A", 10),
        ("A", 20),
        ("TEN", 0),
    ]


def test_an_order_promotion_for_some_products_counts_only_them() -> None:
    assert amounts(promotion(product_ids=["cup"])) == [("TEN", 2)]
    assert amounts(amount_off("A", "15", product_ids=["mug"])) == [("A", 10)]


def test_tax_is_on_what_the_discounts_leave_of_taxable_lines() -> None:
    pricing = priced(
        request(line(), line("cup", 2), promotions=["TEN"]),
        promotions=[promotion()],
        on=terms(tax="0.07"),
    )

    assert (pricing.tax_cost, pricing.total) == (money("1.89"), money("28.89"))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"active": False}, "Promotion.NotActive"),
        ({"start_date": START + timedelta(milliseconds=1)}, "Promotion.NotYetValid"),
        ({"start_date": START}, None),
        ({"expiration_date": START}, "Promotion.Expired"),
        ({"expiration_date": START + timedelta(milliseconds=1)}, None),
        ({"allow_all_buyers": False}, "Promotion.NotEligible"),
        ({"allow_all_buyers": False, "buyer_ids": ["other"]}, "Promotion.NotEligible"),
        ({"allow_all_buyers": False, "buyer_ids": ["acme"]}, None),
        ({"minimum_subtotal": money("10.01")}, "Promotion.NotEligible"),
        ({"minimum_subtotal": money("10.00")}, None),
        ({"product_ids": ["cup"]}, "Promotion.NotEligible"),
        ({"product_ids": ["cup", "mug"]}, None),
    ],
)
def test_who_may_have_a_promotion_and_when(fields: dict[str, Any], code: str | None) -> None:
    found = codes(request(promotions=["TEN"]), promotions=[promotion(**fields)])

    assert found == ([] if code is None else [code])


def test_an_unknown_code_is_refused() -> None:
    error = refusal(request(promotions=["GONE", "GONE"]))

    assert error.error_code == "NotFound"
    assert error.data == {"ObjectType": "Promotion", "ObjectID": "GONE"}


def test_a_code_given_twice_is_refused() -> None:
    assert codes(request(promotions=["TEN", "TEN", "TEN"]), promotions=[promotion()]) == [
        "Promotion.AlreadyAdded"
    ]


def test_what_does_not_combine_goes_alone() -> None:
    alone = promotion("ALONE", can_combine=False)

    together = refusal(request(promotions=["TEN", "ALONE"]), promotions=[promotion(), alone])

    assert together.error_code == "Promotion.CannotCombine"
    assert together.data == {"PromotionID": "id-ALONE", "Code": "ALONE"}
    assert codes(request(promotions=["ALONE"]), promotions=[alone]) == []


def test_cents_go_to_those_who_lost_most_by_rounding() -> None:
    parts = spread(money("1.00"), [money(1), money(1), money(1)], "USD")

    assert parts == [money("0.34"), money("0.33"), money("0.33")]
    assert spread(money(100), [money(2), money(1)], "JPY") == [money(67), money(33)]
    assert spread(money(5), [money(0), money(0)], "USD") == [money(5), money(0)]


def test_nothing_can_be_spread_over_nobody() -> None:
    with pytest.raises(ValueError, match="no shares"):
        spread(money(1), [], "USD")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"line_item_level": True, "item_limit_per_order": 1}, "ItemLimitPerOrder"),
        ({"line_item_level": True, "quantity_limit_per_order": 1}, "QuantityLimitPerOrder"),
        ({"value_expression": None, "use_integration": True}, "UseIntegration"),
    ],
)
def test_a_promotion_that_would_take_off_more_than_it_says_is_for_no_order(
    fields: dict[str, Any], named: str
) -> None:
    by_expression = Promotion.model_validate(
        {"id": "p", "code": "TEN", "value_expression": "5"} | fields
    )

    error = refusal(request(line(), promotions=["TEN"]), promotions=[by_expression])

    assert error.error_code == "Promotion.NotEligible"
    assert error.message == (
        f"Promotion TEN has {named}, which orders are not priced with yet; remove it."
    )
