"""A buyer's order against what forwarding, the ledger and pricing keep of it. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from services.checkout.domain.state import OrderState, Phase
from services.forwarding.domain import Forwarding, Part
from services.pricing.allotments import inventory_id
from services.pricing.quotes import Quote
from services.reconcile.findings import Finding, Publish, Repair, Resend
from services.reconcile.heard import Heard, Readers, Said
from services.reconcile.kept import Kept, Whole
from services.shipments.ledger import Ledger
from shared.contracts.fulfillment import SupplierOrderEvent
from shared.contracts.orders import OrderEvent, OrderStatus, ReleaseOrder
from shared.contracts.registry import (
    ORDER_APPROVED,
    ORDER_AWAITING_APPROVAL,
    ORDER_CANCELED,
    ORDER_COMPLETED,
    ORDER_DECLINED,
    ORDER_SHIPMENTS_CHANGED,
    ORDER_SUBMITTED,
    RELEASE_ORDER,
    SUPPLIER_ORDER_FORWARDED,
    MessageType,
)
from shared.messaging.message import Event
from shared.shipped import all_left, departed, quantities

_RESTORE = (
    "No message leads there: a document was changed by hand or restored from an old backup. Find"
    " out which side is right, restore the other from a backup, and run this again."
)
_FILLED = (OrderStatus.OPEN, OrderStatus.COMPLETED)


def compare_order(whole: Whole, heard: Heard, readers: Readers) -> Iterator[Finding]:
    """What disagrees about one order, but for its shipments."""
    if whole.order is None:
        yield from _stray(whole)
        return
    state = whole.order.state
    if state.phase in (Phase.PRICING, Phase.PROMISING):
        yield from _unanswered(whole.order, whole.quote, heard, readers)
        return
    yield from _itself(whole.order)
    yield from _promise(whole.order, whole.quote, heard, readers)
    yield from _forwarding(whole.order, whole.forwarding, heard, readers)
    yield from _ledger(whole.order, whole.forwarding, whole.ledger, heard, readers)


def event_type(state: OrderState) -> MessageType[OrderEvent] | None:
    """The type of the event that told of an order's present state; None where none does."""
    if state.phase is Phase.REJECTED:
        return None
    match state.status:
        case OrderStatus.AWAITING_APPROVAL:
            return ORDER_AWAITING_APPROVAL
        case OrderStatus.DECLINED:
            return ORDER_DECLINED
        case OrderStatus.CANCELED:
            return ORDER_CANCELED
        case OrderStatus.COMPLETED:
            return ORDER_COMPLETED
        case OrderStatus.OPEN:
            if state.shares:
                return ORDER_SHIPMENTS_CHANGED
            return ORDER_APPROVED if state.order.date_approved else ORDER_SUBMITTED
        case _:
            return None


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
            _RESTORE, order.changed,
        )  # fmt: skip
    if state.status is OrderStatus.COMPLETED and not state.all_left():
        left = departed(state.shares)
        missing = {
            line.id: line.quantity - left[line.id]
            for line in state.line_items
            if left[line.id] < line.quantity
        }
        yield Finding(
            "order-completed-early", order.id,
            {"checkout": "Completed", "checkout's shipments": f"not left: {_units(missing)}"},
            _RESTORE, order.changed,
        )  # fmt: skip
    told = {line.id: line.quantity_shipped for line in state.line_items if line.quantity_shipped}
    summed = {id: count for id, count in quantities(state.shares).items() if count}
    if told != summed:
        yield Finding(
            "order-quantities", order.id,
            {
                "checkout": f"shipped by line: {_units(told)}",
                "checkout's shipments": _units(summed),
            },
            _RESTORE, order.changed,
        )  # fmt: skip


# --- pricing --------------------------------------------------------------------------------


def _unanswered(
    order: Kept[OrderState], quote: Kept[Quote] | None, heard: Heard, readers: Readers
) -> Iterator[Finding]:
    state = order.state
    if order.outbox:
        # Its question has not left; the outbox is told of by itself.
        return
    asked, answered = heard.asked.get(order.id), heard.priced.get(order.id)
    again = (
        f"Send CancelOrder for {order.id} and place it again; nothing was promised to it."
        if state.phase is Phase.PRICING
        else f"Restore {order.id} in checkout from a backup; its approval waits for ever."
    )
    if quote is not None and quote.state.request_id == state.request_id:
        known = answered is not None and answered.id == state.request_id
        yield Finding(
            "answer-missed", order.id,
            {"checkout": f"waits for pricing ({state.phase})", "pricing": "has answered"},
            again, max(order.changed, quote.changed),
            repair=Resend("pricing", answered.place, order.seen, order.version)
            if known and answered is not None
            else None,
            under_way=known and answered is not None
            and not readers.has_read("checkout", answered),
        )  # fmt: skip
        return
    known = asked is not None and asked.id == state.request_id
    yield Finding(
        "question-missed", order.id,
        {
            "checkout": f"waits for pricing ({state.phase})",
            "pricing": "never heard of it" if quote is None else "knows an earlier question only",
        },
        again, order.changed,
        repair=Resend(
            "checkout", asked.place,
            quote.seen if quote else frozenset(), quote.version if quote else 0,
        )
        if known and asked is not None
        else None,
        under_way=known and asked is not None and not readers.has_read("pricing", asked),
    )  # fmt: skip


def _promise(
    order: Kept[OrderState], quote: Kept[Quote] | None, heard: Heard, readers: Readers
) -> Iterator[Finding]:
    state = order.state
    filled = state.status in _FILLED and state.phase is Phase.SETTLED
    held = quote is not None and quote.state.promised
    since = order.changed if quote is None else max(order.changed, quote.changed)
    asked = heard.asked.get(order.id)
    unread = asked is not None and not readers.has_read("pricing", asked)
    if filled and not held:
        yield Finding(
            "not-promised", order.id,
            {
                "checkout": f"{state.status}, stock promised",
                "pricing": "nothing asked" if quote is None
                else "given back" if quote.state.released else "promised nothing",
            },
            f"Nobody holds stock for {order.id}. Cancel and place it again, or lower the stock of"
            " its products with SaveInventory by what it ordered.",
            since, under_way=unread,
        )  # fmt: skip
    if not filled and held and quote is not None:
        release = Event(RELEASE_ORDER, ReleaseOrder(order_id=order.id))
        what = "refused" if state.phase is Phase.REJECTED else str(state.status)
        yield Finding(
            "stock-not-released", order.id,
            {"checkout": what, "pricing": "still holds its stock"},
            f"Run this with --repair: it sends ReleaseOrder for {order.id}.",
            since,
            repair=Publish("checkout", release, f"{order.id}|{quote.version}"),
            under_way=unread,
        )  # fmt: skip
    if filled and held and quote is not None:
        yield from _promised_units(order, quote)


def _promised_units(order: Kept[OrderState], quote: Kept[Quote]) -> Iterator[Finding]:
    ordered: Counter[str] = Counter()
    for line in order.state.line_items:
        ordered[line.product_id] += line.quantity
    grants = quote.state.held()
    for product, units in sorted(ordered.items()):
        # A product without a grant was not tracked when it was ordered.
        grant = grants.get(inventory_id(product))
        if grant is not None and sum(grant.units.values()) != units:
            yield Finding(
                "promised-quantity", order.id,
                {
                    "checkout": f"{units} of {product} ordered",
                    "pricing": f"{sum(grant.units.values())} promised",
                },
                f"Correct the stock of {product} with SaveInventory once you know which is right;"
                " the order itself keeps what it says.",
                max(order.changed, quote.changed), product,
            )  # fmt: skip


# --- forwarding -----------------------------------------------------------------------------


def _forwarding(
    order: Kept[OrderState], forwarding: Kept[Forwarding] | None, heard: Heard, readers: Readers
) -> Iterator[Finding]:
    state = order.state
    since = order.changed if forwarding is None else max(order.changed, forwarding.changed)
    forwarded = forwarding is not None and forwarding.state.forwarded is not None
    if state.status is OrderStatus.CANCELED and state.phase is Phase.SETTLED:
        if forwarding is None or not forwarding.state.canceled:
            said = heard.orders.get(order.id)
            repair, unread = _tell(order, forwarding, said, ORDER_CANCELED, "forwarding", readers)
            yield Finding(
                "forwarding-not-canceled", order.id,
                {
                    "checkout": "Canceled",
                    "forwarding": _parts(forwarding) if forwarding else "never heard of it",
                },
                _RESTORE, since, repair=repair, under_way=unread,
            )  # fmt: skip
        return
    if state.phase is not Phase.SETTLED or state.status not in _FILLED:
        if forwarded and forwarding is not None:
            what = "refused" if state.phase is Phase.REJECTED else str(state.status)
            yield Finding(
                "forwarded-unasked", order.id,
                {"checkout": what, "forwarding": _parts(forwarding)}, _RESTORE, since,
            )  # fmt: skip
        return
    if forwarding is not None and forwarding.state.canceled:
        yield Finding(
            "forwarding-canceled", order.id,
            {"checkout": str(state.status), "forwarding": "canceled"}, _RESTORE, since,
        )  # fmt: skip
        return
    if forwarding is None or not forwarded:
        type = ORDER_APPROVED if state.order.date_approved else ORDER_SUBMITTED
        repair, unread = _tell(
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
                "checkout": f"ordered by line: {_units(wanted)}",
                "forwarding": f"in supplier orders and held: {_units(covered)}",
            },
            _RESTORE, since,
        )  # fmt: skip
    suppliers = {line.id: line.supplier_id for line in order.state.line_items}
    shipped, left = quantities(state.shares), departed(state.shares)
    for part in state.parts:
        yield from _part(order.id, part, suppliers, shipped, left, since)


def _part(
    order_id: str,
    part: Part,
    suppliers: Mapping[str, str | None],
    shipped: Counter[str],
    left: Counter[str],
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
            _RESTORE, since, id,
        )  # fmt: skip
    told = {line.id: line.quantity_shipped for line in part.line_items}
    summed = {line.id: shipped[line.id] for line in part.line_items}
    if told != summed:
        yield Finding(
            "supplier-order-quantities", order_id,
            {
                "forwarding": f"shipped by line: {_units(told)}",
                "forwarding's shipments": _units(summed),
            },
            _RESTORE, since, id,
        )  # fmt: skip
    gone = all_left(part.line_items, left)
    if (status is OrderStatus.OPEN and gone) or (status is OrderStatus.COMPLETED and not gone):
        yield Finding(
            "supplier-order-status", order_id,
            {
                "forwarding": str(status),
                "forwarding's shipments": "every unit has left" if gone else "not all has left",
            },
            _RESTORE, since, id,
        )  # fmt: skip


# --- the ledger -----------------------------------------------------------------------------


def _ledger(
    order: Kept[OrderState],
    forwarding: Kept[Forwarding] | None,
    ledger: Kept[Ledger] | None,
    heard: Heard,
    readers: Readers,
) -> Iterator[Finding]:
    state = order.state
    canceled = state.status is OrderStatus.CANCELED
    if state.phase is not Phase.SETTLED or state.status not in (*_FILLED, OrderStatus.CANCELED):
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
        repair, unread = _tell(order, ledger, said, type, "shipments", readers)
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
                "checkout": f"ordered by line: {_units(lines)}",
                "shipments": _units(ledger.state.lines),
            },
            _RESTORE, since,
        )  # fmt: skip
    if ledger.state.canceled and not canceled:
        yield Finding(
            "ledger-canceled", order.id,
            {"checkout": str(state.status), "shipments": "takes no shipments, canceled"},
            _RESTORE, since,
        )  # fmt: skip
    taken: Counter[str] = Counter()
    for entry in ledger.state.entries:
        taken[entry.line_item_id] += entry.quantity
    over = {id: count for id, count in taken.items() if count > ledger.state.lines.get(id, 0)}
    if over:
        yield Finding(
            "over-shipped", order.id,
            {
                "shipments": f"on shipments by line: {_units(over)}",
                "ledger": f"ordered: {_units({id: ledger.state.lines.get(id, 0) for id in over})}",
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


# --- what both need -------------------------------------------------------------------------


def _tell(
    order: Kept[OrderState],
    target: Kept[Forwarding] | Kept[Ledger] | None,
    said: Said | None,
    type: MessageType[OrderEvent],
    reader: str,
    readers: Readers,
) -> tuple[Repair | None, bool]:
    """How ``target`` is told once more of the order, and whether it has not read it yet."""
    if said is not None and said.type == type.name:
        seen = target.seen if target is not None else frozenset[str]()
        version = target.version if target is not None else 0
        return (
            Resend("checkout", said.place, seen, version),
            not readers.has_read(reader, said),
        )
    if type is not ORDER_CANCELED and order.state.status is not OrderStatus.OPEN:
        return None, False
    version = 0 if target is None else target.version
    cause = f"{order.id}|{order.version}|{reader}|{version}"
    return Publish("checkout", order.state.event(type), cause), False


def supplier_order_event(part: Part) -> SupplierOrderEvent:
    """A supplier order as its events tell it."""
    return SupplierOrderEvent(
        order=part.order, line_items=part.line_items, buyer_order_id=part.order.buyer_order_id
    )


def _parts(forwarding: Kept[Forwarding]) -> str:
    parts = forwarding.state.parts
    return (
        ", ".join(f"{part.order.id} {part.order.status}" for part in parts) or "nothing forwarded"
    )


def _units(by_line: Mapping[str, int]) -> str:
    return ", ".join(f"{id}: {count}" for id, count in sorted(by_line.items())) or "none"
