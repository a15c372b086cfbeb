"""What PlaceOrder is refused for: every error at once, and nothing changes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import NewID
from tests.e2e.goods import (
    line,
    open_shop,
    order_body,
    place,
    place_until_accepted,
    priced_product,
    refused,
)
from tests.support.outside import Body, OutsideSystem

Expected = list[tuple[str, Body]]


@dataclass(frozen=True, slots=True)
class Goods:
    """A catalogue with one product for every rule."""

    mark: str
    buyer: str
    retired_buyer: str
    supplier: str
    retired_supplier: str
    plain: str
    unpriced: str
    inactive: str
    few: str
    packs: str
    euros: str

    def code(self, name: str) -> str:
        return f"{name}-{self.mark}"


@pytest.fixture(scope="module")
async def goods(outside: OutsideSystem) -> Goods:
    mark = uuid4().hex[:8]
    names = ("buyer", "gone-buyer", "sup", "gone-sup", "plain", "unpriced", "inactive", "few",
             "packs", "euros")  # fmt: skip
    goods = Goods(mark, *[f"{name}-{mark}" for name in names])

    def promotion(name: str, **more: Any) -> tuple[str, Body]:
        body = {"ID": goods.code(name), "Code": goods.code(name), "DiscountType": "Amount",
                "Value": 1, **more}  # fmt: skip
        return "Promotion", body

    packs = [{"Quantity": 6, "Price": 5}, {"Quantity": 12, "Price": 4}]
    await outside.save_all(
        [
            ("Buyer", {"ID": goods.buyer, "Name": "Buyer", "Currency": "USD"}),
            ("Buyer", {"ID": goods.retired_buyer, "Name": "Gone", "Active": False}),
            ("Supplier", {"ID": goods.supplier, "Name": "Supplier"}),
            ("Supplier", {"ID": goods.retired_supplier, "Name": "Gone", "Active": False}),
            *priced_product(goods.plain, goods.supplier, 10),
            ("Product", {"ID": goods.unpriced, "Name": "Unpriced"}),
            *priced_product(goods.inactive, goods.supplier, 10, Active=False),
            *priced_product(
                goods.few, goods.supplier, 10, schedule={"MinQuantity": 2, "MaxQuantity": 4}
            ),
            *priced_product(
                goods.packs, goods.supplier, 5,
                schedule={"RestrictedQuantity": True, "PriceBreaks": packs},
            ),
            *priced_product(goods.euros, goods.supplier, 5, schedule={"Currency": "EUR"}),
            promotion("old", ExpirationDate="2020-01-01T00:00:00Z"),
            promotion("future", StartDate="2999-01-01T00:00:00Z"),
            promotion("off", Active=False),
            promotion("alone", CanCombine=False),
            promotion("fine"),
            promotion("others", AllowAllBuyers=False, BuyerIDs=["somebody"]),
            promotion("large", MinimumSubtotal=10.01),
        ]
    )  # fmt: skip
    return goods


def _with(*lines: Body, **more: Any) -> Callable[[Goods], Body]:
    return lambda goods: {"LineItems": list(lines), **more}


def _promotions(*names: str) -> Callable[[Goods], Body]:
    return lambda goods: {"Promotions": [goods.code(name) for name in names]}


def _product(kind: str, quantity: int = 1, **more: Any) -> Callable[[Goods], Body]:
    return lambda goods: {"LineItems": [line("L1", getattr(goods, kind), quantity, **more)]}


def _promotion_error(goods: Goods, name: str, reason: str, **data: Any) -> tuple[str, Body]:
    code = goods.code(name)
    return f"Promotion.{reason}", {"PromotionID": code, "Code": code, **data}


def _quantity_error(goods: Goods, kind: str, reason: str, quantity: int, **data: Any) -> Expected:
    product = getattr(goods, kind)
    return [
        (
            f"PriceSchedule.{reason}",
            {
                "ProductID": product,
                "PriceScheduleID": f"{product}-price",
                "LineItemIDs": ["L1"],
                "Quantity": quantity,
                **data,
            },
        )
    ]


# What is wrong with an order of one plain unit (total 10.00 + 4.90 + 0.70 = 15.60), and what it
# is refused for.
REFUSALS: list[tuple[str, Callable[[Goods], Body], Callable[[Goods], Expected]]] = [
    (
        "no lines",
        _with(),
        lambda goods: [("Order.CannotSubmitWithNoLineItems", {})],
    ),
    (
        "unknown buyer",
        lambda goods: {"Order": {"FromCompanyID": "nobody"}},
        lambda goods: [("NotFound", {"ObjectType": "Buyer", "ObjectID": "nobody"})],
    ),
    (
        "inactive buyer",
        lambda goods: {"Order": {"FromCompanyID": goods.retired_buyer}},
        lambda goods: [("Auth.CompanyNotActive", {"BuyerID": goods.retired_buyer})],
    ),
    (
        "unknown product",
        _with(line("L1", "nothing")),
        lambda goods: [
            (
                "Order.ProductsNotFound",
                {"Products": [{"ProductID": "nothing", "LineItemIDs": ["L1"]}]},
            )
        ],
    ),
    (
        "inactive product",
        _product("inactive"),
        lambda goods: [
            (
                "Order.CannotSubmitWithInactiveProduct",
                {"Products": [{"ProductID": goods.inactive, "LineItemIDs": ["L1"]}]},
            )
        ],
    ),
    (
        "no price",
        _product("unpriced"),
        lambda goods: [
            (
                "PriceSchedule.MissingOrConflicting",
                {"LineItemID": "L1", "ProductID": goods.unpriced},
            )
        ],
    ),
    (
        "other currency",
        _product("euros"),
        lambda goods: [
            (
                "PriceSchedule.CurrencyMismatch",
                {
                    "LineItemID": "L1",
                    "ProductID": goods.euros,
                    "PriceScheduleID": f"{goods.euros}-price",
                    "PriceScheduleCurrency": "EUR",
                    "OrderCurrency": "USD",
                },
            )
        ],
    ),
    (
        "quantity zero",
        _product("plain", 0),
        lambda goods: [("LineItem.QuantityMustBePositive", {"LineItemID": "L1", "Quantity": 0})],
    ),
    (
        "below the minimum",
        _product("few", 1),
        lambda goods: _quantity_error(goods, "few", "CannotBeLessThanMin", 1, MinQuantity=2),
    ),
    (
        "above the maximum",
        _product("few", 5),
        lambda goods: _quantity_error(goods, "few", "CannotExceedMax", 5, MaxQuantity=4),
    ),
    (
        "restricted quantity",
        _product("packs", 7),
        lambda goods: _quantity_error(
            goods, "packs", "QuantityNotAllowed", 7, AllowedQuantities=[6, 12]
        ),
    ),
    (
        "unknown supplier",
        _product("plain", SupplierID="nobody"),
        lambda goods: [
            ("NotFound", {"ObjectType": "Supplier", "ObjectID": "nobody", "LineItemID": "L1"})
        ],
    ),
    (
        "inactive supplier",
        lambda goods: {"LineItems": [line("L1", goods.plain, SupplierID=goods.retired_supplier)]},
        lambda goods: [
            (
                "LineItem.ProductNotAvailableFromSeller",
                {
                    "LineItemID": "L1",
                    "ProductID": goods.plain,
                    "SupplierID": goods.retired_supplier,
                },
            )
        ],
    ),
    (
        "duplicate line IDs",
        lambda goods: {"LineItems": [line("L1", goods.plain), line("L1", goods.plain)]},
        lambda goods: [("LineItem.DuplicateID", {"LineItemIDs": ["L1"]})],
    ),
    (
        "unit price too precise",
        _product("plain", UnitPrice=1.005),
        lambda goods: [
            ("ValidationFailure", {"Amount": 1.005, "Currency": "USD", "LineItemID": "L1"})
        ],
    ),
    (
        "payment a cent short",
        lambda goods: {"Payments": [{"ID": "p", "Type": "CreditCard", "Amount": 15.59}]},
        lambda goods: [
            (
                "Order.PaymentsDoNotCoverTotal",
                {"Total": 15.60, "Payments": 15.59, "Missing": 0.01},
            )
        ],
    ),
    (
        "payments together a cent short",
        lambda goods: {
            "Payments": [
                {"Type": "CreditCard", "Amount": 10.00},
                {"Type": "PurchaseOrder", "Amount": 5.59},
            ]
        },
        lambda goods: [
            (
                "Order.PaymentsDoNotCoverTotal",
                {"Total": 15.60, "Payments": 15.59, "Missing": 0.01},
            )
        ],
    ),
    (
        "payment not accepted",
        lambda goods: {
            "Payments": [{"ID": "p", "Type": "CreditCard", "Amount": 20, "Accepted": False}]
        },
        lambda goods: [("Order.CannotSubmitWithUnaccceptedPayments", {"PaymentIDs": ["p"]})],
    ),
    (
        "payment ID twice",
        lambda goods: {"Payments": [{"ID": "p", "Type": "CreditCard", "Amount": 20}] * 2},
        lambda goods: [("Payment.DuplicateID", {"PaymentIDs": ["p"]})],
    ),
    (
        "payment too precise",
        lambda goods: {"Payments": [{"ID": "p", "Type": "CreditCard", "Amount": 20.005}]},
        lambda goods: [
            ("ValidationFailure", {"Field": "Payments.Amount", "Currency": "USD"}),
            ("ValidationFailure", {"Amount": 20.005, "Currency": "USD"}),
        ],
    ),
    (
        "unknown promotion",
        lambda goods: {"Promotions": ["NOTHING"]},
        lambda goods: [("NotFound", {"ObjectType": "Promotion", "ObjectID": "NOTHING"})],
    ),
    (
        "expired promotion",
        _promotions("old"),
        lambda goods: [
            _promotion_error(goods, "old", "Expired", ExpirationDate="2020-01-01T00:00:00+00:00")
        ],
    ),
    (
        "promotion not begun",
        _promotions("future"),
        lambda goods: [
            _promotion_error(goods, "future", "NotYetValid", StartDate="2999-01-01T00:00:00+00:00")
        ],
    ),
    (
        "inactive promotion",
        _promotions("off"),
        lambda goods: [_promotion_error(goods, "off", "NotActive")],
    ),
    (
        "promotion twice",
        _promotions("fine", "fine"),
        lambda goods: [_promotion_error(goods, "fine", "AlreadyAdded")],
    ),
    (
        "promotion that stands alone",
        _promotions("fine", "alone"),
        lambda goods: [_promotion_error(goods, "alone", "CannotCombine")],
    ),
    (
        "promotion of other buyers",
        _promotions("others"),
        lambda goods: [_promotion_error(goods, "others", "NotEligible", BuyerID=goods.buyer)],
    ),
    (
        "promotion for larger orders",
        _promotions("large"),
        lambda goods: [
            _promotion_error(goods, "large", "NotEligible", MinimumSubtotal=10.01, Subtotal=10.0)
        ],
    ),
    (
        "unknown ship method",
        lambda goods: {
            "ShipMethodSelections": [{"ShipEstimateID": goods.supplier, "ShipMethodID": "ROCKET"}]
        },
        lambda goods: [
            (
                "IntegrationEvent.MustHaveShipEstimates",
                {
                    "ShipEstimateID": goods.supplier,
                    "ShipMethodID": "ROCKET",
                    "ShipMethodIDs": ["EXPRESS", "STANDARD"],
                },
            )
        ],
    ),
]


def _codes(errors: list[Body]) -> list[str]:
    return sorted(error["ErrorCode"] for error in errors)


@pytest.mark.parametrize(
    ("change", "expected"),
    [pytest.param(change, expected, id=name) for name, change, expected in REFUSALS],
)
async def test_an_order_is_refused_and_its_id_may_be_used_again(
    outside: OutsideSystem,
    own: NewID,
    goods: Goods,
    change: Callable[[Goods], Body],
    expected: Callable[[Goods], Expected],
) -> None:
    order = own("order")
    good = order_body(order, goods.buyer, line("L1", goods.plain))
    changes = change(goods)
    bad = {**good, **changes, "Order": {**good["Order"], **changes.get("Order", {})}}

    errors = await refused(outside, "PlaceOrder", bad, order)

    assert [(x["ErrorCode"], x.get("Data", {})) for x in errors] == expected(goods)
    assert outside.types(order) == ["CommandRejected x1"]
    submitted = await place(outside, good)
    assert submitted["Order"]["Total"] == 15.60


async def test_all_that_is_wrong_with_an_order_is_said_at_once(
    outside: OutsideSystem, own: NewID, goods: Goods
) -> None:
    order = own("order")
    bad = order_body(
        order,
        "nobody",
        line("L1", "nothing"),
        line("L1", goods.few, 1),
        line("L2", goods.packs, 7),
        line("L3", goods.inactive),
        line("L4", goods.plain, -1),
        line("L5", goods.plain, SupplierID="nobody"),
        line("L6", goods.unpriced),
        Promotions=["NOTHING", goods.code("old")],
        Payments=[{"ID": "p", "Type": "CreditCard", "Amount": 1, "Accepted": False}],
    )

    errors = await refused(outside, "PlaceOrder", bad, order)

    assert _codes(errors) == [
        "LineItem.DuplicateID",
        "LineItem.QuantityMustBePositive",
        "NotFound",  # the buyer
        "NotFound",  # the promotion
        "NotFound",  # the supplier
        "Order.CannotSubmitWithInactiveProduct",
        "Order.CannotSubmitWithUnaccceptedPayments",
        "Order.ProductsNotFound",
        "PriceSchedule.CannotBeLessThanMin",
        "PriceSchedule.MissingOrConflicting",
        "PriceSchedule.QuantityNotAllowed",
        "Promotion.Expired",
    ]
    missing = {x["Data"]["ObjectType"] for x in errors if x["ErrorCode"] == "NotFound"}
    assert missing == {"Buyer", "Promotion", "Supplier"}
    assert outside.types(order) == ["CommandRejected x1"]


@pytest.mark.parametrize(
    "payments",
    [
        pytest.param([15.60], id="exact"),
        pytest.param([15.61], id="more"),
        pytest.param([10.00, 5.60], id="together"),
        pytest.param([None], id="open"),
        pytest.param([0.01, None], id="rest"),
    ],
)
async def test_payments_that_cover_the_total_are_accepted(
    outside: OutsideSystem, own: NewID, goods: Goods, payments: list[float | None]
) -> None:
    given = [
        {"Type": "CreditCard", **({} if amount is None else {"Amount": amount})}
        for amount in payments
    ]
    body = order_body(own("order"), goods.buyer, line("L1", goods.plain), Payments=given)

    submitted = await place(outside, body)

    amounts = [payment["Amount"] for payment in submitted["Payments"]]
    assert (
        amounts
        == {
            (15.60,): [15.60],
            (15.61,): [15.61],
            (10.00, 5.60): [10.00, 5.60],
            (None,): [15.60],
            (0.01, None): [0.01, 15.59],
        }[tuple(payments)]
    )


async def test_a_promotion_is_redeemed_as_often_as_its_limit_says_and_a_cancellation_gives_it_back(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    await outside.save(
        "Promotion",
        {"ID": own("once"), "Code": own("ONCE"), "DiscountType": "Amount", "Value": 1,
         "RedemptionLimit": 1},
    )  # fmt: skip

    def body(name: str) -> Body:
        return order_body(own(name), shop.buyer, line("L1", shop.product), Promotions=[own("ONCE")])

    first = await place(outside, body("a"))
    errors = await refused(outside, "PlaceOrder", body("b"), own("b"))
    await outside.command("CancelOrder", {"OrderID": own("a")})
    await outside.event("OrderCanceled", own("a"))

    again = await place_until_accepted(outside, body("c"), "Promotion.ExceedsUsageLimit")
    assert first["Order"]["PromotionDiscount"] == again["Order"]["PromotionDiscount"] == 1.0
    assert [(x["ErrorCode"], x["Data"]) for x in errors] == [
        (
            "Promotion.ExceedsUsageLimit",
            {"PromotionID": own("once"), "Code": own("ONCE"), "RedemptionLimit": 1},
        )
    ]


async def test_an_id_that_is_taken_is_refused_and_the_order_stays_as_it_was(
    outside: OutsideSystem, own: NewID, goods: Goods
) -> None:
    order = own("order")
    await place(outside, order_body(order, goods.buyer, line("L1", goods.plain, 2)))
    await outside.event("SupplierOrderForwarded", order)

    errors = await refused(
        outside, "PlaceOrder", order_body(order, goods.buyer, line("L1", goods.plain, 9)), order
    )

    assert [(x["ErrorCode"], x["Data"]) for x in errors] == [
        ("IdExists", {"ObjectType": "Order", "ObjectID": order})
    ]
    await outside.command("CancelOrder", {"OrderID": order})
    canceled = await outside.event("OrderCanceled", order)
    assert [x["Quantity"] for x in canceled["LineItems"]] == [2]
