"""Supplier orders and shipments: what suppliers fill, and what they report back."""

from pydantic import Field

from shared.contracts.base import ID, Address, Resource, Time, Xp
from shared.contracts.orders import LineItem, OrderStatus
from shared.money import ZERO, Money, NonNegativeMoney


class SupplierOrder(Resource):
    """The part of a buyer's order that one supplier fills. Its lines keep the buyer's line IDs.
    ``from_company_id`` is the marketplace's owner, ``to_company_id`` the supplier."""

    id: ID
    from_company_id: ID
    to_company_id: ID
    buyer_order_id: ID
    status: OrderStatus
    currency: str
    line_item_count: int
    subtotal: Money = ZERO
    total: Money = ZERO
    shipping_address: Address | None = None
    date_created: Time
    date_submitted: Time | None = None
    date_canceled: Time | None = None
    date_completed: Time | None = None
    last_updated: Time
    xp: Xp | None = None


class SupplierOrderEvent(Resource):
    """The body of every event on ``supplier-orders.events``."""

    order: SupplierOrder
    line_items: list[LineItem]
    buyer_order_id: ID


class LineItemsHeld(Resource):
    """Lines that nobody can be asked to fill; ``AssignSupplier`` sends them on."""

    buyer_order_id: ID
    line_items: list[LineItem]
    reason: str


class SupplierAssignment(Resource):
    line_item_id: ID
    supplier_id: ID


class AssignSupplier(Resource):
    """Names the supplier of held lines, which forwards them."""

    order_id: ID
    assignments: list[SupplierAssignment] = Field(min_length=1, max_length=5000)


class ShipmentItem(Resource):
    """``order_id`` is the buyer's order, or the supplier's: either ties back."""

    order_id: ID
    line_item_id: ID
    quantity_shipped: int = Field(ge=0)
    xp: Xp | None = None


class CreateShipment(Resource):
    """``cost`` is reference-only. Items count at once; they complete an order only when
    ``date_shipped`` is set, here or by a later update."""

    id: ID
    supplier_id: ID | None = None
    buyer_id: ID | None = None
    shipper: str | None = Field(None, max_length=200)
    tracking_number: str | None = Field(None, max_length=3000)
    date_shipped: Time | None = None
    date_delivered: Time | None = None
    cost: NonNegativeMoney | None = None
    account: str | None = Field(None, max_length=100)
    to_address: Address | None = None
    items: list[ShipmentItem] = Field(default_factory=list, max_length=5000)
    xp: Xp | None = None


class UpdateShipment(Resource):
    """Changes only the fields it carries. An item replaces the one with the same order and line;
    a quantity of 0 removes it."""

    id: ID
    shipper: str | None = Field(None, max_length=200)
    tracking_number: str | None = Field(None, max_length=3000)
    date_shipped: Time | None = None
    date_delivered: Time | None = None
    cost: NonNegativeMoney | None = None
    account: str | None = Field(None, max_length=100)
    to_address: Address | None = None
    items: list[ShipmentItem] | None = Field(None, max_length=5000)
    xp: Xp | None = None


class Shipment(Resource):
    """``revision`` counts the changes of a shipment from 1; a reader that has seen a higher one
    may ignore a lower."""

    id: ID
    revision: int = 1
    supplier_id: ID | None = None
    buyer_id: ID | None = None
    shipper: str | None = None
    tracking_number: str | None = None
    date_created: Time
    date_shipped: Time | None = None
    date_delivered: Time | None = None
    cost: Money | None = None
    account: str | None = None
    to_address: Address | None = None
    xp: Xp | None = None


class ReconciledItem(Resource):
    """A shipment item tied back: ``order_id`` is always the buyer's order."""

    order_id: ID
    supplier_order_id: ID | None = None
    line_item_id: ID
    quantity_shipped: int


class ShipmentEvent(Resource):
    """The body of every event on ``shipments.events``: the whole shipment after the change.
    ``removed_order_ids`` names orders that it carried before and no longer does."""

    shipment: Shipment
    items: list[ReconciledItem]
    removed_order_ids: list[ID] = Field(default_factory=list)


class NotificationResult(Resource):
    """``channel`` is ``Email`` or ``Webhook``, ``target`` the mailbox's or webhook's ID."""

    id: str
    channel: str
    target: str
    event_type: str
    order_id: str | None = None
    attempts: int
    error: str | None = None
