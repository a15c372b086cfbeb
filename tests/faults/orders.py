"""What the load orders: a small catalogue, and plans of orders made from a seed.

A plan says what will be done with an order and how it may end; which products, promotions and
payments it has is drawn. Two things are scarce: stock of the rug, and the promotion FEW. An order
that comes too late for them is refused, and that is right.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any

from tests.e2e.goods import line, order_body, priced_product
from tests.support.outside import Body

SUPPLIERS = ("north", "south")
SOLD_BY = {"mug": "north", "lamp": "north", "desk": "south", "rug": "south"}
PRICES = {"mug": 3.33, "lamp": 24.90, "desk": 199.99, "rug": 49.50}
STOCK = {"lamp": 1_000_000, "rug": 150}
"""Tracked stock at the beginning; the rest is not tracked."""

FEW_LIMIT = 40
"""How many orders may have the promotion FEW."""

APPROVAL_ABOVE = 100
"""Orders of the buyer ``guild`` with a higher total await approval; ``acme`` needs none."""

HOOK, HOOK_KEY, HOOK_PATH = "everything", "a key that both sides know", "/hook"
TARGETS_HEAR = ("OrderSubmitted",)
"""What the further webhooks of a trial are told."""


class Kind(StrEnum):
    """What is done with an order."""

    SHIP = "ship"
    """Both suppliers ship everything."""
    PART = "part"
    """One unit is never shipped: the order waits for its supplier."""
    CANCEL = "cancel"
    """Canceled once it is forwarded."""
    HASTY = "hasty"
    """Canceled in the same breath."""
    LATE = "late"
    """Canceled when all has left, which is refused."""
    EXTRA = "extra"
    """A unit more than ordered is shipped, which is refused."""
    APPROVE = "approve"
    """Awaits approval, is approved and shipped."""
    DECLINE = "decline"
    WAIT = "wait"
    """Awaits approval for ever."""
    UNKNOWN = "unknown"
    """A product that there is not: refused."""
    UNPAID = "unpaid"
    """Payments that do not cover the total: refused."""


_SHARES = {
    Kind.SHIP: 56, Kind.PART: 8, Kind.CANCEL: 7, Kind.HASTY: 4, Kind.LATE: 3, Kind.EXTRA: 3,
    Kind.APPROVE: 6, Kind.DECLINE: 3, Kind.WAIT: 3, Kind.UNKNOWN: 4, Kind.UNPAID: 3,
}  # fmt: skip

_ENDS = {
    Kind.PART: "Open", Kind.CANCEL: "Canceled", Kind.HASTY: "Canceled", Kind.DECLINE: "Declined",
    Kind.WAIT: "AwaitingApproval", Kind.UNKNOWN: "Rejected", Kind.UNPAID: "Rejected",
}  # fmt: skip

AWAITING = (Kind.APPROVE, Kind.DECLINE, Kind.WAIT)


@dataclass(frozen=True, slots=True)
class Plan:
    """One order: ``body`` is its PlaceOrder, ``shipments`` are the CreateShipment bodies in the
    order in which they are sent; those in ``announced`` leave only with an update."""

    id: str
    kind: Kind
    body: Body
    scarce: bool
    shipments: tuple[Body, ...]
    announced: frozenset[str]

    @property
    def suppliers(self) -> set[str]:
        return {SOLD_BY[x["ProductID"]] for x in self.body["LineItems"]}

    @property
    def ends(self) -> set[str]:
        """The states that it may be left in; ``Rejected`` for one that is refused."""
        ends = {_ENDS.get(self.kind, "Completed")}
        if self.scarce:
            ends.add("Rejected")
            if self.kind is Kind.APPROVE:
                # What was there when it was priced may be gone when it is approved.
                ends.add("AwaitingApproval")
        return ends


def catalogue(hook_url: str) -> list[tuple[str, Body]]:
    """Everything that has to be saved before the first order, as (kind, body)."""
    resources: list[tuple[str, Body]] = [
        ("Buyer", {"ID": "acme", "Name": "Acme"}),
        ("Buyer", {"ID": "guild", "Name": "The guild"}),
        ("ApprovalRule", {"ID": "dear", "BuyerID": "guild", "OrderTotalAbove": APPROVAL_ABOVE}),
        ("Promotion", {"ID": "ten", "Code": "TEN", "DiscountType": "Percentage", "Value": 10}),
        ("Promotion", {"ID": "few", "Code": "FEW", "DiscountType": "Amount", "Value": 5,
                       "RedemptionLimit": FEW_LIMIT}),
        ("Webhook", {"ID": HOOK, "Url": hook_url, "HashKeys": [HOOK_KEY]}),
    ]  # fmt: skip
    resources += [("Supplier", {"ID": id, "Name": f"The {id}"}) for id in SUPPLIERS]
    for product, supplier in SOLD_BY.items():
        breaks = [{"Quantity": 1, "Price": PRICES[product]}]
        if product == "mug":
            breaks.append({"Quantity": 3, "Price": 2.95})
        resources += priced_product(
            product, supplier, PRICES[product], schedule={"PriceBreaks": breaks}
        )
        if product in STOCK:
            resources.append(("Inventory", {"ID": product, "QuantityAvailable": STOCK[product]}))
    return resources


def target(id: str, url: str) -> tuple[str, Body]:
    """A further webhook, as (kind, body)."""
    hears = list(TARGETS_HEAR)
    return "Webhook", {"ID": id, "Url": url, "HashKeys": [HOOK_KEY], "EventTypes": hears}


def plans(seed: int, hot: str | None = None, first: int = 1) -> Iterator[Plan]:
    """Orders without end from number ``first`` on, the same for the same seed; ``hot`` is a
    product that is in each."""
    for number in count(first):
        yield _plan(order_id(number), random.Random(f"{seed}/{number}"), hot)


def order_id(number: int) -> str:
    """IDs are in the order of their numbers, and so are those that begin with them: the suppliers'
    orders and the shipments."""
    return f"o{number:06d}"


def _plan(id: str, chance: random.Random, hot: str | None = None) -> Plan:
    kind = chance.choices(list(_SHARES), list(_SHARES.values()))[0]
    products = [chance.choices(list(SOLD_BY), (40, 30, 20, 10))[0] for _ in range(_lines(chance))]
    if kind in AWAITING:
        products[0] = "desk"
    if hot is not None and hot not in products:
        products.append(hot)
    lines = [
        line(f"L{place}", product, 1 if product == "rug" else chance.randint(1, 3))
        for place, product in enumerate(products, 1)
    ]
    promotion = chance.choices((None, "TEN", "FEW"), (70, 20, 10))[0]
    more: dict[str, Any] = {} if promotion is None else {"Promotions": [promotion]}
    payments = _payments(chance)
    if kind is Kind.UNPAID:
        payments = [{"ID": "coin", "Type": "PurchaseOrder", "Amount": 0.01}]
    if payments:
        more["Payments"] = payments
    shipments = _shipments(id, lines, kind, chance)
    body = order_body(
        id,
        "guild" if kind in AWAITING else "acme",
        *lines,
        order={"FromUser": {"ID": f"user-{id}", "Email": email_of(id)}, "xp": {"Seeded": True}},
        **more,
    )
    if kind is Kind.UNKNOWN:
        body["LineItems"].append(line("L9", "no-such-product"))
    return Plan(
        id,
        kind,
        body,
        "rug" in products or promotion == "FEW",
        tuple(shipments),
        frozenset(x["ID"] for x in shipments if "DateShipped" not in x),
    )


def email_of(order: str) -> str:
    return f"{order}@example.com"


def _lines(chance: random.Random) -> int:
    return chance.choices((1, 2, 3, 4), (30, 35, 25, 10))[0]


def _payments(chance: random.Random) -> list[Body]:
    """On account, one card for all, or a small voucher and a card for the rest."""
    card: Body = {"ID": "card", "Type": "CreditCard"}
    voucher: Body = {"ID": "voucher", "Type": "PurchaseOrder", "Amount": 1.5}
    choices: list[list[Body]] = [[], [card], [card], [voucher, card]]
    return chance.choice(choices)


def _shipments(order: str, lines: list[Body], kind: Kind, chance: random.Random) -> list[Body]:
    """One or two shipments of each supplier. Items name the buyer's order or the supplier's."""
    shipments: list[Body] = []
    missing = 1 if kind is Kind.PART else 0
    for supplier in SUPPLIERS:
        own = [x for x in lines if SOLD_BY[x["ProductID"]] == supplier]
        units = [x["ID"] for x in own for _ in range(x["Quantity"])]
        if units and missing:
            units.pop()
            missing = 0
        cut = chance.randint(0, len(units)) if chance.random() < 0.4 else len(units)
        for part in (units[:cut], units[cut:]):
            if not part:
                continue
            id = f"{order}-{supplier}-s{len(shipments)}"
            name = order if chance.random() < 0.5 else f"{order}-{supplier}"
            items = [
                {"OrderID": name, "LineItemID": x, "QuantityShipped": part.count(x)}
                for x in dict.fromkeys(part)
            ]
            body: Body = {"ID": id, "SupplierID": supplier, "Items": items}
            if chance.random() < 0.8:
                body["DateShipped"] = "2031-05-02T09:30:00Z"
            shipments.append(body)
    return shipments
