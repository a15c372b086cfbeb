"""Promotions by expression."""

from tests.e2e.conftest import NewID
from tests.e2e.goods import line, open_shop, order_body, place, refused
from tests.support.outside import OutsideSystem


async def test_expressions_say_whom_a_promotion_is_for_and_what_it_takes_off(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    await outside.save_all(
        [
            ("Promotion", {"ID": own("gold"), "Code": own("GOLD"),
                           "EligibleExpression": "order.xp.Level = 'gold'",
                           "ValueExpression": "min(order.Subtotal * .1, 20)"}),
            ("Promotion", {"ID": own("free"), "Code": own("FREE"), "LineItemLevel": True,
                           "EligibleExpression": "item.Quantity >= 3",
                           "ValueExpression": "item.UnitPrice"}),
        ]
    )  # fmt: skip
    lines = [line("L1", shop.product, 3), line("L2", shop.product, 1)]
    codes = [own("FREE"), own("GOLD")]

    submitted = await place(
        outside,
        order_body(own("gold-order"), shop.buyer, *lines, Promotions=codes,
                   order={"xp": {"Level": "Gold"}}),
    )  # fmt: skip
    plain = order_body(own("plain"), shop.buyer, *lines, Promotions=codes)
    errors = await refused(outside, "PlaceOrder", plain, own("plain"))

    found = {(x["Code"], x.get("LineItemID")): x["Amount"] for x in submitted["Promotions"]}
    assert found == {(own("FREE"), "L1"): 10.00, (own("GOLD"), None): 4.00}
    assert submitted["Order"]["PromotionDiscount"] == 14.00
    assert [(x["ErrorCode"], x["Data"]["Code"]) for x in errors] == [
        ("Promotion.NotEligible", own("GOLD"))
    ]
