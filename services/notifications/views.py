"""What this service reads of the events: only what tells whom they concern.

The whole of an event is parsed when an e-mail is rendered from it, and never for a webhook.
"""

from typing import Any

from pydantic import Field

from shared.contracts.base import Resource
from shared.contracts.registry import (
    ORDER_APPROVED,
    ORDER_CANCELED,
    ORDER_COMPLETED,
    ORDER_SHIPMENTS_CHANGED,
    ORDER_SUBMITTED,
    MessageType,
    Topics,
    message_types,
)


class Unread(Resource):
    """An event of which the record's key and the raw body are enough."""


class MailboxView(Resource):
    email: str | None = None


class OrderMailView(Resource):
    from_user: MailboxView | None = None


class OrderView(Resource):
    """An order's event, for the buyer's e-mail."""

    order: OrderMailView

    @property
    def email(self) -> str | None:
        return self.order.from_user.email if self.order.from_user else None


class NoticeView(Resource):
    id: str
    date_shipped: Any = None


class OrderShipmentView(OrderView):
    """``OrderShipmentsChanged``, for the e-mail about a shipment that left."""

    shipment: NoticeView | None = None


class ItemView(Resource):
    order_id: str


class ShipmentView(Resource):
    """A shipment's event: which orders it is about."""

    items: list[ItemView] = Field(default_factory=list)

    @property
    def order_id(self) -> str | None:
        """The buyer's order, where the shipment carries one order only."""
        orders = {item.order_id for item in self.items}
        return orders.pop() if len(orders) == 1 else None


_EVENT_TOPICS = (Topics.ORDERS_EVENTS, Topics.SUPPLIER_ORDERS_EVENTS, Topics.SHIPMENTS_EVENTS)

EVENT_TYPES = {
    type.name: type for (topic, _), type in message_types().items() if topic in _EVENT_TOPICS
}
"""What a webhook may subscribe to, by ``ce_type``."""

_MAILED: dict[str, type[OrderView]] = {
    ORDER_SUBMITTED.name: OrderView,
    # An order that had to be approved is submitted with its approval.
    ORDER_APPROVED.name: OrderView,
    ORDER_CANCELED.name: OrderView,
    ORDER_COMPLETED.name: OrderView,
    ORDER_SHIPMENTS_CHANGED.name: OrderShipmentView,
}


def event_views(*, mail: bool) -> list[MessageType[Any]]:
    """Every event type with the view that is needed of it; without ``mail``, less is."""
    return [type.reading(_view(type, mail=mail)) for type in EVENT_TYPES.values()]


def _view(type: MessageType[Any], *, mail: bool) -> type[Resource]:
    if type.topic == Topics.SHIPMENTS_EVENTS:
        return ShipmentView
    return _MAILED.get(type.name, Unread) if mail else Unread
