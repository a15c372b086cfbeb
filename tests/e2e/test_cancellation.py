"""Canceling: before and after forwarding, when it is refused, and what is given back."""

from tests.e2e.conftest import NewID
from tests.e2e.goods import (
    SHIPPED_AT,
    line,
    open_shop,
    order_body,
    place,
    place_until_accepted,
    refused,
    shipment_body,
    utc,
)
from tests.support.outside import OutsideSystem


async def test_the_last_unit_goes_to_whoever_comes_after_a_cancellation(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    await outside.save("Inventory", {"ID": shop.product, "QuantityAvailable": 1})
    first, second, third = own("a"), own("b"), own("c")
    await place(outside, order_body(first, shop.buyer, line("L1", shop.product)))
    await outside.event("SupplierOrderForwarded", first)

    errors = await refused(
        outside, "PlaceOrder", order_body(second, shop.buyer, line("L1", shop.product)), second
    )
    await outside.command(
        "CancelOrder", {"OrderID": first, "Comments": "Too late.", "ApprovingUser": "ada"}
    )

    canceled = await outside.event("OrderCanceled", first)
    part = await outside.event("SupplierOrderCanceled", first)
    accepted = await place_until_accepted(
        outside,
        order_body(third, shop.buyer, line("L1", shop.product)),
        "Inventory.Insufficient",
    )
    assert [(x["ErrorCode"], x["Data"]) for x in errors] == [
        (
            "Inventory.Insufficient",
            {
                "ProductID": shop.product,
                "LineItemIDs": ["L1"],
                "Available": 0,
                "Requested": 1,
            },
        )
    ]
    assert canceled["Order"]["Status"] == "Canceled"
    assert utc(canceled["Order"]["DateCanceled"]) >= utc(canceled["Order"]["DateSubmitted"])
    assert (canceled["Comments"], canceled["ApprovingUser"]) == ("Too late.", "ada")
    assert (part["Order"]["ID"], part["Order"]["Status"]) == (
        f"{first}-{shop.supplier}",
        "Canceled",
    )
    assert accepted["Order"]["Status"] == "Open"
    # The one unit went to one order only.
    fourth = own("d")
    errors = await refused(
        outside, "PlaceOrder", order_body(fourth, shop.buyer, line("L1", shop.product)), fourth
    )
    assert [x["ErrorCode"] for x in errors] == ["Inventory.Insufficient"]


async def test_an_order_canceled_before_it_is_forwarded_is_never_forwarded(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    await outside.save_all(
        [
            ("Inventory", {"ID": shop.product, "QuantityAvailable": 1}),
            ("ApprovalRule", {"ID": own("rule"), "BuyerID": shop.buyer, "OrderTotalAbove": 10}),
        ]
    )
    order = own("order")
    await outside.command("PlaceOrder", order_body(order, shop.buyer, line("L1", shop.product)))
    await outside.event("OrderAwaitingApproval", order)

    await outside.command("CancelOrder", {"OrderID": order})

    canceled = await outside.event("OrderCanceled", order)
    assert canceled["Order"]["Status"] == "Canceled"
    assert canceled["Order"]["IsSubmitted"] is False
    # Another order gets the unit, and by the time that it is forwarded the first one would be.
    await outside.delete("ApprovalRule", own("rule"))
    await place(outside, order_body(own("next"), shop.buyer, line("L1", shop.product)))
    await outside.event("SupplierOrderForwarded", own("next"))
    assert outside.types(order) == ["OrderAwaitingApproval x1", "OrderCanceled x1"]


async def test_an_order_canceled_in_the_same_breath_gives_its_stock_back(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    await outside.save("Inventory", {"ID": shop.product, "QuantityAvailable": 1})
    order = own("order")

    await outside.command("PlaceOrder", order_body(order, shop.buyer, line("L1", shop.product)))
    await outside.command("CancelOrder", {"OrderID": order})

    canceled = await outside.event("OrderCanceled", order)
    assert canceled["Order"]["Status"] == "Canceled"
    accepted = await place_until_accepted(
        outside,
        order_body(own("next"), shop.buyer, line("L1", shop.product)),
        "Inventory.Insufficient",
    )
    assert accepted["Order"]["Status"] == "Open"
    # However far it had come, what was forwarded of it is canceled.
    for _ in outside.all("SupplierOrderForwarded", order):
        await outside.event("SupplierOrderCanceled", order)


async def test_canceling_is_refused_when_something_has_left_is_canceled_or_unknown(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    left, gone, announced = own("left"), own("gone"), own("announced")
    for order in (left, gone, announced):
        await place(outside, order_body(order, shop.buyer, line("L1", shop.product, 3)))
    await outside.command(
        "CreateShipment", shipment_body(own("s1"), (left, "L1", 1), DateShipped=SHIPPED_AT)
    )
    await outside.command("CreateShipment", shipment_body(own("s2"), (announced, "L1", 3)))
    await outside.event("OrderShipmentsChanged", left)
    await outside.event("OrderShipmentsChanged", announced)
    await outside.command("CancelOrder", {"OrderID": gone})
    await outside.event("OrderCanceled", gone)

    after_departure = await refused(outside, "CancelOrder", {"OrderID": left}, left)
    again = await refused(outside, "CancelOrder", {"OrderID": gone}, gone)
    unknown = await refused(outside, "CancelOrder", {"OrderID": own("none")}, own("none"))
    await outside.command("CancelOrder", {"OrderID": announced})

    assert [(x["ErrorCode"], x["Data"]) for x in after_departure] == [
        ("Order.CannotCancelInCurrentStatus",
         {"OrderID": left, "Status": "Open", "QuantityShipped": 1, "Quantity": 3}),
    ]  # fmt: skip
    assert [(x["ErrorCode"], x["Data"]) for x in again] == [
        ("Order.CannotCancelInCurrentStatus",
         {"OrderID": gone, "Status": "Canceled", "QuantityShipped": 0, "Quantity": 3}),
    ]  # fmt: skip
    assert [(x["ErrorCode"], x["Data"]) for x in unknown] == [
        ("NotFound", {"ObjectType": "Order", "ObjectID": own("none")})
    ]
    # Announced is not gone: that one can still be canceled.
    await outside.event("OrderCanceled", announced)
    assert "OrderCanceled x1" not in outside.types(left)
    assert "OrderCanceled x1" in outside.types(gone)
