"""An order's whole story, put together from what every service keeps of it.

``read`` looks the documents up and never writes; ``tell`` is pure. Each service keeps its own
part, and they become consistent one after the other, so a story told while an order moves may
know of a shipment in one place and not yet in another.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import ExecutionTimeout

from services.checkout.domain.state import OrderState, Phase
from services.forwarding.domain import Forwarding, Part
from services.notifications.domain import Delivery
from services.notifications.domain import Status as DeliveryStatus
from services.pricing.quotes import Quote
from services.shipments.ledger import Ledger
from services.shipments.shipment import ShipmentState
from shared.contracts.base import Error, Resource, Time
from shared.contracts.fulfillment import ReconciledItem, Shipment
from shared.contracts.orders import LineItem, Order, OrderPromotion, OrderStatus, Payment
from shared.mongo.codec import CODEC
from shared.settings import Settings
from shared.shipped import departed

S = TypeVar("S", bound=Resource)

# Deliveries have no index by order: it would cost every event a write for the sake of a look.
_SEARCH_SECONDS = 10
_MOST_NOTIFICATIONS = 1_000


class MessageStory(Resource):
    """A message about the order: when Kafka took it (UTC), where it stands, which it is by type,
    ID and source, what its key is, and in ``note`` what it was refused or set aside for."""

    at: Time
    topic: str
    type: str
    id: str
    source: str
    key: str
    place: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What the services keep of one order. ``deliveries`` None: there are too many to be searched
    for the order's."""

    order: OrderState
    quote: Quote | None = None
    forwarding: Forwarding | None = None
    shipments: dict[str, ShipmentState] = field(default_factory=dict)
    deliveries: Sequence[Delivery] | None = ()
    messages: Sequence[MessageStory] | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """No order has the ID, neither a buyer's nor a supplier's. ``waiting`` are the shipments that
    wait for one."""

    waiting: Sequence[str] = ()


class ShipmentStory(Resource):
    """``items`` are those of the order. ``shipment`` is absent while its creation waits for the
    orders ``waits_for``."""

    id: str
    shipment: Shipment | None = None
    items: list[ReconciledItem]
    waits_for: list[str] | None = None


class NotificationStory(Resource):
    """A delivery without the address it goes to. ``target`` is the mailbox's or webhook's ID."""

    channel: str
    target: str
    event_type: str
    status: str
    attempts: int
    occurred: Time
    completed: Time | None = None
    next_attempt: Time | None = None
    error: str | None = None


class Moment(Resource):
    """Something that happened (UTC): the event's type, or the command's, and what it was about."""

    at: Time
    event: str
    subject: str


class Story(Resource):
    """All that is known of one buyer order. ``waits_for`` says what has to happen next, absent
    when the order has come to its end; ``stock`` what pricing holds for it; ``notifications`` is
    absent when they could not be searched, ``messages`` when no Kafka was named."""

    order: Order
    phase: Phase
    waits_for: str | None = None
    channel: str
    stock: str
    line_items: list[LineItem]
    payments: list[Payment]
    promotions: list[OrderPromotion]
    comments: str | None = None
    approving_user: str | None = None
    supplier_orders: list[Part]
    held: list[LineItem]
    shipments: list[ShipmentStory]
    notifications: list[NotificationStory] | None = None
    timeline: list[Moment]
    messages: list[MessageStory] | None = None
    errors: list[Error]


# --- reading --------------------------------------------------------------------------------


async def read(
    mongo: AsyncMongoClient[dict[str, Any]], settings: Settings, id: str
) -> Sources | Unknown:
    """What the services keep of the buyer's order ``id``, or of the buyer's order that the
    supplier order ``id`` is a part of. Raises PyMongoError when MongoDB fails."""

    def collection(service: str, name: str) -> AsyncCollection[dict[str, Any]]:
        return mongo[settings.database(service)].get_collection(name, codec_options=CODEC)

    orders = collection("checkout", "orders")
    forwardings = collection("forwarding", "forwardings")
    shipments = collection("shipments", "shipments")
    order = await _state(orders, id, OrderState)
    if order is None:
        part = await forwardings.find_one({"state.Parts.Order.ID": id}, {"_id": 1})
        order = await _state(orders, part["_id"], OrderState) if part else None
    if order is None:
        return Unknown([d["_id"] async for d in _waiting_for(shipments, [id])])
    order_id = order.order.id
    forwarding = await _state(forwardings, order_id, Forwarding)
    ledger = await _state(collection("shipments", "ledgers"), order_id, Ledger)
    carrying = {*order.shares, *(entry.shipment_id for entry in (ledger.entries if ledger else []))}
    found = {}
    async for document in shipments.find({"_id": {"$in": sorted(carrying)}}, {"state": 1}):
        found[document["_id"]] = document["state"]
    names = [order_id, *(part.order.id for part in (forwarding.parts if forwarding else []))]
    async for document in _waiting_for(shipments, names):
        found[document["_id"]] = document["state"]
    return Sources(
        order,
        await _state(collection("pricing", "quotes"), order_id, Quote),
        forwarding,
        {id: ShipmentState.model_validate(state) for id, state in found.items() if state},
        await _deliveries(collection("notifications", "deliveries"), order_id),
    )


async def _state(collection: AsyncCollection[dict[str, Any]], id: str, kind: type[S]) -> S | None:
    document = await collection.find_one({"_id": id}, {"state": 1})
    if document is None or document["state"] is None:
        return None
    return kind.model_validate(document["state"])


def _waiting_for(shipments: AsyncCollection[dict[str, Any]], names: Sequence[str]) -> Any:
    return shipments.find({"state.WaitingFor": {"$in": list(names)}}, {"state": 1})


async def _deliveries(
    collection: AsyncCollection[dict[str, Any]], order_id: str
) -> list[Delivery] | None:
    # The body is the event once more, and the address is nobody's business here.
    without = {"state.Body": 0, "state.Address": 0}
    query = collection.find({"state.OrderID": order_id}, without)
    query = query.limit(_MOST_NOTIFICATIONS).max_time_ms(_SEARCH_SECONDS * 1_000)
    try:
        return [Delivery.model_validate(d["state"]) async for d in query if d["state"]]
    except ExecutionTimeout:
        return None


# --- telling --------------------------------------------------------------------------------


def tell(sources: Sources) -> Story:
    """The story that ``sources`` make. Pure."""
    state, forwarding = sources.order, sources.forwarding
    parts = forwarding.parts if forwarding else []
    shipments = _shipments(sources)
    notifications = _notifications(sources.deliveries)
    return Story(
        order=state.order,
        phase=state.phase,
        waits_for=waits_for(state, forwarding),
        channel=state.source,
        stock=_stock(sources.quote),
        line_items=state.line_items,
        payments=state.payments,
        promotions=state.promotions,
        comments=state.comments,
        approving_user=state.approving_user,
        supplier_orders=parts,
        held=forwarding.held if forwarding else [],
        shipments=shipments,
        notifications=notifications,
        timeline=_timeline(state, forwarding, shipments, notifications or []),
        messages=None if sources.messages is None else list(sources.messages),
        errors=state.errors,
    )


def waits_for(state: OrderState, forwarding: Forwarding | None) -> str | None:
    """What has to happen next, and by whom; None when the order has come to its end."""
    match state.phase:
        case Phase.PRICING:
            return "pricing, to price the order and promise its stock"
        case Phase.PROMISING:
            return "pricing, to promise the stock of the approved order"
        case Phase.REJECTED:
            return "the sender, to correct what it was refused for; the ID may be used again"
        case Phase.SETTLED:
            pass
    if state.status is OrderStatus.AWAITING_APPROVAL:
        return "an approver, to send ApproveOrder or DeclineOrder"
    if state.status is not OrderStatus.OPEN:
        return None
    if forwarding is None or forwarding.forwarded is None:
        return "forwarding, to split the order over its suppliers"
    if forwarding.held:
        lines = ", ".join(line.id for line in forwarding.held)
        return f"somebody to name a supplier with AssignSupplier for line {lines}"
    left = departed(state.shares)
    ordered = sum(line.quantity for line in state.line_items)
    gone = sum(min(left.get(line.id, 0), line.quantity) for line in state.line_items)
    return f"shipments that have left: {gone} of {ordered} units have"


def _stock(quote: Quote | None) -> str:
    if quote is None:
        return "not asked for yet"
    if quote.released:
        return "given back"
    return "promised" if quote.promised else "not promised"


def _shipments(sources: Sources) -> list[ShipmentStory]:
    order_id = sources.order.order.id
    stories = []
    for id, state in sorted(sources.shipments.items()):
        items = [item for item in state.items if item.order_id == order_id]
        if not items and not state.waiting_for:
            # Its ledger entry is left over from a command that was refused, or it was emptied.
            continue
        stories.append(
            ShipmentStory(
                id=id,
                shipment=state.shipment,
                items=[ReconciledItem.model_validate(item.model_dump()) for item in items],
                waits_for=state.waiting_for,
            )
        )
    return stories


def _notifications(deliveries: Sequence[Delivery] | None) -> list[NotificationStory] | None:
    if deliveries is None:
        return None
    return [
        NotificationStory(
            channel=delivery.channel,
            target=delivery.target,
            event_type=delivery.event_type,
            status=delivery.status,
            attempts=delivery.attempts,
            occurred=delivery.occurred,
            completed=delivery.completed,
            next_attempt=delivery.next_attempt,
            error=_without_mailbox(delivery.error),
        )
        for delivery in sorted(deliveries, key=lambda delivery: delivery.occurred)
    ]


def _without_mailbox(error: str | None) -> str | None:
    """``error`` with every e-mail address that a mail server repeated in it blotted out."""
    return None if error is None else re.sub(r"[^\s<>\"']+@[^\s<>\"']+", "(mailbox)", error)


def _timeline(
    state: OrderState,
    forwarding: Forwarding | None,
    shipments: Sequence[ShipmentStory],
    notifications: Sequence[NotificationStory],
) -> list[Moment]:
    """All that has a date, the earliest first."""
    moments: list[Moment] = []

    def note(subject: str) -> Callable[[datetime | None, str], None]:
        def add(at: datetime | None, event: str) -> None:
            if at is not None:
                moments.append(Moment(at=at, event=event, subject=subject))

        return add

    order = state.order
    buyer = note(f"order {order.id}")
    buyer(order.date_created, "PlaceOrder")
    buyer(None if order.date_approved else order.date_submitted, "OrderSubmitted")
    buyer(order.date_approved, "OrderApproved")
    buyer(order.date_declined, "OrderDeclined")
    buyer(order.date_canceled, "OrderCanceled")
    buyer(order.date_completed, "OrderCompleted")
    buyer(order.last_updated if state.phase is Phase.REJECTED else None, "CommandRejected")
    for part in forwarding.parts if forwarding else []:
        supplier = note(f"supplier order {part.order.id}")
        supplier(part.order.date_submitted, "SupplierOrderForwarded")
        supplier(part.order.date_completed, "SupplierOrderCompleted")
        supplier(part.order.date_canceled, "SupplierOrderCanceled")
    if forwarding and forwarding.held:
        lines = ", ".join(line.id for line in forwarding.held)
        note(f"line {lines}")(forwarding.forwarded, "LineItemsHeld")
    for story in shipments:
        if story.shipment is not None:
            shipment = note(f"shipment {story.id}")
            shipment(story.shipment.date_created, "ShipmentCreated")
            shipment(story.shipment.date_shipped, "ShipmentShipped")
            shipment(story.shipment.date_delivered, "ShipmentDelivered")
    # Events that leave no date of their own are known by what was told of them.
    dated = {moment.event for moment in moments}
    told = {(one.occurred, one.event_type) for one in notifications if one.event_type not in dated}
    for at, event in sorted(told):
        buyer(at, event)
    for one in notifications:
        delivered = one.status == DeliveryStatus.DELIVERED
        event = "NotificationDelivered" if delivered else "NotificationFailed"
        note(f"{one.channel} about {one.event_type}")(one.completed, event)
    return sorted(moments, key=lambda moment: moment.at)
