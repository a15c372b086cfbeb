"""A buyer's order and its supplier orders against the quantity ledger. Pure."""

from collections import Counter
from collections.abc import Iterator

from services.checkout.domain.state import OrderState, Phase
from services.forwarding.domain import Forwarding
from services.reconcile.common import FILLED, RESTORE, tell, units
from services.reconcile.findings import Finding, Publish, Repair, Resend
from services.reconcile.heard import Heard, Readers
from services.reconcile.kept import Kept
from services.shipments.ledger import Ledger
from shared.contracts.orders import OrderStatus
from shared.contracts.registry import (
    ORDER_APPROVED,
    ORDER_CANCELED,
    ORDER_SUBMITTED,
    SUPPLIER_ORDER_FORWARDED,
)


def compare_ledger(
    order: Kept[OrderState],
    forwarding: Kept[Forwarding] | None,
    ledger: Kept[Ledger] | None,
    heard: Heard,
    readers: Readers,
) -> Iterator[Finding]:
    state = order.state
    canceled = state.status is OrderStatus.CANCELED
    if state.phase is not Phase.SETTLED or state.status not in (*FILLED, OrderStatus.CANCELED):
        return
    since = order.changed if ledger is None else max(order.changed, ledger.changed)
    if forwarding is not None and not canceled:
        yield from _ledger_parts(order.id, forwarding, ledger, heard, readers)
    if ledger is None or ledger.state.lines is None or (canceled and not ledger.state.canceled):
        known = ledger is not None and ledger.state.lines is not None
        if canceled:
            type, said = ORDER_CANCELED, heard.orders.get(order.id)
        else:
            type = ORDER_APPROVED if state.order.date_approved else ORDER_SUBMITTED
            said = heard.submitted.get(order.id)
        repair, unread = tell(order, ledger, said, type, "shipments", readers)
        yield Finding(
            "ledger-not-canceled" if known else "ledger-missing", order.id,
            {
                "checkout": str(state.status),
                "shipments": "takes shipments of it" if known else "does not know its lines",
            },
            "Restore the ledger from a backup.", since, repair=repair, under_way=unread,
        )  # fmt: skip
        return
    lines = {line.id: line.quantity for line in state.line_items}
    if lines != ledger.state.lines:
        yield Finding(
            "ledger-lines", order.id,
            {
                "checkout": f"ordered by line: {units(lines)}",
                "shipments": units(ledger.state.lines),
            },
            RESTORE, since,
        )  # fmt: skip
    if ledger.state.canceled and not canceled:
        yield Finding(
            "ledger-canceled", order.id,
            {"checkout": str(state.status), "shipments": "takes no shipments, canceled"},
            RESTORE, since,
        )  # fmt: skip
    taken: Counter[str] = Counter()
    for entry in ledger.state.entries:
        taken[entry.line_item_id] += entry.quantity
    over = {id: count for id, count in taken.items() if count > ledger.state.lines.get(id, 0)}
    if over:
        yield Finding(
            "over-shipped", order.id,
            {
                "shipments": f"on shipments by line: {units(over)}",
                "ledger": f"ordered: {units({id: ledger.state.lines.get(id, 0) for id in over})}",
            },
            "Lower the shipments that carry too much with UpdateShipment.", ledger.changed,
        )  # fmt: skip


def _ledger_parts(
    order_id: str,
    forwarding: Kept[Forwarding],
    ledger: Kept[Ledger] | None,
    heard: Heard,
    readers: Readers,
) -> Iterator[Finding]:
    parts = ledger.state.parts if ledger is not None else []
    known = {part.id: set(part.line_item_ids) for part in parts}
    seen, version = (ledger.seen, ledger.version) if ledger else (frozenset[str](), 0)
    since = max(forwarding.changed, ledger.changed) if ledger else forwarding.changed
    for part in forwarding.state.parts:
        id = part.order.id
        missing = {line.id for line in part.line_items} - known.get(id, set())
        if not missing:
            continue
        said = heard.forwarded.get(id)
        repair: Repair
        if said is not None:
            repair = Resend("forwarding", said.place, seen, version)
        else:
            repair = Publish(
                "forwarding",
                part.event(SUPPLIER_ORDER_FORWARDED),
                f"{order_id}|{id}|ledger|{version}",
            )
        yield Finding(
            "ledger-part-missing", order_id,
            {
                "forwarding": f"{id} has line {', '.join(sorted(missing))}",
                "shipments": "does not know it" if id not in known else "knows other lines of it",
            },
            "Run this with --repair.", since, id,
            repair=repair,
            under_way=said is not None and not readers.has_read("shipments", said),
        )  # fmt: skip
