"""What the services keep against what they last said of it on the topics. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime

from services.checkout.domain.state import OrderState, Phase
from services.forwarding.domain import Forwarding, Part
from services.reconcile.findings import Finding, Publish, Repair
from services.reconcile.heard import Heard, Said, order_digest, part_digest, shipment_digest
from services.reconcile.kept import Kept, Whole
from services.reconcile.shipments import items_of
from services.shipments.shipment import ShipmentState
from shared.contracts.fulfillment import ShipmentEvent, SupplierOrderEvent
from shared.contracts.orders import OrderEvent, OrderStatus
from shared.contracts.registry import (
    ORDER_APPROVED,
    ORDER_AWAITING_APPROVAL,
    ORDER_CANCELED,
    ORDER_COMPLETED,
    ORDER_DECLINED,
    ORDER_SHIPMENTS_CHANGED,
    ORDER_SUBMITTED,
    SHIPMENT_RECONCILED,
    SUPPLIER_ORDER_CANCELED,
    SUPPLIER_ORDER_COMPLETED,
    SUPPLIER_ORDER_FORWARDED,
    MessageType,
    Topics,
)
from shared.messaging.message import Event

_BY_HAND = (
    "The document was changed without an event: somebody wrote it by hand. Find out which is"
    " right; where the topic is, restore the document to what the event says."
)
_AHEAD = (
    "The topic knows a later state than the document: it was restored from an old backup. Restore"
    " a newer one, or apply the commands since then again."
)

_PART_TYPES: dict[OrderStatus, MessageType[SupplierOrderEvent]] = {
    OrderStatus.OPEN: SUPPLIER_ORDER_FORWARDED,
    OrderStatus.COMPLETED: SUPPLIER_ORDER_COMPLETED,
    OrderStatus.CANCELED: SUPPLIER_ORDER_CANCELED,
}


def compare_told(whole: Whole, heard: Heard) -> Iterator[Finding]:
    """Where the last event of an order or a supplier order is not what is kept."""
    if whole.order is not None and not whole.order.outbox:
        yield from _order(whole.order, heard)
    if whole.forwarding is not None and not whole.forwarding.outbox:
        for part in whole.forwarding.state.parts:
            yield from _part(whole.forwarding, part, heard)


def compare_shipment_told(shipment: Kept[ShipmentState], heard: Heard) -> Iterator[Finding]:
    """Where the last event that ties a shipment back is not what is kept."""
    sent = shipment.state.shipment
    said = heard.reconciled.get(shipment.id)
    if sent is None or shipment.outbox or (said is None and not shipment.state.items):
        return
    items = items_of(shipment.state)
    if said is not None and said.digest == shipment_digest(items, sent.date_shipped):
        return
    if said is None and not heard.knows(Topics.SHIPMENTS_EVENTS, shipment.changed):
        return
    body = ShipmentEvent(shipment=sent, items=items)
    publish = Publish(
        "shipments", Event(SHIPMENT_RECONCILED, body), f"{shipment.id}|{sent.revision}|topic"
    )
    repairable = said is None or said.counts < sent.revision
    orders = sorted({item.order_id for item in items})
    yield Finding(
        "shipment-not-told",
        orders[0] if orders else "",
        {
            "shipments": f"revision {sent.revision}",
            Topics.SHIPMENTS_EVENTS: "never told"
            if said is None
            else f"{said.type} of revision {said.counts} says otherwise",
        },
        _AHEAD if said is not None and said.counts > sent.revision else _BY_HAND,
        shipment.changed,
        shipment.id,
        repair=publish if repairable else None,
    )


def _order(order: Kept[OrderState], heard: Heard) -> Iterator[Finding]:
    state, said = order.state, heard.orders.get(order.id)
    if state.phase in (Phase.PRICING, Phase.PROMISING):
        # For its readers nothing has happened until pricing has answered.
        return
    type = event_type(state)
    if type is None:
        return
    event = state.event(type)
    if said is not None and said.digest == order_digest(event.body):
        return
    updated = state.order.last_updated
    if said is None and not heard.knows(Topics.ORDERS_EVENTS, updated):
        return
    yield _told(
        "order-not-told", order.id, "", "checkout", Topics.ORDERS_EVENTS, state.status, updated,
        said, order.changed, Publish("checkout", event, f"{order.id}|{order.version}|topic"),
    )  # fmt: skip


def _part(forwarding: Kept[Forwarding], part: Part, heard: Heard) -> Iterator[Finding]:
    id, said = part.order.id, heard.parts.get(part.order.id)
    type = _PART_TYPES.get(part.order.status)
    if type is None or (
        said is not None and said.digest == part_digest(supplier_order_event(part))
    ):
        return
    updated = part.order.last_updated
    if said is None and not heard.knows(Topics.SUPPLIER_ORDERS_EVENTS, updated):
        return
    cause = f"{forwarding.id}|{id}|{forwarding.version}|topic"
    yield _told(
        "supplier-order-not-told", forwarding.id, id, "forwarding", Topics.SUPPLIER_ORDERS_EVENTS,
        part.order.status, updated, said, forwarding.changed,
        Publish("forwarding", part.event(type), cause),
    )  # fmt: skip


def _told(
    kind: str,
    order_id: str,
    subject: str,
    owner: str,
    topic: str,
    status: OrderStatus,
    updated: datetime,
    said: Said | None,
    since: datetime,
    publish: Publish,
) -> Finding:
    """The finding where ``owner`` keeps one thing and its topic has another, or none. Only what
    is later than the topic is published: an older state would be taken for news."""
    kept_at = round(updated.timestamp() * 1000)
    repair: Repair | None = publish if said is None or said.counts < kept_at else None
    return Finding(
        kind,
        order_id,
        {
            owner: f"{status} since {_clock(updated)}",
            topic: "never told"
            if said is None
            else f"{said.type} of {_clock(datetime.fromtimestamp(said.counts / 1000, UTC))}"
            + (", with other content" if said.counts == kept_at else ""),
        },
        _AHEAD if said is not None and said.counts > kept_at else _BY_HAND,
        max(since, updated),
        subject,
        repair=repair,
    )


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


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


def supplier_order_event(part: Part) -> SupplierOrderEvent:
    """A supplier order as its events tell it."""
    return SupplierOrderEvent(
        order=part.order, line_items=part.line_items, buyer_order_id=part.order.buyer_order_id
    )
