"""What the demo ends with: counts, money, times, each checked against a second source."""

import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from statistics import quantiles
from typing import Any

from pymongo import AsyncMongoClient
from rich.console import Console
from rich.table import Table

from services.demo.receivers import Hook, Mailbox
from services.demo.stage import Stage
from shared.mongo.codec import to_decimal
from shared.settings import Settings

_MONEY = ("Subtotal", "TaxCost", "ShippingCost", "PromotionDiscount", "Total")


@dataclass
class Facts:
    """What happened, and in ``faults`` whatever does not fit together."""

    orders: Counter[str]
    refusals: Counter[str]
    supplier_orders: Counter[str]
    shipments: int
    units_sent: int
    units_tied_back: int
    units_refused: Counter[str]
    notifications: Counter[str]
    mails: int
    webhooks: int
    money: dict[str, Decimal]
    money_stored: dict[str, Decimal]
    seconds: float
    forwarded: list[float]
    completed: list[float]
    faults: list[str] = field(default_factory=list)

    @classmethod
    async def gather(cls, stage: Stage, mongodb: str, mailbox: Mailbox, hook: Hook) -> "Facts":
        """Counts what the outside systems saw, and asks the database for the money."""
        orders = Counter(stage.state.values())
        orders["Rejected"] = len(stage.rejected)
        facts = cls(
            orders=orders,
            refusals=Counter(e["ErrorCode"] for errors in stage.rejected.values() for e in errors),
            supplier_orders=Counter(stage.supplier_orders.values()),
            shipments=len(stage.shipments),
            units_sent=sum(stage.shipments.values()),
            units_tied_back=sum(
                line["QuantityShipped"]
                for body in stage.latest.values()
                for line in body["LineItems"]
            ),
            units_refused=stage.refused_units,
            notifications=Counter(stage.notified.values()),
            mails=len(mailbox.received),
            webhooks=len(hook.received),
            money=_money_of(body["Order"] for body in stage.latest.values()),
            money_stored=await _stored_money(mongodb),
            seconds=_seconds(stage),
            forwarded=[
                stage.forwarded[o] - t for o, t in stage.accepted.items() if o in stage.forwarded
            ],
            completed=[
                stage.completed[o] - t for o, t in stage.accepted.items() if o in stage.completed
            ],
        )
        facts.faults = list(_faults(facts, stage, hook))
        return facts


def _money_of(orders: Any) -> dict[str, Decimal]:
    total = dict.fromkeys(_MONEY, Decimal(0))
    for order in orders:
        for name in _MONEY:
            total[name] += Decimal(str(order[name]))
    return total


async def _stored_money(mongodb: str) -> dict[str, Decimal]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb)
    try:
        collection = client[Settings().database("checkout")]["orders"]
        sums: dict[str, Any] = {name: {"$sum": f"$state.Order.{name}"} for name in _MONEY}
        pipeline = [
            {"$match": {"state.Phase": {"$ne": "Rejected"}}},
            {"$group": {"_id": None, **sums}},
        ]
        async for document in await collection.aggregate(pipeline):
            return {name: to_decimal(document[name]) for name in _MONEY}
        return dict.fromkeys(_MONEY, Decimal(0))
    finally:
        await client.close()


def _seconds(stage: Stage) -> float:
    ends = [*stage.completed.values(), *stage.forwarded.values()]
    return max(ends, default=time.time()) - min(stage.accepted.values(), default=time.time())


def _faults(facts: Facts, stage: Stage, hook: Hook) -> Any:
    if stage.done < stage.wanted:
        open_orders = sorted(set(stage.accepted) - stage.finished)
        yield f"{len(open_orders)} orders are not done, among them {', '.join(open_orders[:5])}"
    refused = facts.units_refused.total()
    if facts.units_sent != facts.units_tied_back + refused:
        yield (
            f"{facts.units_sent} units were sent, {facts.units_tied_back} tied back, "
            f"{refused} refused"
        )
    if facts.money != facts.money_stored:
        yield "the events' money differs from the database's"
    parts = facts.money
    if parts["Total"] != (
        parts["Subtotal"] + parts["TaxCost"] + parts["ShippingCost"] - parts["PromotionDiscount"]
    ):
        yield "the totals do not add up"
    if sum(facts.notifications.values()) != stage.due:
        ended = sum(facts.notifications.values())
        yield f"{stage.due} notifications were due, {ended} have an outcome"
    if facts.notifications["Delivered"] != facts.mails + facts.webhooks:
        yield (
            f"{facts.notifications['Delivered']} notifications count as delivered, "
            f"{facts.mails} mails and {facts.webhooks} webhooks arrived"
        )
    if hook.forged:
        yield f"{hook.forged} webhooks had a wrong signature"


def print_summary(facts: Facts, console: Console) -> None:
    """The summary for a person."""
    table = Table(title="What happened", show_header=False, title_justify="left")
    table.add_row("Orders", _counts(facts.orders))
    table.add_row("Refused because of", _counts(facts.refusals))
    table.add_row("Supplier orders", _counts(facts.supplier_orders))
    table.add_row(
        "Shipments", f"{facts.shipments:,} with {facts.units_sent:,} units, "
        f"{facts.units_tied_back:,} tied back to their lines{_refused(facts.units_refused)}",
    )  # fmt: skip
    table.add_row(
        "Notifications", f"{_counts(facts.notifications)} ({facts.mails:,} mails and "
        f"{facts.webhooks:,} webhooks arrived)",
    )  # fmt: skip
    money = facts.money
    table.add_row(
        "Money (USD)",
        f"{money['Subtotal']:,.2f} goods + {money['TaxCost']:,.2f} tax + "
        f"{money['ShippingCost']:,.2f} shipping - {money['PromotionDiscount']:,.2f} discounts = "
        f"{money['Total']:,.2f}",
    )
    stored = (
        "the same" if facts.money == facts.money_stored else f"{facts.money_stored['Total']:,.2f}"
    )
    table.add_row("  in the database", stored)
    done = facts.orders["Completed"]
    table.add_row(
        "Speed", f"{done / facts.seconds:,.0f} completed orders/s over {facts.seconds:.1f} s"
    )
    table.add_row("Accepted to forwarded", _times(facts.forwarded))
    table.add_row("Accepted to completed", _times(facts.completed))
    console.print(table)
    for fault in facts.faults:
        console.print(f"[red]Does not fit:[/] {fault}")


def _counts(counter: Counter[str]) -> str:
    return (
        ", ".join(f"{count:,} {name}" for name, count in counter.most_common() if count) or "none"
    )


def _refused(units: Counter[str]) -> str:
    return f", refused: {_counts(units)}" if units else ""


def _times(values: list[float]) -> str:
    if len(values) < 2:
        return "too few"
    cuts = quantiles(values, n=100)
    return f"p50 {cuts[49] * 1000:,.0f} ms, p99 {cuts[98] * 1000:,.0f} ms"
