"""Bodies as an outside system writes them, and the steps that most tests begin with."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.support.outside import Body, OutsideSystem

SHIPPED_AT = "2031-05-02T09:30:00Z"
"""A date for shipments; events carry it unchanged."""


def line(id: str, product: str, quantity: int = 1, **more: Any) -> Body:
    return {"ID": id, "ProductID": product, "Quantity": quantity, **more}


def order_body(id: str, buyer: str, *lines: Body, **more: Any) -> Body:
    """The body of PlaceOrder; ``more`` beside Order and LineItems, ``order`` is merged into it."""
    order = {"ID": id, "FromCompanyID": buyer, **more.pop("order", {})}
    return {"Order": order, "LineItems": list(lines), **more}


def shipment_body(id: str, *items: tuple[str, str, int], **more: Any) -> Body:
    """The body of CreateShipment or UpdateShipment with items (order, line, quantity)."""
    return {
        "ID": id,
        "Items": [
            {"OrderID": order, "LineItemID": line, "QuantityShipped": quantity}
            for order, line, quantity in items
        ],
        **more,
    }


def utc(text: str) -> datetime:
    """The moment of an event's date."""
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return moment.astimezone(UTC)


def quantities(event: Body) -> dict[str, int]:
    """Shipped units by line."""
    return {line["ID"]: line["QuantityShipped"] for line in event["LineItems"]}


@dataclass(frozen=True, slots=True)
class Shop:
    """A buyer, a supplier and one product of it at 10.00, without any limit of stock."""

    buyer: str
    supplier: str
    product: str


def priced_product(id: str, supplier: str | None, price: float, **more: Any) -> list[Any]:
    """A product and its price schedule, as (kind, body)."""
    schedule = {
        "ID": f"{id}-price",
        "Name": f"Price of {id}",
        "PriceBreaks": [{"Quantity": 1, "Price": price}],
        **more.pop("schedule", {}),
    }
    product = {
        "ID": id,
        "Name": f"The {id}",
        "DefaultPriceScheduleID": schedule["ID"],
        **({} if supplier is None else {"DefaultSupplierID": supplier}),
        **more,
    }
    return [("PriceSchedule", schedule), ("Product", product)]


async def open_shop(outside: OutsideSystem, mark: str) -> Shop:
    """Saves a shop whose IDs end in ``mark``."""
    shop = Shop(f"buyer-{mark}", f"sup-{mark}", f"thing-{mark}")
    await outside.save_all(
        [
            ("Buyer", {"ID": shop.buyer, "Name": "Buyer"}),
            ("Supplier", {"ID": shop.supplier, "Name": "Supplier"}),
            *priced_product(shop.product, shop.supplier, 10),
        ]
    )
    return shop


async def place(outside: OutsideSystem, body: Body) -> Body:
    """Places an order; its OrderSubmitted."""
    await outside.command("PlaceOrder", body)
    return await outside.event("OrderSubmitted", body["Order"]["ID"])


async def refused(outside: OutsideSystem, type: str, body: Body, key: str) -> list[Body]:
    """Sends a command that must be refused under ``key``; the errors. The answer's reference to
    the command is checked here for all."""
    id = await outside.command(type, body)
    answer = await outside.rejection(id, key)
    assert answer["Command"] == {
        "Topic": "shipments.commands" if type.endswith("Shipment")
        else "forwarding.commands" if type == "AssignSupplier" else "orders.commands",
        "Type": type,
        "ID": id,
        "Source": outside.source,
    }  # fmt: skip
    errors: list[Body] = answer["Errors"]
    assert all(error["Message"] for error in errors)
    return errors


async def place_until_accepted(outside: OutsideSystem, body: Body, code: str) -> Body:
    """Places an order again as long as it is refused for ``code`` alone: what was given back by
    another order counts only a moment after that order's event."""
    key = body["Order"]["ID"]
    async with asyncio.timeout(15):
        while True:
            before = len(outside.all("CommandRejected", key))
            await outside.command("PlaceOrder", body)
            await outside.until(
                lambda before=before: (
                    bool(outside.all("OrderSubmitted", key))  # type: ignore[misc]
                    or len(outside.all("CommandRejected", key)) > before
                ),
                lambda: f"no answer about {key}",
                10,
            )
            if outside.all("OrderSubmitted", key):
                return outside.all("OrderSubmitted", key)[0]
            last = outside.all("CommandRejected", key)[-1]
            assert [error["ErrorCode"] for error in last["Errors"]] == [code]
