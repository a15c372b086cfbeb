"""Splitting an order over its suppliers, and what becomes of the parts. Pure.

One supplier order a supplier (the line's over the product's default, as pricing resolved it); the
seller itself may be one. Lines keep their IDs. Lines without a supplier are held until
``AssignSupplier`` names one. Forwarding again, for whatever reason, forwards nothing twice.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from shared.contracts.base import Error, Resource, Time
from shared.contracts.fulfillment import (
    AssignSupplier,
    LineItemsHeld,
    ShipmentEvent,
    SupplierOrder,
    SupplierOrderEvent,
)
from shared.contracts.orders import LineItem, Order, OrderEvent, OrderStatus
from shared.contracts.registry import (
    ASSIGN_SUPPLIER,
    LINE_ITEMS_HELD,
    ORDER_APPROVED,
    ORDER_CANCELED,
    ORDER_SUBMITTED,
    SHIPMENT_RECONCILED,
    SUPPLIER_ORDER_CANCELED,
    SUPPLIER_ORDER_COMPLETED,
    SUPPLIER_ORDER_FORWARDED,
    MessageType,
)
from shared.messaging.message import Event, Message, rejection
from shared.messaging.processor import Decision
from shared.shipped import Share, all_left, departed, with_quantities, with_shipment

_LONGEST_ID = 100

TYPES: tuple[MessageType[Any], ...] = (
    ORDER_SUBMITTED,
    ORDER_APPROVED,
    ORDER_CANCELED,
    SHIPMENT_RECONCILED,
    ASSIGN_SUPPLIER,
)


class Part(Resource):
    """One supplier's share of a buyer's order."""

    order: SupplierOrder
    line_items: list[LineItem]

    def event(self, type: MessageType[SupplierOrderEvent]) -> Event:
        return Event(
            type,
            SupplierOrderEvent(
                order=self.order,
                line_items=self.line_items,
                buyer_order_id=self.order.buyer_order_id,
            ),
        )


class Forwarding(Resource):
    """What became of one buyer's order. ``accepted`` is when Kafka took it, or when it was approved
    where that was asked for: a named actor may take their time. ``forwarded`` is absent while only
    a cancellation or a shipment of it is known. ``buyer_order`` is kept as long as lines are held,
    for the supplier orders that are still to be made. ``trace`` is what forwarding it was traced
    as, for assignments that come without a trace of their own."""

    buyer_order: Order | None = None
    parts: list[Part] = Field(default_factory=list)
    held: list[LineItem] = Field(default_factory=list)
    canceled: bool = False
    accepted: Time | None = None
    forwarded: Time | None = None
    shares: dict[str, Share] = Field(default_factory=dict)
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """``suppliers`` are the known ones among those that a batch names; ``ambiguous`` are buyer
    orders for which a plain supplier order ID is taken by another order."""

    now: datetime
    marketplace_id: str
    suppliers: frozenset[str] = frozenset()
    ambiguous: frozenset[str] = field(default_factory=frozenset)


def fold(state: Forwarding | None, message: Message[Any], context: Context) -> Decision[Forwarding]:
    """The state after ``message`` and the events that tell of it."""
    if message.type is SHIPMENT_RECONCILED:
        return _reconcile(state, message, context)
    if message.type is ORDER_CANCELED:
        return _cancel(state, context)
    if message.type is ASSIGN_SUPPLIER:
        return _assign(state, message, context)
    return _forward(state, message, context)


def _forward(
    state: Forwarding | None, message: Message[OrderEvent], context: Context
) -> Decision[Forwarding]:
    event = message.body
    if event.order.status is not OrderStatus.OPEN:
        return Decision(state)
    if state is not None and (state.canceled or state.forwarded is not None):
        return Decision(state)
    shares = state.shares if state is not None else {}
    lines = with_quantities(event.line_items, shares)
    held = [line for line in lines if line.supplier_id is None]
    new = Forwarding(
        buyer_order=event.order if held else None,
        held=held,
        parts=split(event.order, lines, (), context),
        accepted=event.order.date_approved or event.order.date_created,
        forwarded=context.now,
        shares=shares,
        trace=message.trace,
    )
    events = [part.event(SUPPLIER_ORDER_FORWARDED) for part in new.parts]
    if held:
        report = LineItemsHeld(
            buyer_order_id=event.order.id,
            line_items=held,
            reason="Neither the line nor its product names a supplier; send AssignSupplier.",
        )
        events.append(Event(LINE_ITEMS_HELD, report))
    completed, more = _complete(new, context)
    return Decision(completed, (*events, *more))


def split(
    order: Order, lines: Iterable[LineItem], taken: Iterable[str], context: Context
) -> list[Part]:
    """The supplier orders of the lines that have a supplier, in the order of their first lines.
    ``taken`` are supplier order IDs of the same order that exist already."""
    by_supplier: dict[str, list[LineItem]] = {}
    for line in lines:
        if line.supplier_id is not None:
            by_supplier.setdefault(line.supplier_id, []).append(line)
    existing = set(taken)
    parts = []
    for supplier, part in by_supplier.items():
        id = supplier_order_id(
            order.id, supplier, existing, ambiguous=order.id in context.ambiguous
        )
        existing.add(id)
        supplier_order = SupplierOrder(
            id=id,
            from_company_id=context.marketplace_id,
            to_company_id=supplier,
            buyer_order_id=order.id,
            status=OrderStatus.OPEN,
            currency=order.currency,
            line_item_count=len(part),
            subtotal=sum((line.line_subtotal for line in part), Decimal(0)),
            total=sum((line.line_total for line in part), Decimal(0)),
            shipping_address=order.shipping_address,
            date_created=context.now,
            date_submitted=context.now,
            last_updated=context.now,
            xp=order.xp,
        )
        parts.append(Part(order=supplier_order, line_items=part))
    return parts


def supplier_order_id(
    order_id: str, supplier_id: str, taken: Iterable[str], *, ambiguous: bool = False
) -> str:
    """``{BuyerOrderID}-{SupplierID}`` unless taken.

    It is taken when the order has an earlier part for the supplier (then ``-2``, ``-3``, … is
    added), when another order and supplier spell the same ID (``ambiguous``), or when it would be
    longer than the 100 characters of an ID; then a hash of both IDs makes it unique.
    """
    plain = f"{order_id}-{supplier_id}"
    if ambiguous or len(plain) > _LONGEST_ID:
        plain = _hashed(plain, order_id, supplier_id)
    existing = set(taken)
    number, candidate = 1, plain
    while candidate in existing:
        number += 1
        candidate = f"{plain}-{number}"
        if len(candidate) > _LONGEST_ID:
            plain = _hashed(plain, order_id, supplier_id)
            number, candidate = 1, plain
    return candidate


def _hashed(plain: str, order_id: str, supplier_id: str) -> str:
    digest = hashlib.sha256(f"{order_id}\x1f{supplier_id}".encode()).hexdigest()[:12]
    return f"{plain[:80]}-{digest}"


def _cancel(state: Forwarding | None, context: Context) -> Decision[Forwarding]:
    if state is None:
        # The cancellation overtook the submission: nothing may be forwarded any more.
        return Decision(Forwarding(canceled=True))
    if state.canceled:
        return Decision(state)
    parts, events = [], []
    for part in state.parts:
        if part.order.status is OrderStatus.OPEN:
            part = _moved(part, OrderStatus.CANCELED, context.now, "date_canceled")
            events.append(part.event(SUPPLIER_ORDER_CANCELED))
        parts.append(part)
    canceled = state.model_copy(update={"parts": parts, "held": [], "canceled": True})
    return Decision(canceled, tuple(events))


def _assign(
    state: Forwarding | None, message: Message[AssignSupplier], context: Context
) -> Decision[Forwarding]:
    held = {line.id: line for line in state.held} if state is not None else {}
    errors = []
    chosen: dict[str, str] = {}
    for assignment in message.body.assignments:
        supplier = assignment.supplier_id
        if assignment.line_item_id not in held:
            errors.append(
                _not_found(
                    "LineItem",
                    assignment.line_item_id,
                    f"Order {message.key} holds no line {assignment.line_item_id}; lines that are "
                    "forwarded keep their supplier.",
                )
            )
        elif supplier not in context.suppliers and supplier != context.marketplace_id:
            errors.append(
                _not_found("Supplier", supplier, f"There is no supplier {supplier}; save it first.")
            )
        elif chosen.get(assignment.line_item_id, supplier) != supplier:
            errors.append(_assigned_twice(message.key, assignment.line_item_id))
        else:
            chosen[assignment.line_item_id] = supplier
    if errors or state is None or state.buyer_order is None:
        return Decision(state, (rejection(message, errors, message.key),))
    lines = [
        held[id].model_copy(update={"supplier_id": supplier}) for id, supplier in chosen.items()
    ]
    parts = split(state.buyer_order, lines, [part.order.id for part in state.parts], context)
    still_held = [line for line in state.held if line.id not in chosen]
    forwarded = state.model_copy(
        update={
            "held": still_held,
            "parts": [*state.parts, *parts],
            "buyer_order": state.buyer_order if still_held else None,
        }
    )
    completed, more = _complete(forwarded, context)
    return Decision(completed, (*(p.event(SUPPLIER_ORDER_FORWARDED) for p in parts), *more))


def _reconcile(
    state: Forwarding | None, message: Message[ShipmentEvent], context: Context
) -> Decision[Forwarding]:
    state = state or Forwarding()
    shares = with_shipment(state.shares, message.body, message.key)
    if shares is state.shares:
        return Decision(state)
    parts = []
    for part in state.parts:
        lines = with_quantities(part.line_items, shares)
        changed = any(new is not old for new, old in zip(lines, part.line_items, strict=True))
        parts.append(part.model_copy(update={"line_items": lines}) if changed else part)
    changed_state = state.model_copy(
        update={
            "shares": shares,
            "parts": parts,
            "held": with_quantities(state.held, shares),
        }
    )
    completed, events = _complete(changed_state, context)
    return Decision(completed, tuple(events))


def _complete(state: Forwarding, context: Context) -> tuple[Forwarding, list[Event]]:
    """Completes the open parts whose every unit has left."""
    if not state.shares:
        return state, []
    left = departed(state.shares)
    parts, events = [], []
    for part in state.parts:
        if part.order.status is OrderStatus.OPEN and all_left(part.line_items, left):
            part = _moved(part, OrderStatus.COMPLETED, context.now, "date_completed")
            events.append(part.event(SUPPLIER_ORDER_COMPLETED))
        parts.append(part)
    return state.model_copy(update={"parts": parts}), events


def _moved(part: Part, status: OrderStatus, now: datetime, date: str) -> Part:
    order = part.order.model_copy(update={"status": status, date: now, "last_updated": now})
    return part.model_copy(update={"order": order})


def _assigned_twice(order_id: str, line_id: str) -> Error:
    return Error(
        error_code="ValidationFailure",
        message=f"Line {line_id} of order {order_id} is assigned to several suppliers; name one.",
        data={"OrderID": order_id, "LineItemID": line_id},
    )


def _not_found(kind: str, id: str, message: str) -> Error:
    return Error(error_code="NotFound", message=message, data={"ObjectType": kind, "ObjectID": id})
