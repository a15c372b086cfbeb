"""Every message type with its topic, body and key: the Kafka contract in one table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.contracts import catalog, fulfillment, orders
from shared.contracts.base import Resource

B = TypeVar("B", bound=Resource)
V = TypeVar("V", bound=Resource)


@dataclass(frozen=True, slots=True, eq=False)
class MessageType(Generic[B]):
    """One ``ce_type`` on one topic. ``key`` gives the record's key from the body."""

    topic: str
    name: str
    body: type[B]
    key: Callable[[B], str]

    def reading(self, view: type[V]) -> "MessageType[V]":
        """The same message as a consumer reads it that needs only the fields of ``view``."""
        return MessageType(self.topic, self.name, view, _no_key)


def _no_key(body: Resource) -> str:
    raise TypeError("an event that is only read takes its key from its record")


class Topics:
    """Names of all topics."""

    CATALOG_COMMANDS = "catalog.commands"
    CATALOG_EVENTS = "catalog.events"
    ACCOUNTS_EVENTS = "accounts.events"
    ORDERS_COMMANDS = "orders.commands"
    ORDERS_EVENTS = "orders.events"
    PRICING_REQUESTS = "pricing.requests"
    PRICING_RESULTS = "pricing.results"
    FORWARDING_COMMANDS = "forwarding.commands"
    SUPPLIER_ORDERS_EVENTS = "supplier-orders.events"
    SHIPMENTS_COMMANDS = "shipments.commands"
    SHIPMENTS_EVENTS = "shipments.events"
    NOTIFICATIONS_EVENTS = "notifications.events"
    COMMANDS_REJECTED = "commands.rejected"


_types: dict[tuple[str, str], MessageType[Any]] = {}


def declare(topic: str, name: str, body: type[B], key: Callable[[B], str]) -> MessageType[B]:
    """Makes a message type known. Raises ValueError for one that is known already."""
    if (topic, name) in _types:
        raise ValueError(f"{name} is declared twice on {topic}; declare it once")
    declared = MessageType(topic, name, body, key)
    _types[topic, name] = declared
    return declared


def message_types() -> dict[tuple[str, str], MessageType[Any]]:
    """All declared types by (topic, ``ce_type``)."""
    return dict(_types)


def find_type(topic: str, name: str) -> MessageType[Any] | None:
    return _types.get((topic, name))


@dataclass(frozen=True, slots=True, eq=False)
class CatalogKind(Generic[B]):
    """The message types of one kind of catalogue resource. ``saved_with_expression`` tells of
    those in which an expression stands for what ``saved`` promises to tell."""

    name: str
    body: type[B]
    save: MessageType[B]
    delete: MessageType[catalog.Delete]
    saved: MessageType[B]
    deleted: MessageType[catalog.Delete]
    saved_with_expression: MessageType[B] | None = None

    def saved_as(self, resource: B) -> MessageType[B]:
        """The event that tells that ``resource`` was saved."""
        promised = self.saved.body.model_fields
        if self.saved_with_expression is not None and any(
            field.is_required() and getattr(resource, name) is None
            for name, field in promised.items()
        ):
            return self.saved_with_expression
        return self.saved


def _catalog_kind(
    name: str, body: type[B], *, without_expression: type[B] | None = None
) -> CatalogKind[B]:
    """``without_expression``: where some of the resources have an expression instead, what the
    others have."""

    def key(resource: Any) -> str:
        return str(resource.id)

    return CatalogKind(
        name,
        body,
        declare(Topics.CATALOG_COMMANDS, f"Save{name}", body, key),
        declare(Topics.CATALOG_COMMANDS, f"Delete{name}", catalog.Delete, key),
        declare(Topics.CATALOG_EVENTS, f"{name}Saved", without_expression or body, key),
        declare(Topics.CATALOG_EVENTS, f"{name}Deleted", catalog.Delete, key),
        declare(Topics.CATALOG_EVENTS, f"Expression{name}Saved", body, key)
        if without_expression
        else None,
    )


SUPPLIER = _catalog_kind("Supplier", catalog.Supplier)
BUYER = _catalog_kind("Buyer", catalog.Buyer)
PRODUCT = _catalog_kind("Product", catalog.Product)
PRICE_SCHEDULE = _catalog_kind("PriceSchedule", catalog.PriceSchedule)
PROMOTION = _catalog_kind("Promotion", catalog.Promotion, without_expression=catalog.FixedPromotion)
INVENTORY = _catalog_kind("Inventory", catalog.SaveInventory)
LOCATION = _catalog_kind("Location", catalog.Location)
SOURCING_RULE = _catalog_kind("SourcingRule", catalog.SourcingRule)
APPROVAL_RULE = _catalog_kind(
    "ApprovalRule", catalog.ApprovalRule, without_expression=catalog.ThresholdRule
)
WEBHOOK = _catalog_kind("Webhook", catalog.Webhook)

PLACE_ORDER = declare(
    Topics.ORDERS_COMMANDS, "PlaceOrder", orders.PlaceOrder, lambda body: body.order.id
)
APPROVE_ORDER = declare(
    Topics.ORDERS_COMMANDS, "ApproveOrder", orders.ApproveOrder, lambda body: body.order_id
)
DECLINE_ORDER = declare(
    Topics.ORDERS_COMMANDS, "DeclineOrder", orders.DeclineOrder, lambda body: body.order_id
)
CANCEL_ORDER = declare(
    Topics.ORDERS_COMMANDS, "CancelOrder", orders.CancelOrder, lambda body: body.order_id
)


def _order_event(name: str) -> MessageType[orders.OrderEvent]:
    return declare(Topics.ORDERS_EVENTS, name, orders.OrderEvent, lambda body: body.order.id)


ORDER_SUBMITTED = _order_event("OrderSubmitted")
ORDER_AWAITING_APPROVAL = _order_event("OrderAwaitingApproval")
ORDER_APPROVED = _order_event("OrderApproved")
ORDER_DECLINED = _order_event("OrderDeclined")
ORDER_CANCELED = _order_event("OrderCanceled")
ORDER_SHIPMENTS_CHANGED = _order_event("OrderShipmentsChanged")
ORDER_COMPLETED = _order_event("OrderCompleted")

PRICE_ORDER = declare(
    Topics.PRICING_REQUESTS, "PriceOrder", orders.PriceOrder, lambda body: body.order_id
)
RELEASE_ORDER = declare(
    Topics.PRICING_REQUESTS, "ReleaseOrder", orders.ReleaseOrder, lambda body: body.order_id
)
ORDER_PRICED = declare(
    Topics.PRICING_RESULTS, "OrderPriced", orders.OrderPriced, lambda body: body.order_id
)

ASSIGN_SUPPLIER = declare(
    Topics.FORWARDING_COMMANDS,
    "AssignSupplier",
    fulfillment.AssignSupplier,
    lambda body: body.order_id,
)


def _supplier_order_event(name: str) -> MessageType[fulfillment.SupplierOrderEvent]:
    return declare(
        Topics.SUPPLIER_ORDERS_EVENTS,
        name,
        fulfillment.SupplierOrderEvent,
        lambda body: body.buyer_order_id,
    )


SUPPLIER_ORDER_FORWARDED = _supplier_order_event("SupplierOrderForwarded")
SUPPLIER_ORDER_COMPLETED = _supplier_order_event("SupplierOrderCompleted")
SUPPLIER_ORDER_CANCELED = _supplier_order_event("SupplierOrderCanceled")
LINE_ITEMS_HELD = declare(
    Topics.SUPPLIER_ORDERS_EVENTS,
    "LineItemsHeld",
    fulfillment.LineItemsHeld,
    lambda body: body.buyer_order_id,
)

CREATE_SHIPMENT = declare(
    Topics.SHIPMENTS_COMMANDS, "CreateShipment", fulfillment.CreateShipment, lambda body: body.id
)
UPDATE_SHIPMENT = declare(
    Topics.SHIPMENTS_COMMANDS, "UpdateShipment", fulfillment.UpdateShipment, lambda body: body.id
)


def _shipment_event(name: str) -> MessageType[fulfillment.ShipmentEvent]:
    return declare(
        Topics.SHIPMENTS_EVENTS, name, fulfillment.ShipmentEvent, lambda body: body.shipment.id
    )


SHIPMENT_CREATED = _shipment_event("ShipmentCreated")
SHIPMENT_SHIPPED = _shipment_event("ShipmentShipped")
SHIPMENT_DELIVERED = _shipment_event("ShipmentDelivered")
SHIPMENT_RECONCILED = _shipment_event("ShipmentReconciled")

NOTIFICATION_DELIVERED = declare(
    Topics.NOTIFICATIONS_EVENTS,
    "NotificationDelivered",
    fulfillment.NotificationResult,
    lambda body: body.order_id or body.id,
)
NOTIFICATION_FAILED = declare(
    Topics.NOTIFICATIONS_EVENTS,
    "NotificationFailed",
    fulfillment.NotificationResult,
    lambda body: body.order_id or body.id,
)

COMMAND_REJECTED = declare(
    Topics.COMMANDS_REJECTED,
    "CommandRejected",
    orders.CommandRejected,
    lambda body: body.order_id or body.command.id,
)


TOPIC_OWNERS = {
    Topics.CATALOG_COMMANDS: "accounts",
    Topics.ORDERS_COMMANDS: "checkout",
    Topics.PRICING_REQUESTS: "pricing",
    Topics.PRICING_RESULTS: "checkout",
    Topics.FORWARDING_COMMANDS: "forwarding",
    Topics.SHIPMENTS_COMMANDS: "shipments",
    Topics.ORDERS_EVENTS: "forwarding",
    Topics.SUPPLIER_ORDERS_EVENTS: "shipments",
    Topics.SHIPMENTS_EVENTS: "checkout",
}
"""Which service sets aside what stands on a topic and is of no known type."""
