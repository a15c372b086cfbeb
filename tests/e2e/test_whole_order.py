"""One order on its whole way, everything about it to the cent and to the letter."""

import asyncio
import base64
import hashlib
import hmac
import json
from email.message import EmailMessage

from tests.e2e.conftest import NewID
from tests.e2e.goods import SHIPPED_AT, line, order_body, place, priced_product, quantities, utc
from tests.support.outside import OutsideSystem
from tests.support.receivers import HttpReceiver, MailReceiver

HASH_KEY = "a key that both sides know"


async def mails_to(mails: MailReceiver, address: str, count: int) -> list[EmailMessage]:
    """All mails to ``address`` once there are ``count``."""
    async with asyncio.timeout(20):
        while True:
            found = [mail for mail in mails.mails if mail["To"] == address]
            if len(found) >= count:
                return found
            await mails.wait_for(len(mails.mails) + 1, limit=20)


async def test_an_order_of_three_lines_from_two_suppliers_is_priced_forwarded_shipped_and_told(
    outside: OutsideSystem, own: NewID, mails: MailReceiver, hooks: HttpReceiver
) -> None:
    order, buyer, hook, path = own("order"), own("buyer"), own("hook"), own("/hook")
    near, far = own("near"), own("far")
    lamp, desk, mug = own("lamp"), own("desk"), own("mug")
    address = f"{own('ada')}@example.com"
    prices = [{"Quantity": 1, "Price": 12.35}, {"Quantity": 5, "Price": 11.73}]
    await outside.save_all(
        [
            ("Buyer", {"ID": buyer, "Name": "Buyer", "Currency": "EUR"}),
            ("Supplier", {"ID": near, "Name": "Near"}),
            ("Supplier", {"ID": far, "Name": "Far"}),
            *priced_product(lamp, near, 12.35, schedule={"PriceBreaks": prices}),
            *priced_product(desk, far, 199.99),
            *priced_product(mug, near, 3.33, Taxable=False),
            ("Promotion", {"ID": own("ten"), "Code": own("TEN"), "Name": "Ten off",
                           "DiscountType": "Percentage", "Value": 10}),
            ("Webhook", {"ID": hook, "Url": hooks.url(path), "HashKeys": [HASH_KEY],
                         "EventTypes": ["OrderSubmitted", "OrderCompleted"]}),
        ]
    )  # fmt: skip
    # Lines: 5 x 11.73 = 58.65, 199.99, 3 x 3.33 = 9.99; together 268.63; 10 % of it is 26.863.
    # The 26.86 spread to the cent: lamp 5.86, desk 20.00, mug 1.00 (largest remainders).
    # Tax: 7 % of (58.65 - 5.86) + (199.99 - 20.00) = 232.78 is 16.2946; the mug is not taxed.
    # Shipping: 4.90, the cheapest, for each of two suppliers.
    body = order_body(
        order, buyer,
        line("L1", lamp, 5), line("L2", desk, xp={"Engraving": "A"}), line("L3", mug, 3),
        order={
            "FromUser": {"ID": "ada", "FirstName": "Ada", "Email": address},
            "ShippingAddress": {"City": "Lisboa", "Country": "PT"},
            "Comments": "Ring twice.",
            "xp": {"Cart": 7},
        },
        Payments=[{"ID": "card", "Type": "CreditCard", "Amount": 267.86}],
        Promotions=[own("TEN")],
    )  # fmt: skip

    submitted = await place(outside, body)

    got = submitted["Order"]
    assert got == {
        "ID": order,
        "FromCompanyID": buyer,
        "FromUser": {"ID": "ada", "FirstName": "Ada", "Email": address},
        "ToCompanyID": "marketplace",
        "ShippingAddress": {"City": "Lisboa", "Country": "PT"},
        "Comments": "Ring twice.",
        "Currency": "EUR",
        "Status": "Open",
        "IsSubmitted": True,
        "LineItemCount": 3,
        "DateCreated": got["DateCreated"],
        "DateSubmitted": got["DateSubmitted"],
        "LastUpdated": got["DateSubmitted"],
        "Subtotal": 268.63,
        "ShippingCost": 9.80,
        "ShippingCostOverridden": False,
        "TaxCost": 16.29,
        "PromotionDiscount": 26.86,
        "Total": 267.86,
        "xp": {"Cart": 7},
    }
    assert utc(got["DateCreated"]) <= utc(got["DateSubmitted"])
    assert [
        (x["ID"], x["UnitPrice"], x["LineSubtotal"], x["LineTotal"], x["SupplierID"])
        for x in submitted["LineItems"]
    ] == [
        ("L1", 11.73, 58.65, 58.65, near),
        ("L2", 199.99, 199.99, 199.99, far),
        ("L3", 3.33, 9.99, 9.99, near),
    ]
    assert submitted["Payments"] == [
        {"ID": "card", "Type": "CreditCard", "Amount": 267.86, "Accepted": True}
    ]
    assert submitted["Promotions"] == [
        {"ID": own("ten"), "Code": own("TEN"), "Amount": 26.86, "LineItemLevel": False,
         "Name": "Ten off"}
    ]  # fmt: skip

    forwarded = {
        part["Order"]["ToCompanyID"]: part
        for part in await outside.events("SupplierOrderForwarded", order, 2)
    }
    assert {
        supplier: (
            part["Order"]["ID"], part["BuyerOrderID"], part["Order"]["FromCompanyID"],
            part["Order"]["Status"], part["Order"]["Currency"], part["Order"]["LineItemCount"],
            part["Order"]["Subtotal"], part["Order"]["ShippingAddress"],
            [(x["ID"], x["ProductID"], x["Quantity"], x.get("xp")) for x in part["LineItems"]],
        )
        for supplier, part in forwarded.items()
    } == {
        near: (f"{order}-{near}", order, "marketplace", "Open", "EUR", 2, 68.64,
               {"City": "Lisboa", "Country": "PT"},
               [("L1", lamp, 5, None), ("L3", mug, 3, None)]),
        far: (f"{order}-{far}", order, "marketplace", "Open", "EUR", 1, 199.99,
              {"City": "Lisboa", "Country": "PT"}, [("L2", desk, 1, {"Engraving": "A"})]),
    }  # fmt: skip

    # Each supplier knows its own order only.
    for supplier, part in forwarded.items():
        await outside.command(
            "CreateShipment",
            {
                "ID": own(f"ship-{supplier}"),
                "SupplierID": supplier,
                "Shipper": "Post",
                "TrackingNumber": f"T-{supplier}",
                "DateShipped": SHIPPED_AT,
                "Items": [
                    {"OrderID": part["Order"]["ID"], "LineItemID": x["ID"],
                     "QuantityShipped": x["Quantity"]}
                    for x in part["LineItems"]
                ],
            },
        )  # fmt: skip

    completed = await outside.event("OrderCompleted", order)
    changed = await outside.events("OrderShipmentsChanged", order, 2)
    parts = await outside.events("SupplierOrderCompleted", order, 2)
    created = await outside.event("ShipmentCreated", own(f"ship-{near}"))
    assert created["Shipment"] == {
        "ID": own(f"ship-{near}"), "Revision": 1, "SupplierID": near, "BuyerID": buyer,
        "Shipper": "Post", "TrackingNumber": f"T-{near}", "DateShipped": SHIPPED_AT,
        "DateCreated": created["Shipment"]["DateCreated"],
    }  # fmt: skip
    assert created["Items"] == [
        {"OrderID": order, "SupplierOrderID": f"{order}-{near}", "LineItemID": "L1",
         "QuantityShipped": 5},
        {"OrderID": order, "SupplierOrderID": f"{order}-{near}", "LineItemID": "L3",
         "QuantityShipped": 3},
    ]  # fmt: skip
    assert len(changed) == len(parts) == 2
    assert quantities(changed[1]) == quantities(completed) == {"L1": 5, "L2": 1, "L3": 3}
    assert {x["Order"]["ID"]: x["Order"]["Status"] for x in parts} == {
        f"{order}-{near}": "Completed",
        f"{order}-{far}": "Completed",
    }
    assert completed["Order"]["Status"] == "Completed"
    assert utc(completed["Order"]["DateCompleted"]) >= utc(got["DateSubmitted"])
    assert completed["Order"]["Total"] == 267.86

    told = await outside.events("NotificationDelivered", order, 6)
    assert sorted((x["Channel"], x["EventType"], x["Attempts"]) for x in told) == [
        ("Email", "OrderCompleted", 1),
        ("Email", "OrderShipmentsChanged", 1),
        ("Email", "OrderShipmentsChanged", 1),
        ("Email", "OrderSubmitted", 1),
        ("Webhook", "OrderCompleted", 1),
        ("Webhook", "OrderSubmitted", 1),
    ]
    letters = await mails_to(mails, address, 4)
    assert sorted(mail["Subject"] for mail in letters) == [
        f"A shipment of your order {order} is on its way",
        f"A shipment of your order {order} is on its way",
        f"We have received your order {order}",
        f"Your order {order} is complete",
    ]
    assert {mail["X-Ordermesh-Notification"] for mail in letters} == {
        x["ID"] for x in told if x["Channel"] == "Email"
    }
    assert any("267.86 EUR" in mail.as_string() for mail in letters)
    calls = await hooks.wait_for(2, path)
    assert {call.headers["x-ordermesh-delivery"] for call in calls} == {
        x["ID"] for x in told if x["Channel"] == "Webhook"
    }
    for call in calls:
        digest = hmac.digest(HASH_KEY.encode(), call.body, hashlib.sha256)
        assert call.headers["x-oc-hash"] == base64.b64encode(digest).decode()
    # What a webhook gets is the event itself.
    sent = {json.loads(call.body)["Type"]: json.loads(call.body) for call in calls}
    assert sent["OrderSubmitted"]["Data"] == submitted
    assert sent["OrderCompleted"]["Data"] == completed
    assert sent["OrderCompleted"]["OrderID"] == order
    await outside.delete("Webhook", hook)
