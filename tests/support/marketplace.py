"""Replays a marketplace's orders and audits what became of them, to the cent.

An order of the data set is one JSON object a line: ``order_id``, ``status`` (delivered, shipped,
canceled, invoiced, processing, unavailable), ``purchased_at``, ``customer`` (id, zip, city, state),
``items`` (number, product_id, category, seller with its id, price, freight), ``payments``
(sequence, type, value), ``handed_to_carrier_at`` and ``delivered_at``. Amounts are decimal strings
in BRL.

Sellers become suppliers, items lines at their own price and shipping cost. What was shipped is
shipped, one shipment for each seller; what was canceled is canceled; the rest stays open.
"""

import asyncio
import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.support.outside import Body, OutsideSystem

BUYER = "consumers"
SHIPPED = ("delivered", "shipped")

_AT_ONCE = 100
_LIMIT = 120.0


def load(path: Path) -> list[Body]:
    """The orders of a ``.jsonl.gz``."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(row) for row in file]


def synthetic(seed: int, count: int = 50) -> list[Body]:
    """Orders of the same shape, made up: every status, several sellers, many small payments, some
    that are a cent short or over, free shipping, and a product that two sellers have."""
    chance = random.Random(seed)
    statuses = ("delivered", "delivered", "delivered", "shipped", "canceled", "invoiced",
                "processing", "unavailable")  # fmt: skip
    return [
        _made_up(chance, number, statuses[number % len(statuses)])
        for number in range(count)
    ]  # fmt: skip


def _made_up(chance: random.Random, number: int, status: str) -> Body:
    items = []
    for place in range(1, chance.choice((1, 1, 1, 2, 3)) + 1):
        seller = chance.randrange(12)
        items.append(
            {
                "number": place,
                "product_id": f"product{chance.randrange(30):032x}",
                "category": chance.choice(("toys", "telephony", "books")),
                "seller": {"id": f"{seller:032x}", "zip": "81050", "city": "curitiba",
                           "state": "PR"},
                "price": str(Decimal(chance.randrange(99, 90_000)) / 100),
                "freight": str(Decimal(chance.choice((0, 1510, 2278, chance.randrange(5_000))))
                               / 100),
            }
        )  # fmt: skip
    paid = _total(items)
    # Every tenth order is a cent over, every tenth a cent short.
    paid += {3: Decimal("0.01"), 7: Decimal("-0.01")}.get(number % 10, Decimal(0))
    shipped, delivered = status in SHIPPED, status == "delivered"
    return {
        "order_id": f"{chance.getrandbits(128):032x}",
        "status": status,
        "purchased_at": "2016-09-05T00:15:34Z",
        "handed_to_carrier_at": "2016-09-07T12:00:00Z" if shipped else None,
        # Now and then a clock is wrong.
        "delivered_at": f"2016-09-0{6 if number % 16 == 0 else 9}T08:00:00Z" if delivered else None,
        "customer": {"id": f"{chance.getrandbits(128):032x}", "zip": "20511",
                     "city": "rio de janeiro", "state": "RJ"},
        "items": items,
        "payments": _payments(chance, paid),
    }  # fmt: skip


def _payments(chance: random.Random, total: Decimal) -> list[Body]:
    """``total`` in a few parts."""
    parts = []
    for _ in range(chance.choice((0, 0, 0, 1, 2, 11))):
        part = (total * chance.randrange(1, 30) / 100).quantize(Decimal("0.01"))
        parts.append(part)
        total -= part
    kinds = ("credit_card", "boleto", "voucher", "debit_card")
    return [
        {"sequence": place, "type": chance.choice(kinds), "installments": 1, "value": str(part)}
        for place, part in enumerate([*parts, total], 1)
    ]


# --- what is expected ---------------------------------------------------------------------------


def _total(items: Iterable[Body]) -> Decimal:
    return sum((Decimal(x["price"]) + Decimal(x["freight"]) for x in items), Decimal(0))


def _paid(order: Body) -> Decimal:
    return sum((Decimal(payment["value"]) for payment in order["payments"]), Decimal(0))


def _sellers(order: Body) -> list[str]:
    return list(dict.fromkeys(item["seller"]["id"] for item in order["items"]))


def expected_status(order: Body) -> str:
    """The status an order ends in; ``Rejected`` for one whose payments do not cover it."""
    if _paid(order) < _total(order["items"]):
        return "Rejected"
    if order["status"] in SHIPPED:
        return "Completed"
    return "Canceled" if order["status"] == "canceled" else "Open"


# --- the replay ---------------------------------------------------------------------------------


@dataclass
class Report:
    """What came of a replay. ``differences`` is empty when all is as the data say."""

    orders: int
    statuses: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    supplier_orders: int = 0
    shipments: int = 0
    delivered: int = 0
    overpaid: int = 0
    accepted_total: Decimal = Decimal(0)
    data_total: Decimal = Decimal(0)
    swapped_dates: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in self.statuses.most_common())
        lines = [
            f"orders: {self.orders} ({counts}), {self.lines} lines, {self.overpaid} overpaid",
            f"supplier orders: {self.supplier_orders}",
            f"shipments: {self.shipments}, {self.delivered} of them delivered",
            f"accepted: {self.accepted_total:,.2f} BRL, by the data {self.data_total:,.2f} BRL",
            f"delivered before they were handed over, by the data: {self.swapped_dates} orders",
            f"differences: {len(self.differences)}",
            *self.differences[:20],
        ]
        return "\n".join(lines)


async def save_catalogue(outside: OutsideSystem, orders: Sequence[Body]) -> None:
    """The one buyer, all sellers, and all products with the first seller that has them."""
    sellers: dict[str, Body] = {}
    products: dict[str, Body] = {}
    for order in orders:
        for item in order["items"]:
            seller = item["seller"]["id"]
            place = item["seller"]
            sellers[seller] = {
                "ID": seller,
                "Name": f"Seller in {place['city']}"[:100],
                "xp": {"Zip": place["zip"], "State": place["state"]},
            }
            products.setdefault(
                item["product_id"],
                {
                    "ID": item["product_id"],
                    "Name": item["category"] or "uncategorised",
                    "DefaultSupplierID": seller,
                },
            )
    await outside.save("Buyer", {"ID": BUYER, "Name": "Consumers", "Currency": "BRL"})
    await outside.save("Supplier", *sellers.values())
    await outside.save("Product", *products.values())


def place_body(order: Body) -> Body:
    """The body of PlaceOrder. JSON numbers with two decimals survive as they are."""
    customer = order["customer"]
    return {
        "Order": {
            "ID": order["order_id"],
            "FromCompanyID": BUYER,
            "FromUser": {"ID": customer["id"]},
            "Currency": "BRL",
            "ShippingAddress": {"Zip": customer["zip"], "City": customer["city"],
                                "State": customer["state"], "Country": "BR"},
            "xp": {"PurchasedAt": order["purchased_at"]},
        },
        "LineItems": [
            {
                "ID": str(item["number"]),
                "ProductID": item["product_id"],
                "Quantity": 1,
                "UnitPrice": float(item["price"]),
                "ShippingCost": float(item["freight"]),
                "SupplierID": item["seller"]["id"],
            }
            for item in order["items"]
        ],
        "Payments": [
            {
                "ID": str(payment["sequence"]),
                "Type": "CreditCard" if payment["type"] in ("credit_card", "debit_card")
                else "PurchaseOrder",
                "Amount": float(payment["value"]),
            }
            for payment in order["payments"]
        ],
    }  # fmt: skip


def shipment_bodies(order: Body) -> list[Body]:
    """One CreateShipment for each seller. A delivery that is dated before the hand-over is an
    error of the data; the earlier date stands for both."""
    shipped, delivered = order["handed_to_carrier_at"], order["delivered_at"]
    if order["status"] != "delivered":
        delivered = None
    if delivered is not None:
        shipped = min(shipped or delivered, delivered)
    return [
        {
            "ID": f"{order['order_id']}-{seller[:32]}-S",
            "SupplierID": seller,
            "DateShipped": shipped or order["purchased_at"],
            **({} if delivered is None else {"DateDelivered": delivered}),
            "Items": [
                {"OrderID": f"{order['order_id']}-{seller}", "LineItemID": str(item["number"]),
                 "QuantityShipped": 1}
                for item in order["items"]
                if item["seller"]["id"] == seller
            ],
        }
        for seller in _sellers(order)
    ]  # fmt: skip


async def replay(outside: OutsideSystem, orders: Sequence[Body]) -> Report:
    """Sends all orders, ships and cancels as the data say, audits, and prints the report."""
    await save_catalogue(outside, orders)
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(order: Body) -> None:
        async with room:
            await _one(outside, order)

    await asyncio.gather(*(one(order) for order in orders))
    report = audit(outside, orders)
    print(f"\n{report}")
    return report


async def _one(outside: OutsideSystem, order: Body) -> None:
    id = order["order_id"]
    await outside.command("PlaceOrder", place_body(order))
    if (
        await outside.first_of(("OrderSubmitted", "CommandRejected"), id, _LIMIT)
        != "OrderSubmitted"
    ):
        return
    await outside.events("SupplierOrderForwarded", id, len(_sellers(order)), _LIMIT)
    if order["status"] == "canceled":
        await outside.command("CancelOrder", {"OrderID": id})
        await outside.first_of(("OrderCanceled", "CommandRejected"), id, _LIMIT)
        await outside.events("SupplierOrderCanceled", id, len(_sellers(order)), _LIMIT)
    elif order["status"] in SHIPPED:
        for body in shipment_bodies(order):
            await outside.command("CreateShipment", body)
        await outside.first_of(("OrderCompleted", "CommandRejected"), id, _LIMIT)
        await outside.events("SupplierOrderCompleted", id, len(_sellers(order)), _LIMIT)


# --- the audit ----------------------------------------------------------------------------------


def audit(outside: OutsideSystem, orders: Sequence[Body]) -> Report:
    """Compares what the events say with the data."""
    report = Report(len(orders))
    for order in orders:
        report.differences += [
            f"{order['order_id']}: {text}" for text in _differences(outside, order, report)
        ]
    report.differences += [
        f"dead letter on {letter.topic}: {letter.header('dl_error')}"
        for letter in outside.dead_letters
    ]
    return report


def _differences(outside: OutsideSystem, order: Body, report: Report) -> Iterable[str]:
    id = order["order_id"]
    expected = expected_status(order)
    bodies = {
        "Completed": outside.all("OrderCompleted", id),
        "Canceled": outside.all("OrderCanceled", id),
        "Open": outside.all("OrderSubmitted", id),
        "Rejected": outside.all("CommandRejected", id),
    }
    status = next((name for name, heard in bodies.items() if heard), "Nowhere")
    report.statuses[status] += 1
    if status != expected:
        yield f"is {status}, not {expected}: {bodies['Rejected']}"
        return
    for name, heard in bodies.items():
        wanted = name == status or (name == "Open" and status != "Rejected")
        if len(heard) != wanted:
            yield f"{len(heard)} events say {name}"
    if status == "Rejected":
        yield from _refusal_differences(order, bodies["Rejected"][0])
        return
    report.lines += len(order["items"])
    report.overpaid += _paid(order) > _total(order["items"])
    yield from _amount_differences(order, bodies[status][-1], report)
    yield from _part_differences(outside, order, status, report)
    if status == "Completed":
        yield from _shipment_differences(outside, order, bodies[status][-1], report)


def _refusal_differences(order: Body, rejected: Body) -> Iterable[str]:
    total, paid = _total(order["items"]), _paid(order)
    wanted = [
        {
            "ErrorCode": "Order.PaymentsDoNotCoverTotal",
            "Data": {
                "Total": float(total),
                "Payments": float(paid),
                "Missing": float(total - paid),
            },
        }
    ]
    given = [{"ErrorCode": x["ErrorCode"], "Data": x.get("Data")} for x in rejected["Errors"]]
    if given != wanted:
        yield f"refused for {given}, not {wanted}"


def _amount_differences(order: Body, event: Body, report: Report) -> Iterable[str]:
    goods = sum((Decimal(item["price"]) for item in order["items"]), Decimal(0))
    freight = sum((Decimal(item["freight"]) for item in order["items"]), Decimal(0))
    wanted = {
        "Subtotal": goods,
        "ShippingCost": freight,
        "TaxCost": Decimal(0),
        "PromotionDiscount": Decimal(0),
        "Total": goods + freight,
    }
    told = {name: Decimal(str(event["Order"][name])) for name in wanted}
    report.accepted_total += told["Total"]
    report.data_total += wanted["Total"]
    if told != wanted:
        yield f"amounts {told}, not {wanted}"
    if event["Order"]["Currency"] != "BRL":
        yield f"in {event['Order']['Currency']}"
    paid = [Decimal(str(payment["Amount"])) for payment in event["Payments"]]
    if paid != [Decimal(payment["value"]) for payment in order["payments"]]:
        yield f"payments {paid}"


def _part_differences(
    outside: OutsideSystem, order: Body, status: str, report: Report
) -> Iterable[str]:
    id = order["order_id"]
    wanted = {
        f"{id}-{seller}": sorted(
            str(item["number"]) for item in order["items"] if item["seller"]["id"] == seller
        )
        for seller in _sellers(order)
    }
    types = ["SupplierOrderForwarded"]
    if status in ("Completed", "Canceled"):
        types.append(f"SupplierOrder{status}")
    for type in types:
        heard = outside.all(type, id)
        parts = {x["Order"]["ID"]: sorted(one["ID"] for one in x["LineItems"]) for x in heard}
        if parts != wanted or len(heard) != len(wanted):
            yield f"{type} of {parts}, not {wanted}"
    report.supplier_orders += len(outside.all("SupplierOrderForwarded", id))


def _shipment_differences(
    outside: OutsideSystem, order: Body, completed: Body, report: Report
) -> Iterable[str]:
    shipped = {one["ID"]: one["QuantityShipped"] for one in completed["LineItems"]}
    if shipped != {str(item["number"]): 1 for item in order["items"]}:
        yield f"shipped {shipped}"
    dates = (order["handed_to_carrier_at"], order["delivered_at"])
    report.swapped_dates += order["status"] == "delivered" and all(dates) and dates[1] < dates[0]
    for body in shipment_bodies(order):
        counts: dict[str, Any] = {
            type: len(outside.all(type, body["ID"]))
            for type in ("ShipmentCreated", "ShipmentShipped", "ShipmentDelivered")
        }
        delivered = int("DateDelivered" in body)
        report.shipments += counts["ShipmentCreated"]
        report.delivered += counts["ShipmentDelivered"]
        if list(counts.values()) != [1, 1, delivered]:
            yield f"shipment {body['ID']}: {counts}"
