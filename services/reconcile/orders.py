"""A buyer's order in itself, and against all that others keep of it. Pure."""

from collections.abc import Iterator

from services.checkout.domain.state import OrderState, Phase
from services.reconcile.common import RESTORE, units
from services.reconcile.findings import Finding
from services.reconcile.heard import Heard, Readers
from services.reconcile.kept import Kept, Whole
from services.reconcile.ledgers import compare_ledger
from services.reconcile.parts import compare_forwarding
from services.reconcile.promises import promise, unanswered
from shared.contracts.orders import OrderStatus
from shared.shipped import departed, quantities


def compare_order(whole: Whole, heard: Heard, readers: Readers) -> Iterator[Finding]:
    """What disagrees about one order, but for its shipments."""
    if whole.order is None:
        yield from _stray(whole)
        return
    state = whole.order.state
    if state.phase in (Phase.PRICING, Phase.PROMISING):
        yield from unanswered(whole.order, whole.quote, heard, readers)
        return
    yield from _itself(whole.order)
    yield from promise(whole.order, whole.quote, heard, readers)
    yield from compare_forwarding(whole.order, whole.forwarding, heard, readers)
    yield from compare_ledger(whole.order, whole.forwarding, whole.ledger, heard, readers)


def _stray(whole: Whole) -> Iterator[Finding]:
    says, changed = {"checkout": "no such order"}, []
    if whole.forwarding is not None and whole.forwarding.state.forwarded is not None:
        says["forwarding"] = f"{len(whole.forwarding.state.parts)} supplier orders"
        changed.append(whole.forwarding.changed)
    if whole.ledger is not None and whole.ledger.state.lines is not None:
        says["shipments"] = f"a ledger of {len(whole.ledger.state.lines)} lines"
        changed.append(whole.ledger.changed)
    if whole.quote is not None and whole.quote.state.promised:
        says["pricing"] = "holds stock for it"
        changed.append(whole.quote.changed)
    if changed:
        yield Finding(
            "order-unknown",
            whole.id,
            says,
            "Checkout lost the order. Restore it from a backup; `ordermesh events export --order"
            f" {whole.id}` has what was said of it.",
            max(changed),
        )


def _itself(order: Kept[OrderState]) -> Iterator[Finding]:
    state = order.state
    if state.status is OrderStatus.OPEN and state.shares and state.all_left():
        yield Finding(
            "order-not-completed", order.id,
            {"checkout": "Open", "checkout's shipments": "every unit has left"},
            RESTORE, order.changed,
        )  # fmt: skip
    if state.status is OrderStatus.COMPLETED and not state.all_left():
        left = departed(state.shares)
        missing = {
            line.id: line.quantity - left.get(line.id, 0)
            for line in state.line_items
            if left.get(line.id, 0) < line.quantity
        }
        yield Finding(
            "order-completed-early", order.id,
            {"checkout": "Completed", "checkout's shipments": f"not left: {units(missing)}"},
            RESTORE, order.changed,
        )  # fmt: skip
    told = {line.id: line.quantity_shipped for line in state.line_items if line.quantity_shipped}
    summed = {id: count for id, count in quantities(state.shares).items() if count}
    if told != summed:
        yield Finding(
            "order-quantities", order.id,
            {
                "checkout": f"shipped by line: {units(told)}",
                "checkout's shipments": units(summed),
            },
            RESTORE, order.changed,
        )  # fmt: skip
