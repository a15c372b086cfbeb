"""Lines: products, suppliers, unit prices, quantity rules."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.catalog import Supplier
from tests.support.fakes import START
from tests.unit.pricing.builders import (
    codes,
    line,
    money,
    price,
    priced,
    product,
    refusal,
    request,
    schedule,
)

BREAKS = ((1, "10.00"), (5, "9.00"), (10, "7.50"))


@pytest.mark.parametrize(
    ("quantity", "unit", "subtotal"),
    [
        (1, "10.00", "10.00"),
        (4, "10.00", "40.00"),
        (5, "9.00", "45.00"),
        (9, "9.00", "81.00"),
        (10, "7.50", "75.00"),
    ],
)
def test_the_highest_break_reached_is_the_price(quantity: int, unit: str, subtotal: str) -> None:
    pricing = priced(request(line(quantity=quantity)), schedules=[schedule(*BREAKS)])

    [item] = pricing.line_items
    assert (item.unit_price, item.line_subtotal) == (money(unit), money(subtotal))
    assert pricing.subtotal == money(subtotal)


def test_breaks_count_all_lines_of_a_product_where_the_schedule_says_so() -> None:
    lines = request(line(quantity=3), line("cup", 1), line(quantity=2))

    alone = priced(lines, schedules=[schedule(*BREAKS)])
    together = priced(lines, schedules=[schedule(*BREAKS, use_cumulative_quantity=True)])

    assert [item.unit_price for item in alone.line_items] == [money(10)] * 3
    assert [item.unit_price for item in together.line_items] == [money(9), money(10), money(9)]


@pytest.mark.parametrize(
    ("start", "end", "on_sale"),
    [
        (None, None, False),
        (0, None, True),
        (1, None, False),
        (None, 0, True),
        (None, -1, False),
        (0, 0, True),
        (-5, 5, True),
        (-5, -1, False),
    ],
)
def test_a_sale_has_both_edges_and_either_may_be_open(
    start: int | None, end: int | None, on_sale: bool
) -> None:
    def at(offset: int | None) -> Any:
        return None if offset is None else START + timedelta(milliseconds=offset)

    pricing = priced(
        schedules=[schedule((1, "10.00", "8.00"), sale_start=at(start), sale_end=at(end))]
    )

    [item] = pricing.line_items
    assert (item.is_on_sale, item.unit_price) == (on_sale, money(8 if on_sale else 10))


def test_a_break_without_sale_price_is_never_on_sale() -> None:
    pricing = priced(schedules=[schedule((1, "10.00"), sale_start=START)])

    assert not pricing.line_items[0].is_on_sale


def test_a_subtotal_is_rounded_half_up_once() -> None:
    pricing = priced(request(line(quantity=3)), schedules=[schedule((1, "0.335"))])

    assert pricing.line_items[0].line_subtotal == money("1.01")


@pytest.mark.parametrize(
    ("rules", "quantity", "code", "data"),
    [
        ({"min_quantity": 3}, 2, "CannotBeLessThanMin", {"MinQuantity": 3}),
        ({"max_quantity": 3}, 4, "CannotExceedMax", {"MaxQuantity": 3}),
        (
            {"restricted_quantity": True},
            4,
            "QuantityNotAllowed",
            {"AllowedQuantities": [1, 5, 10]},
        ),
    ],
)
def test_a_quantity_outside_the_schedules_rules_is_refused(
    rules: dict[str, Any], quantity: int, code: str, data: dict[str, Any]
) -> None:
    error = refusal(request(line(quantity=quantity)), schedules=[schedule(*BREAKS, **rules)])

    assert error.error_code == f"PriceSchedule.{code}"
    assert error.data == {
        "ProductID": "mug",
        "PriceScheduleID": "ps",
        "LineItemIDs": ["L1"],
        "Quantity": quantity,
        **data,
    }


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"min_quantity": 6}, "PriceSchedule.CumulativeCannotBeLessThanMin"),
        ({"max_quantity": 4}, "PriceSchedule.CumulativeCannotExceedMax"),
        ({"restricted_quantity": True}, "PriceSchedule.CumulativeQuantityNotAllowed"),
    ],
)
def test_a_cumulative_rule_is_said_once_for_all_lines(rules: dict[str, Any], code: str) -> None:
    error = refusal(
        request(line(quantity=2), line(quantity=3)),
        schedules=[schedule((1, "10"), (10, "9"), use_cumulative_quantity=True, **rules)],
    )

    assert error.error_code == code
    assert error.data is not None
    assert (error.data["Quantity"], error.data["LineItemIDs"]) == (5, ["L1", "L2"])


def test_below_the_lowest_break_there_is_no_price() -> None:
    error = refusal(request(line(quantity=4)), schedules=[schedule((5, "9.00"))])

    assert error.error_code == "PriceSchedule.CannotBeLessThanMin"
    assert error.data is not None
    assert error.data["MinQuantity"] == 5


def test_a_channels_price_replaces_the_schedules_but_not_its_quantity_rules() -> None:
    override = line(quantity=5, unit_price=money("1.23"))

    pricing = priced(
        request(override), schedules=[schedule((1, "9", "8"), currency="EUR", sale_start=START)]
    )
    refused = codes(request(override), schedules=[schedule(max_quantity=4)])

    [item] = pricing.line_items
    assert (item.unit_price, item.line_subtotal) == (money("1.23"), money("6.15"))
    assert (item.price_overridden, item.is_on_sale) == (True, False)
    assert refused == ["PriceSchedule.CannotExceedMax"]


def test_a_channels_price_needs_no_schedule() -> None:
    bare = product(default_price_schedule_id=None)

    assert priced(request(line(unit_price=money(3))), products=[bare]).subtotal == 3
    assert codes(products=[bare]) == ["PriceSchedule.MissingOrConflicting"]
    assert codes(products=[product(default_price_schedule_id="gone")]) == [
        "PriceSchedule.MissingOrConflicting"
    ]


def test_missing_products_are_named_with_their_lines() -> None:
    error = refusal(request(line(), line("x"), line("y"), line("x")))

    assert error.error_code == "Order.ProductsNotFound"
    assert error.data == {
        "Products": [
            {"ProductID": "x", "LineItemIDs": ["L2", "L4"]},
            {"ProductID": "y", "LineItemIDs": ["L3"]},
        ]
    }


def test_an_inactive_product_is_refused() -> None:
    error = refusal(products=[product(active=False)])

    assert error.error_code == "Order.CannotSubmitWithInactiveProduct"
    assert error.data == {"Products": [{"ProductID": "mug", "LineItemIDs": ["L1"]}]}


def test_a_lines_supplier_goes_before_the_products() -> None:
    suppliers = [Supplier(id="north", name="N"), Supplier(id="south", name="S")]

    pricing = priced(
        request(line(), line(supplier_id="south"), line("cup"), line(supplier_id="marketplace")),
        products=[product(default_supplier_id="north"), product("cup")],
        suppliers=suppliers,
    )

    assert [item.supplier_id for item in pricing.line_items] == [
        "north",
        "south",
        None,
        "marketplace",
    ]


def test_an_unknown_or_inactive_supplier_is_refused() -> None:
    given = request(line(supplier_id="gone"), line(supplier_id="shut"))

    result = price(given, suppliers=[Supplier(id="shut", name="S", active=False)])

    assert [(error.error_code, error.data) for error in result.errors] == [
        ("NotFound", {"ObjectType": "Supplier", "ObjectID": "gone", "LineItemID": "L1"}),
        (
            "LineItem.ProductNotAvailableFromSeller",
            {"LineItemID": "L2", "ProductID": "mug", "SupplierID": "shut"},
        ),
    ]


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_must_be_positive(quantity: int) -> None:
    error = refusal(request(line(quantity=quantity)))

    assert error.error_code == "LineItem.QuantityMustBePositive"
    assert error.data == {"LineItemID": "L1", "Quantity": quantity}


def test_a_quantity_beyond_all_measure_is_refused() -> None:
    assert codes(request(line(quantity=10**30))) == ["ValidationFailure"]
    assert codes(request(line(quantity=2**31 - 1)), schedules=[schedule((1, "99999999"))]) == [
        "ValidationFailure"
    ]


def test_an_amount_must_fit_the_currency() -> None:
    given = request(
        line(unit_price=money("1.005"), shipping_cost=money("0.001")),
        currency="USD",
        payments_total=money("1.234"),
    )

    assert codes(given) == ["ValidationFailure"] * 3


@pytest.mark.parametrize(
    ("order", "schedules", "currency"),
    [("EUR", None, "EUR"), (None, "JPY", "JPY"), (None, None, "USD"), ("EUR", "EUR", "EUR")],
)
def test_the_currency_is_the_orders_then_the_schedules_then_the_deployments(
    order: str | None, schedules: str | None, currency: str
) -> None:
    pricing = priced(request(currency=order), schedules=[schedule(currency=schedules)])

    assert pricing.currency == currency


def test_a_schedule_in_another_currency_is_refused() -> None:
    error = refusal(request(currency="EUR"), schedules=[schedule(currency="USD")])

    assert error.error_code == "PriceSchedule.CurrencyMismatch"


def test_a_line_keeps_its_product_as_it_is_now() -> None:
    mug = product(description="blue", returnable=True, xp={"color": "blue"})

    pricing = priced(request(line(xp={"gift": True})), products=[mug])

    [item] = pricing.line_items
    assert item.xp == {"gift": True}
    assert item.product is not None
    assert item.product.model_dump(exclude_none=True) == {
        "ID": "mug",
        "Name": "mug",
        "Description": "blue",
        "Returnable": True,
        "QuantityMultiplier": 1,
        "xp": {"color": "blue"},
    }
