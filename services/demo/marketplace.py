"""A marketplace made up from a seed: the same seed gives the same catalogue and orders.

Everything is plain JSON bodies, as an outside system would write them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]

_CITIES = (
    ("Portland", "OR", "97201", 45.52, -122.68),
    ("Denver", "CO", "80202", 39.74, -104.99),
    ("Austin", "TX", "73301", 30.27, -97.74),
    ("Chicago", "IL", "60601", 41.88, -87.63),
    ("Boston", "MA", "02108", 42.36, -71.06),
    ("Atlanta", "GA", "30303", 33.75, -84.39),
)
_THINGS = (
    "Lamp",
    "Chair",
    "Desk",
    "Kettle",
    "Bicycle",
    "Tent",
    "Radio",
    "Backpack",
    "Mug",
    "Clock",
)
_KINDS = ("Oak", "Steel", "Travel", "Classic", "Compact", "Family", "Outdoor", "Studio")
_NAMES = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Katherine", "Tony")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Commands for ``catalog.commands``: (type, body), in an order in which they make sense."""

    commands: list[tuple[str, Body]]
    buyers: list[str]
    products: list[str]
    codes: list[str] = field(default_factory=list)


def catalogue(seed: int, webhook_url: str, hash_key: str) -> Catalogue:
    """20 buyers, 8 suppliers, 200 products with price breaks, stock in warehouses and stores,
    promotions, an approval rule and a webhook."""
    chance = random.Random(seed)
    commands: list[tuple[str, Body]] = []
    suppliers = [f"supplier-{n}" for n in range(1, 9)]
    buyers = [f"buyer-{n:02d}" for n in range(1, 21)]
    commands += [
        ("SaveSupplier", {"ID": s, "Name": f"Supplier {s[-1]}", "Active": True}) for s in suppliers
    ]
    commands += [
        ("SaveBuyer", {"ID": b, "Name": f"Buyer {b[-2:]}", "Currency": "USD"}) for b in buyers
    ]
    for number, supplier in enumerate([*suppliers[:3], None]):
        owner = supplier or "marketplace"
        for place in range(2):
            commands.append(("SaveLocation", _location(owner, supplier, number + 3 * place, place)))
        rule = {"ID": owner, "Strategy": ("Nearest", "Priority")[number % 2], "AllowSplit": True}
        commands.append(("SaveSourcingRule", rule))
    products = []
    for number in range(1, 201):
        supplier = "marketplace" if number % 20 == 0 else suppliers[number % len(suppliers)]
        products.append(f"product-{number:03d}")
        commands += _product(chance, products[-1], supplier)
    commands += [
        ("SavePromotion", _promotion("ten-off", "TEN", "Percentage", 10)),
        ("SavePromotion", _promotion("five-dollars", "FIVE", "Amount", 5)),
        ("SavePromotion", _promotion("line-off", "LINES", "Percentage", 20, LineItemLevel=True)),
        ("SaveApprovalRule", {"ID": "big-orders", "BuyerID": buyers[0], "OrderTotalAbove": 400}),
        ("SaveWebhook", {"ID": "erp", "Url": webhook_url, "HashKeys": [hash_key],
                         "EventTypes": ["OrderCompleted", "OrderCanceled"]}),
    ]  # fmt: skip
    return Catalogue(commands, buyers, products, ["TEN", "FIVE", "LINES"])


def _location(owner: str, supplier: str | None, city: int, place: int) -> Body:
    town, state, zip_code, latitude, longitude = _CITIES[city % len(_CITIES)]
    return {
        "ID": f"{owner}-{('warehouse', 'store')[place]}",
        "Name": f"{town} {('warehouse', 'store')[place]}",
        "Type": ("Warehouse", "Store")[place],
        **({"OwnerID": supplier} if supplier else {}),
        "Priority": place + 1,
        "Address": {
            "City": town, "State": state, "Zip": zip_code, "Country": "US",
            "Latitude": latitude, "Longitude": longitude,
        },
    }  # fmt: skip


def _product(chance: random.Random, product: str, supplier: str) -> list[tuple[str, Body]]:
    price = chance.randint(500, 9_000) / 100
    name = f"{chance.choice(_KINDS)} {chance.choice(_THINGS)}"
    schedule = {
        "ID": f"price-{product}",
        "Name": f"Price of {name}",
        "Currency": "USD",
        "PriceBreaks": [
            {"Quantity": 1, "Price": price},
            {"Quantity": 5, "Price": round(price * 0.95, 2)},
            {"Quantity": 10, "Price": round(price * 0.9, 2), "SalePrice": round(price * 0.85, 2)},
        ],
        "SaleStart": "2020-01-01T00:00:00Z",
    }
    body: Body = {
        "ID": product,
        "Name": name,
        "DefaultSupplierID": supplier,
        "DefaultPriceScheduleID": schedule["ID"],
    }
    commands = [("SavePriceSchedule", schedule), ("SaveProduct", body)]
    located = supplier == "marketplace" or supplier in ("supplier-1", "supplier-2", "supplier-3")
    if located:
        commands += [
            ("SaveInventory", {"ID": product, "LocationID": f"{supplier}-{place}",
                               "QuantityAvailable": 20_000})
            for place in ("warehouse", "store")
        ]  # fmt: skip
    return commands


def _promotion(id: str, code: str, kind: str, value: float, **more: Any) -> Body:
    return {"ID": id, "Code": code, "DiscountType": kind, "Value": value, **more}


def _user(first: str, *, mailed: bool) -> Body:
    user = {"ID": f"user-{first.lower()}", "FirstName": first, "LastName": "Example"}
    return {**user, "Email": f"{first.lower()}@example.com"} if mailed else user


def orders(seed: int, count: int, catalogue: Catalogue) -> Iterator[Body]:
    """``count`` bodies of ``PlaceOrder``. About one in forty is wrong on purpose: an unknown
    product, or a payment that does not cover the total. One buyer in five gave a mailbox."""
    chance = random.Random(seed + 1)
    for number in range(1, count + 1):
        town, state, zip_code, latitude, longitude = chance.choice(_CITIES)
        first = chance.choice(_NAMES)
        lines = [
            {"ID": f"L{line}", "ProductID": product, "Quantity": chance.choice((1, 1, 1, 2, 3, 10))}
            for line, product in enumerate(
                chance.sample(catalogue.products, chance.choice((1, 2, 2, 3))), 1
            )
        ]
        order: Body = {
            "Order": {
                "ID": f"demo-{number:06d}",
                "FromCompanyID": chance.choice(catalogue.buyers),
                "FromUser": _user(first, mailed=chance.random() < 0.2),
                "ShippingAddress": {
                    "FirstName": first, "LastName": "Example", "Street1": f"{number} Main Street",
                    "City": town, "State": state, "Zip": zip_code, "Country": "US",
                    "Latitude": latitude, "Longitude": longitude,
                },
                "xp": {"Cart": number},
            },
            "LineItems": lines,
        }  # fmt: skip
        if chance.random() < 0.7:
            order["Payments"] = [{"ID": "pay-1", "Type": "CreditCard"}]
        if chance.random() < 0.4:
            order["Promotions"] = chance.sample(catalogue.codes, chance.choice((1, 1, 2)))
        wrong = chance.random()
        if wrong < 0.0125:
            lines[0]["ProductID"] = "no-such-product"
        elif wrong < 0.025:
            order["Payments"] = [{"ID": "pay-1", "Type": "CreditCard", "Amount": 0.01}]
        yield order
