"""Orders that await approval."""

from tests.e2e.conftest import NewID
from tests.e2e.goods import Shop, line, open_shop, order_body, place, refused, utc
from tests.support.outside import Body, OutsideSystem


async def _awaiting(outside: OutsideSystem, own: NewID) -> tuple[Shop, Body]:
    """A shop with a rule for totals above 25, and an order of 3 x 10.00 plus shipping and tax."""
    shop = await open_shop(outside, own("shop"))
    rule = {"ID": own("rule"), "BuyerID": shop.buyer, "OrderTotalAbove": 25}
    await outside.save("ApprovalRule", rule)
    body = order_body(
        own("order"), shop.buyer, line("L1", shop.product, 3), order={"FromUser": {"ID": "ada"}}
    )
    await outside.command("PlaceOrder", body)
    return shop, await outside.event("OrderAwaitingApproval", own("order"))


async def test_an_approved_order_opens_and_is_forwarded(outside: OutsideSystem, own: NewID) -> None:
    shop, waiting = await _awaiting(outside, own)
    order = own("order")

    # Below the limit nobody is asked: 10.00 + 4.90 + 0.70 = 15.60.
    await place(outside, order_body(own("small"), shop.buyer, line("L1", shop.product)))
    own_order = await refused(
        outside, "ApproveOrder", {"OrderID": order, "ApprovingUser": "ada"}, order
    )
    await outside.command(
        "ApproveOrder", {"OrderID": order, "ApprovingUser": "chief", "Comments": "Fine."}
    )

    approved = await outside.event("OrderApproved", order)
    forwarded = await outside.event("SupplierOrderForwarded", order)
    again = await refused(
        outside, "ApproveOrder", {"OrderID": order, "ApprovingUser": "chief"}, order
    )
    late = await refused(outside, "DeclineOrder", {"OrderID": order}, order)
    assert waiting["Order"]["Status"] == "AwaitingApproval"
    assert waiting["Order"]["IsSubmitted"] is False
    assert "DateSubmitted" not in waiting["Order"]
    # 30.00 + 4.90 + 2.10
    assert waiting["Order"]["Total"] == 37.00
    assert [(x["ErrorCode"], x["Data"]) for x in own_order] == [
        ("Order.NotEligibleToApprove", {"OrderID": order, "ApprovingUser": "ada"})
    ]
    assert approved["Order"]["Status"] == "Open"
    assert approved["Order"]["IsSubmitted"] is True
    assert approved["Order"]["DateApproved"] == approved["Order"]["DateSubmitted"]
    assert utc(approved["Order"]["DateApproved"]) >= utc(waiting["Order"]["LastUpdated"])
    assert approved["Order"]["Total"] == 37.00
    assert (approved["ApprovingUser"], approved["Comments"]) == ("chief", "Fine.")
    assert forwarded["Order"]["ID"] == f"{order}-{shop.supplier}"
    for errors in (again, late):
        assert [(x["ErrorCode"], x["Data"]) for x in errors] == [
            ("Order.MustBeAwaitingApproval", {"OrderID": order, "Status": "Open"})
        ]
    assert "OrderSubmitted x1" not in outside.types(order)


async def test_a_declined_order_ends_there(outside: OutsideSystem, own: NewID) -> None:
    await _awaiting(outside, own)
    order = own("order")

    await outside.command(
        "DeclineOrder", {"OrderID": order, "ApprovingUser": "chief", "Comments": "Too dear."}
    )

    declined = await outside.event("OrderDeclined", order)
    errors = await refused(outside, "ApproveOrder", {"OrderID": order}, order)
    assert declined["Order"]["Status"] == "Declined"
    assert declined["Order"]["IsSubmitted"] is False
    assert utc(declined["Order"]["DateDeclined"]) == utc(declined["Order"]["LastUpdated"])
    assert (declined["ApprovingUser"], declined["Comments"]) == ("chief", "Too dear.")
    assert [(x["ErrorCode"], x["Data"]) for x in errors] == [
        ("Order.MustBeAwaitingApproval", {"OrderID": order, "Status": "Declined"})
    ]
    assert outside.types(order) == [
        "CommandRejected x1", "OrderAwaitingApproval x1", "OrderDeclined x1",
    ]  # fmt: skip


async def test_stock_is_promised_on_approval_and_an_order_that_cannot_have_it_goes_on_waiting(
    outside: OutsideSystem, own: NewID
) -> None:
    shop, _ = await _awaiting(outside, own)
    order = own("order")
    await outside.save("Inventory", {"ID": shop.product, "QuantityAvailable": 2})

    errors = await refused(outside, "ApproveOrder", {"OrderID": order}, order)
    await outside.save("Inventory", {"ID": shop.product, "QuantityAvailable": 3})
    await outside.command("ApproveOrder", {"OrderID": order})

    await outside.event("OrderApproved", order)
    assert [(x["ErrorCode"], x["Data"]) for x in errors] == [
        (
            "Inventory.Insufficient",
            {
                "ProductID": shop.product,
                "LineItemIDs": ["L1"],
                "Available": 2,
                "Requested": 3,
            },
        )
    ]


async def test_verdicts_on_orders_that_do_not_await_any_are_refused(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    order = own("order")
    await place(outside, order_body(order, shop.buyer, line("L1", shop.product)))

    wrong_state = await refused(outside, "ApproveOrder", {"OrderID": order}, order)
    unknown = await refused(outside, "DeclineOrder", {"OrderID": own("none")}, own("none"))

    assert [(x["ErrorCode"], x["Data"]) for x in wrong_state] == [
        ("Order.MustBeAwaitingApproval", {"OrderID": order, "Status": "Open"})
    ]
    assert [(x["ErrorCode"], x["Data"]) for x in unknown] == [
        ("NotFound", {"ObjectType": "Order", "ObjectID": own("none")})
    ]


async def test_an_expression_says_which_orders_await_approval(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    await outside.save("Inventory", {"ID": shop.product, "QuantityAvailable": 3})
    rule = {"ID": own("rule"), "BuyerID": shop.buyer, "ApprovingGroupID": own("chiefs")}
    await outside.save(
        "ApprovalRule", {**rule, "RuleExpression": "items.quantity() > 2 and not order.xp.Standing"}
    )

    def body(order: str, **xp: object) -> Body:
        return order_body(order, shop.buyer, line("L1", shop.product, 3), order={"xp": xp})

    await outside.command("PlaceOrder", body(own("big")))
    waiting = await outside.event("OrderAwaitingApproval", own("big"))
    # The order that waits has taken no stock: the next one gets all of it.
    submitted = await place(outside, body(own("standing"), Standing=True))
    errors = await refused(outside, "ApproveOrder", {"OrderID": own("big")}, own("big"))

    assert waiting["Order"]["Status"] == "AwaitingApproval"
    assert submitted["Order"]["Status"] == "Open"
    assert "DateApproved" not in submitted["Order"]
    assert [x["ErrorCode"] for x in errors] == ["Inventory.Insufficient"]
    assert [x["Data"]["Available"] for x in errors] == [0]
