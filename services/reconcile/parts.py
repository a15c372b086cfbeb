"""A buyer's order against the supplier orders made of it. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from services.checkout.domain.state import OrderState, Phase
from services.forwarding.domain import Forwarding, Part
from services.reconcile.common import FILLED, RESTORE, tell, units
from services.reconcile.findings import Finding
from services.reconcile.heard import Heard, Readers
from services.reconcile.kept import Kept
from shared.contracts.orders import OrderStatus
from shared.contracts.registry import (
    ORDER_APPROVED,
    ORDER_CANCELED,
    ORDER_SUBMITTED,
)
from shared.shipped import all_left, departed, quantities


def compare_forwarding(
    order: Kept[OrderState], forwarding: Kept[Forwarding] | None, heard: Heard, readers: Readers
) -> Iterator[Finding]:
    state = order.state
    since = order.changed if forwarding is None else max(order.changed, forwarding.changed)
    forwarded = forwarding is not None and forwarding.state.forwarded is not None
    if state.status is OrderStatus.CANCELED and state.phase is Phase.SETTLED:
        if forwarding is None or not forwarding.state.canceled:
            said = heard.orders.get(order.id)
            repair, unread = tell(order, forwarding, said, ORDER_CANCELED, "forwarding", readers)
            yield Finding(
                "forwarding-not-canceled", order.id,
                {
                    "checkout": "Canceled",
                    "forwarding": _parts(forwarding) if forwarding else "never heard of it",
                },
                RESTORE, since, repair=repair, under_way=unread,
            )  # fmt: skip
        return
    if state.phase is not Phase.SETTLED or state.status not in FILLED:
        if forwarded and forwarding is not None:
            what = "refused" if state.phase is Phase.REJECTED else str(state.status)
            yield Finding(
                "forwarded-unasked", order.id,
                {"checkout": what, "forwarding": _parts(forwarding)}, RESTORE, since,
            )  # fmt: skip
        return
    if forwarding is not None and forwarding.state.canceled:
        yield Finding(
            "forwarding-canceled", order.id,
            {"checkout": str(state.status), "forwarding": "canceled"}, RESTORE, since,
        )  # fmt: skip
        return
    if forwarding is None or not forwarded:
        type = ORDER_APPROVED if state.order.date_approved else ORDER_SUBMITTED
        repair, unread = tell(
            order, forwarding, heard.submitted.get(order.id), type, "forwarding", readers
        )
        yield Finding(
            "not-forwarded", order.id,
            {"checkout": str(state.status), "forwarding": "no supplier orders"},
            "Forwarding takes open orders only. Restore its document from a backup.",
            since, repair=repair, under_way=unread,
        )  # fmt: skip
        return
    yield from _parts_of(order, forwarding)


def _parts_of(order: Kept[OrderState], forwarding: Kept[Forwarding]) -> Iterator[Finding]:
    since = max(order.changed, forwarding.changed)
    state = forwarding.state
    wanted = Counter({line.id: line.quantity for line in order.state.line_items})
    covered: Counter[str] = Counter()
    for part in state.parts:
        covered.update({line.id: line.quantity for line in part.line_items})
    covered.update({line.id: line.quantity for line in state.held})
    if wanted != covered:
        yield Finding(
            "lines-not-covered", order.id,
            {
                "checkout": f"ordered by line: {units(wanted)}",
                "forwarding": f"in supplier orders and held: {units(covered)}",
            },
            RESTORE, since,
        )  # fmt: skip
    suppliers = {line.id: line.supplier_id for line in order.state.line_items}
    shipped, left = quantities(state.shares), departed(state.shares)
    for part in state.parts:
        yield from _part(order.id, part, suppliers, shipped, left, since)


def _part(
    order_id: str,
    part: Part,
    suppliers: Mapping[str, str | None],
    shipped: Mapping[str, int],
    left: Mapping[str, int],
    since: datetime,
) -> Iterator[Finding]:
    id, to, status = part.order.id, part.order.to_company_id, part.order.status
    astray = {
        line.id: suppliers[line.id]
        for line in part.line_items
        if suppliers.get(line.id) not in (None, to)
    }
    if astray:
        yield Finding(
            "line-at-other-supplier", order_id,
            {
                "checkout": ", ".join(f"line {k}: {v}" for k, v in sorted(astray.items())),
                "forwarding": f"forwarded to {to}",
            },
            RESTORE, since, id,
        )  # fmt: skip
    told = {line.id: line.quantity_shipped for line in part.line_items}
    summed = {line.id: shipped.get(line.id, 0) for line in part.line_items}
    if told != summed:
        yield Finding(
            "supplier-order-quantities", order_id,
            {
                "forwarding": f"shipped by line: {units(told)}",
                "forwarding's shipments": units(summed),
            },
            RESTORE, since, id,
        )  # fmt: skip
    gone = all_left(part.line_items, left)
    if (status is OrderStatus.OPEN and gone) or (status is OrderStatus.COMPLETED and not gone):
        yield Finding(
            "supplier-order-status", order_id,
            {
                "forwarding": str(status),
                "forwarding's shipments": "every unit has left" if gone else "not all has left",
            },
            RESTORE, since, id,
        )  # fmt: skip


def _parts(forwarding: Kept[Forwarding]) -> str:
    parts = forwarding.state.parts
    return (
        ", ".join(f"{part.order.id} {part.order.status}" for part in parts) or "nothing forwarded"
    )
