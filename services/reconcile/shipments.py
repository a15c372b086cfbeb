"""A shipment against what checkout, forwarding and the ledger know of it. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from services.checkout.domain.state import OrderState
from services.forwarding.domain import Forwarding
from services.reconcile.findings import Finding, Publish, Repair, Resend
from services.reconcile.heard import Heard, Readers, shipment_digest
from services.reconcile.kept import Kept, Whole
from services.shipments.shipment import ShipmentState
from shared.contracts.fulfillment import ReconciledItem, ShipmentEvent
from shared.contracts.registry import SHIPMENT_RECONCILED
from shared.messaging.message import Event
from shared.shipped import Share

Carrying = tuple[dict[str, int], bool]
"""Units by line, and whether they have left."""


def compare_shipment(
    id: str,
    shipment: Kept[ShipmentState] | None,
    whole: Whole,
    heard: Heard,
    readers: Readers,
) -> Iterator[Finding]:
    """What disagrees about shipment ``id`` as far as it concerns one order."""
    carried, left = _carried(shipment, whole.id)
    if whole.order is None:
        if carried and shipment is not None:
            yield Finding(
                "shipment-of-unknown-order", whole.id,
                {"shipments": f"carries {_units(carried)} of it", "checkout": "no such order"},
                "Checkout lost the order; restore it from a backup.", shipment.changed, id,
            )  # fmt: skip
        return
    for name, kept in (("checkout", whole.order), ("forwarding", whole.forwarding)):
        if kept is None:
            # That it knows nothing at all is told as an order's disagreement.
            continue
        yield from _consumer(name, id, shipment, (carried, left), whole.id, kept, heard, readers)
    if whole.ledger is None or (shipment is not None and shipment.state.unsettled):
        return
    entered = {
        entry.line_item_id: entry.quantity
        for entry in whole.ledger.state.entries
        if entry.shipment_id == id and entry.quantity
    }
    if entered != carried:
        yield Finding(
            "ledger-entries", whole.id,
            {
                "shipments": f"carries by line: {_units(carried)}",
                "ledger": f"has by line: {_units(entered)}",
            },
            f"Send UpdateShipment for {id} twice: once with these items removed (quantity 0), once"
            " with the right quantities. Each enters what it says into the ledger.",
            _latest(shipment, whole.ledger.changed), id,
        )  # fmt: skip


def _consumer(
    name: str,
    id: str,
    shipment: Kept[ShipmentState] | None,
    carrying: Carrying,
    order_id: str,
    kept: Kept[OrderState] | Kept[Forwarding],
    heard: Heard,
    readers: Readers,
) -> Iterator[Finding]:
    share = kept.state.shares.get(id)
    known = _of_share(share)
    carried, left = carrying
    if known[0] == carried and (known[1] == left or not carried):
        return
    said = heard.reconciled.get(id)
    repair = _repair(name, shipment, carrying, share, order_id, kept, heard)
    yield Finding(
        f"shipment-missed-by-{name}",
        order_id,
        {"shipments": _tells(carrying), name: _tells(known)},
        f"{name} has taken in this revision of {id} and shows something else. Send UpdateShipment"
        f" for {id} twice, once with an item lowered and once with it restored: each is a new"
        " revision that is taken in.",
        _latest(shipment, kept.changed),
        id,
        repair=repair,
        under_way=said is not None and not readers.has_read(name, said),
    )


def _repair(
    name: str,
    shipment: Kept[ShipmentState] | None,
    carrying: Carrying,
    share: Share | None,
    order_id: str,
    kept: Kept[OrderState] | Kept[Forwarding],
    heard: Heard,
) -> Repair | None:
    """The event that was missed, again. None where the one who missed it would ignore it."""
    if shipment is None or shipment.state.shipment is None:
        return None
    sent = shipment.state.shipment
    if share is not None and share.revision >= sent.revision:
        return None
    items = items_of(shipment.state)
    said = heard.reconciled.get(shipment.id)
    told = said is not None and said.digest == shipment_digest(items, sent.date_shipped)
    if (
        said is not None
        and told
        and carrying[0]
        and (share is None or said.counts > share.revision)
    ):
        return Resend("shipments", said.place, kept.seen, kept.version)
    removed = [] if carrying[0] else [order_id]
    body = ShipmentEvent(shipment=sent, items=items, removed_order_ids=removed)
    # What no topic has is published once for all who missed it.
    for_all = not told and bool(carrying[0])
    whom = "topic" if for_all else f"{name}|{order_id}|{kept.version}"
    return Publish(
        "shipments", Event(SHIPMENT_RECONCILED, body), f"{shipment.id}|{sent.revision}|{whom}"
    )


def items_of(state: ShipmentState) -> list[ReconciledItem]:
    """A shipment's items as its events tell them."""
    return [ReconciledItem.model_validate(item.model_dump()) for item in state.items]


def _carried(shipment: Kept[ShipmentState] | None, order_id: str) -> Carrying:
    if shipment is None or shipment.state.shipment is None:
        return {}, False
    carried = {
        item.line_item_id: item.quantity_shipped
        for item in shipment.state.items
        if item.order_id == order_id and item.quantity_shipped
    }
    return carried, shipment.state.shipment.date_shipped is not None


def _of_share(share: Share | None) -> Carrying:
    if share is None:
        return {}, False
    return {line: count for line, count in share.items.items() if count}, share.left


def _tells(carrying: Carrying) -> str:
    carried, left = carrying
    if not carried:
        return "carries nothing of it"
    return f"carries {_units(carried)}, {'left' if left else 'not left yet'}"


def _latest(shipment: Kept[ShipmentState] | None, other: datetime) -> datetime:
    return other if shipment is None else max(shipment.changed, other)


def _units(by_line: Mapping[str, int]) -> str:
    return ", ".join(f"{id}: {count}" for id, count in sorted(by_line.items())) or "none"
