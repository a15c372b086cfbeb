"""Who produces and who consumes each message, which way it crosses the border, and what it says.

The services' own subscriptions are in their wiring; a test holds this table to them. What is sent
is told by ``ce_source`` (``/ordermesh/<service>``), and another test holds it to that.
"""

from enum import StrEnum
from typing import Any

from shared.contracts import registry
from shared.contracts.registry import CatalogKind, MessageType, Topics, message_types
from shared.contracts.resource_events import RESOURCES

OUTSIDE = "outside"
"""Whoever is no service of Ordermesh: shops, suppliers' systems, operators."""

API = "api"
"""The process of the HTTP API, which changes what its services keep, and tells it."""

SERVICES = ("accounts", "checkout", "forwarding", "notifications", "pricing", "shipments")


class Direction(StrEnum):
    """Which way a message goes, seen from Ordermesh."""

    COMMAND = "command"
    EVENT = "event"
    INTERNAL = "internal"
    """Between the services: no public contract."""


_CATALOG_OWNERS: dict[CatalogKind[Any], str] = {
    registry.SUPPLIER: "accounts",
    registry.BUYER: "accounts",
    registry.PRODUCT: "pricing",
    registry.PRICE_SCHEDULE: "pricing",
    registry.PROMOTION: "pricing",
    registry.INVENTORY: "pricing",
    registry.LOCATION: "pricing",
    registry.SOURCING_RULE: "pricing",
    registry.APPROVAL_RULE: "checkout",
    registry.WEBHOOK: "notifications",
}
_OWNER_OF_CATALOG_TYPE = {
    type: owner
    for kind, owner in _CATALOG_OWNERS.items()
    for type in (kind.save, kind.delete, kind.saved, kind.deleted, kind.saved_with_expression)
    if type is not None
}

_PRODUCERS = {
    Topics.ACCOUNTS_EVENTS: ("accounts", API),
    Topics.PRICING_REQUESTS: ("checkout",),
    Topics.PRICING_RESULTS: ("pricing",),
    Topics.ORDERS_EVENTS: ("checkout",),
    Topics.SUPPLIER_ORDERS_EVENTS: ("forwarding",),
    Topics.SHIPMENTS_EVENTS: ("shipments",),
    Topics.NOTIFICATIONS_EVENTS: ("notifications",),
    Topics.COMMANDS_REJECTED: SERVICES,
}

_SUBSCRIPTIONS = {
    "accounts": (registry.BUYER.deleted, registry.SUPPLIER.deleted),
    "checkout": (
        registry.PLACE_ORDER,
        registry.APPROVE_ORDER,
        registry.DECLINE_ORDER,
        registry.CANCEL_ORDER,
        registry.ORDER_PRICED,
        registry.SHIPMENT_RECONCILED,
        registry.BUYER.deleted,
    ),
    "forwarding": (
        registry.ORDER_SUBMITTED,
        registry.ORDER_APPROVED,
        registry.ORDER_CANCELED,
        registry.SHIPMENT_RECONCILED,
        registry.ASSIGN_SUPPLIER,
    ),
    "notifications": (
        registry.ORDER_SUBMITTED,
        registry.ORDER_AWAITING_APPROVAL,
        registry.ORDER_APPROVED,
        registry.ORDER_DECLINED,
        registry.ORDER_CANCELED,
        registry.ORDER_SHIPMENTS_CHANGED,
        registry.ORDER_COMPLETED,
        registry.SUPPLIER_ORDER_FORWARDED,
        registry.SUPPLIER_ORDER_COMPLETED,
        registry.SUPPLIER_ORDER_CANCELED,
        registry.LINE_ITEMS_HELD,
        registry.SHIPMENT_CREATED,
        registry.SHIPMENT_SHIPPED,
        registry.SHIPMENT_DELIVERED,
        registry.SHIPMENT_RECONCILED,
    ),
    "pricing": (
        registry.PRICE_ORDER,
        registry.RELEASE_ORDER,
        registry.BUYER.deleted,
        registry.SUPPLIER.deleted,
        RESOURCES["UserGroup"].deleted,
    ),
    "shipments": (
        registry.ORDER_SUBMITTED,
        registry.ORDER_APPROVED,
        registry.ORDER_CANCELED,
        registry.SUPPLIER_ORDER_FORWARDED,
        registry.CREATE_SHIPMENT,
        registry.UPDATE_SHIPMENT,
    ),
}

TOPIC_DESCRIPTIONS = {
    Topics.CATALOG_COMMANDS: "The catalogue: parties, products, prices, stock, rules, webhooks.",
    Topics.CATALOG_EVENTS: "Every change of the catalogue, by a command or over HTTP.",
    Topics.ACCOUNTS_EVENTS: "Every change of users, of what they use and of what they may do.",
    Topics.ORDERS_COMMANDS: "Orders to place, approve, decline and cancel.",
    Topics.ORDERS_EVENTS: "Every change of a buyer's order, with the whole order after it.",
    Topics.PRICING_REQUESTS: "What checkout asks of pricing.",
    Topics.PRICING_RESULTS: "What pricing answers.",
    Topics.FORWARDING_COMMANDS: "What operators tell forwarding.",
    Topics.SUPPLIER_ORDERS_EVENTS: "What suppliers have to fill, and what became of it.",
    Topics.SHIPMENTS_COMMANDS: "What suppliers, warehouses and carriers report.",
    Topics.SHIPMENTS_EVENTS: "Every change of a shipment, with the whole shipment after it.",
    Topics.NOTIFICATIONS_EVENTS: "What became of e-mails and webhook calls.",
    Topics.COMMANDS_REJECTED: "Well-formed commands that the rules refuse, with all reasons.",
}

_SUMMARIES = {
    registry.PLACE_ORDER: "Create, calculate and submit an order in one.",
    registry.APPROVE_ORDER: "Approve an order that awaits approval.",
    registry.DECLINE_ORDER: "Decline an order that awaits approval.",
    registry.CANCEL_ORDER: "Cancel an order of which no unit has left.",
    registry.ORDER_SUBMITTED: "An order is open: priced, paid or on account, its stock promised.",
    registry.ORDER_AWAITING_APPROVAL: "An order's total is above an approval rule's limit.",
    registry.ORDER_APPROVED: "An order was approved and is open; comes instead of OrderSubmitted.",
    registry.ORDER_DECLINED: "An order was declined.",
    registry.ORDER_CANCELED: "An order was canceled; what was promised is given back.",
    registry.ORDER_SHIPMENTS_CHANGED: "A shipment carries other quantities of it, or has left.",
    registry.ORDER_COMPLETED: "Every unit of an order is on a shipment that has left.",
    registry.PRICE_ORDER: "Price an order and promise its stock.",
    registry.RELEASE_ORDER: "Give back what was promised to an order.",
    registry.ORDER_PRICED: "Lines and totals of an order, or what is wrong with it.",
    registry.ASSIGN_SUPPLIER: "Name the supplier of held lines, which forwards them.",
    registry.SUPPLIER_ORDER_FORWARDED: "A supplier has an order to fill.",
    registry.SUPPLIER_ORDER_COMPLETED: "Every unit of a supplier's order has left.",
    registry.SUPPLIER_ORDER_CANCELED: "A supplier's order was canceled: do not fill it.",
    registry.LINE_ITEMS_HELD: "Lines that nobody can be asked to fill; operators act.",
    registry.CREATE_SHIPMENT: "Report a shipment, announced or on its way.",
    registry.UPDATE_SHIPMENT: "Change what a shipment's command carries and nothing else.",
    registry.SHIPMENT_CREATED: "A shipment is known.",
    registry.SHIPMENT_SHIPPED: "A shipment has a DateShipped for the first time.",
    registry.SHIPMENT_DELIVERED: "A shipment has a DateDelivered for the first time.",
    registry.SHIPMENT_RECONCILED: "What the buyers' orders know of a shipment changes.",
    registry.NOTIFICATION_DELIVERED: "An e-mail or webhook call was taken by its target.",
    registry.NOTIFICATION_FAILED: "An e-mail or webhook call was given up.",
    registry.COMMAND_REJECTED: "A command was refused; it changed nothing.",
}


def _a(article: str, name: str) -> str:
    """``name`` with the article before it: an Address, a User, an XpIndex."""
    return f"{article}n {name}" if name[0] in "AEIOX" else f"{article} {name}"


for _kind in _CATALOG_OWNERS:
    _SUMMARIES[_kind.save] = f"Create or replace {_a('a', _kind.name)}."
    _SUMMARIES[_kind.delete] = f"Delete {_a('a', _kind.name)}."
    _SUMMARIES[_kind.saved] = f"{_a('A', _kind.name)} was saved."
    _SUMMARIES[_kind.deleted] = f"{_a('A', _kind.name)} was deleted."
    if _kind.saved_with_expression is not None:
        _SUMMARIES[_kind.saved_with_expression] = (
            f"{_a('A', _kind.name)} was saved in which an expression decides."
        )
for _events in RESOURCES.values():
    _SUMMARIES.setdefault(_events.saved, f"{_a('A', _events.name)} was saved.")
    _SUMMARIES.setdefault(_events.deleted, f"{_a('A', _events.name)} was deleted.")


def direction(topic: str) -> Direction:
    """Which way the messages of ``topic`` go."""
    if topic in (Topics.PRICING_REQUESTS, Topics.PRICING_RESULTS):
        return Direction.INTERNAL
    return Direction.COMMAND if topic.endswith(".commands") else Direction.EVENT


def producers(type: MessageType[Any]) -> tuple[str, ...]:
    """Who sends messages of ``type``: services, or :data:`OUTSIDE`."""
    if direction(type.topic) is Direction.COMMAND:
        return (OUTSIDE,)
    if type.topic == Topics.CATALOG_EVENTS:
        return (_OWNER_OF_CATALOG_TYPE.get(type, "pricing"), API)
    return _PRODUCERS[type.topic]


def consumers(type: MessageType[Any]) -> tuple[str, ...]:
    """Who reads messages of ``type``: services, and :data:`OUTSIDE` where it is a public event."""
    if type.topic == Topics.CATALOG_COMMANDS:
        return (_OWNER_OF_CATALOG_TYPE[type],)
    services = tuple(name for name, types in _SUBSCRIPTIONS.items() if type in types)
    return (*services, OUTSIDE) if direction(type.topic) is Direction.EVENT else services


def summary(type: MessageType[Any]) -> str:
    """What a message of ``type`` says, in one sentence."""
    return _SUMMARIES[type]


def types_of(topic: str) -> list[MessageType[Any]]:
    """The message types of ``topic``, in the order of their declaration."""
    return [type for (of, _), type in message_types().items() if of == topic]


def set_aside_by(topic: str) -> tuple[str, ...]:
    """Which services write the dead letters of ``topic``: those that read it."""
    return tuple(
        name for name in SERVICES if any(name in consumers(type) for type in types_of(topic))
    )
