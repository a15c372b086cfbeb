"""What a command does to a shipment: pure decisions over its state and the ledgers.

A command is done whole or refused whole, with all that speaks against it. Rules:

- an item is keyed by the buyer's order and the line; naming one twice in a command is refused,
  under whichever order ID;
- the same ``CreateShipment`` again changes nothing, another under the same ID is refused;
- ``UpdateShipment`` changes the fields that it carries, an explicit null clears one, but
  ``DateShipped`` once set can only be corrected;
- an item with quantity 0 removes; removing what is not there changes nothing;
- on a canceled order quantities may go down, not up;
- ``DateDelivered`` may be told before ``DateShipped`` is, but not lie before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.shipments import refusals
from services.shipments.ledger import Book, Key, Sheet, SupplierPart, Target, parts_with
from services.shipments.shipment import Command, Item, ShipmentState, fingerprint
from shared.contracts.base import Error
from shared.contracts.fulfillment import (
    CreateShipment,
    Shipment,
    ShipmentEvent,
    ShipmentItem,
    UpdateShipment,
)
from shared.contracts.registry import (
    SHIPMENT_CREATED,
    SHIPMENT_DELIVERED,
    SHIPMENT_RECONCILED,
    SHIPMENT_SHIPPED,
)
from shared.messaging.message import Event

_QUANTITY_EXCEEDED = "ShipmentItem.QuantityExceeded"


@dataclass(frozen=True, slots=True)
class Change:
    """The shipment carries ``quantity`` units of a line from now on."""

    sheet: Sheet
    line_item_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Accepted:
    state: ShipmentState | None
    events: tuple[Event, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """``postponable``: only quantities speak against it, and another shipment of the batch is
    about to give some of them back."""

    errors: tuple[Error, ...]
    order_id: str | None
    postponable: bool = False


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Orders that the command names are not known yet; ``names`` is what to wait for."""

    names: tuple[str, ...]


Outcome = Accepted | Refused | Unresolved


def decide(state: ShipmentState | None, command: Command, book: Book) -> Outcome:
    """What ``command`` does to its shipment, given the ledgers in ``book``."""
    if isinstance(command.body, CreateShipment):
        return _create(state, command, command.body, book)
    return _update(state, command.body, book)


def _create(
    state: ShipmentState | None, command: Command, body: CreateShipment, book: Book
) -> Outcome:
    mark = fingerprint(body)
    if state is not None and state.shipment is not None:
        if state.fingerprint == mark:
            return Accepted(state)
        return _refusal([refusals.id_exists(body.id)], body.items)
    resolved = _resolve(body.id, body.supplier_id, body.items, {}, book, creating=True)
    if isinstance(resolved, Unresolved):
        return resolved
    shipment = Shipment(
        id=body.id,
        supplier_id=body.supplier_id,
        buyer_id=body.buyer_id or resolved.buyer_id,
        shipper=body.shipper,
        tracking_number=body.tracking_number,
        date_created=command.accepted,
        date_shipped=body.date_shipped,
        date_delivered=body.date_delivered,
        cost=body.cost,
        account=body.account,
        to_address=body.to_address,
        xp=body.xp,
    )
    errors = [*resolved.errors, *_date_errors(None, shipment)]
    if errors:
        return _refusal(errors, body.items, resolved)
    created = _base(state).model_copy(
        update={
            "shipment": shipment,
            "items": list(resolved.items.values()),
            "fingerprint": mark,
        }
    )
    return Accepted(created, _events(None, created), resolved.changes)


def _update(state: ShipmentState | None, body: UpdateShipment, book: Book) -> Outcome:
    if state is None or state.shipment is None:
        return _refusal([refusals.shipment_not_found(body.id)], body.items or ())
    before = state.shipment
    items = {item.key: item for item in state.items}
    resolved = _resolve(body.id, before.supplier_id, body.items or (), items, book, creating=False)
    if isinstance(resolved, Unresolved):
        return resolved
    fields = {name: getattr(body, name) for name in body.model_fields_set - {"id", "items"}}
    if before.buyer_id is None and resolved.buyer_id is not None:
        fields["buyer_id"] = resolved.buyer_id
    shipment = before.model_copy(update=fields)
    errors = [*resolved.errors, *_date_errors(before, shipment)]
    if errors:
        return _refusal(errors, body.items or state.items, resolved)
    if shipment == before and resolved.items == items:
        return Accepted(state)
    changed = state.model_copy(
        update={
            "shipment": shipment.model_copy(update={"revision": before.revision + 1}),
            "items": list(resolved.items.values()),
        }
    )
    return Accepted(changed, _events(state, changed), resolved.changes)


def _base(state: ShipmentState | None) -> ShipmentState:
    return state if state is not None else ShipmentState()


# --- items ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Resolved:
    """The items as they will be, tied back to the buyers' orders."""

    items: dict[Key, Item]
    errors: list[Error]
    changes: tuple[Change, ...] = ()
    buyer_id: str | None = None
    order_id: str | None = None
    postponable: bool = False


def _resolve(
    shipment_id: str,
    supplier_id: str | None,
    wanted: Iterable[ShipmentItem],
    current: dict[Key, Item],
    book: Book,
    *,
    creating: bool,
) -> _Resolved | Unresolved:
    resolved = _Resolved(dict(current), [])
    changes: dict[Key, Change] = {}
    awaited: set[str] = set()
    postponable = True
    for item in wanted:
        target = book.find(item.order_id, item.line_item_id)
        removing = item.quantity_shipped == 0 and not creating
        if target is None:
            # What a shipment carries is known, so there is nothing to remove.
            if not removing:
                awaited |= book.awaited(item.order_id)
            continue
        sheet = target.sheet
        key = (sheet.id, item.line_item_id)
        resolved.order_id = resolved.order_id or sheet.id
        resolved.buyer_id = resolved.buyer_id or sheet.ledger.buyer_id
        if key in changes:
            resolved.errors.append(refusals.line_twice(*key))
            postponable = False
            continue
        changes[key] = Change(sheet, item.line_item_id, item.quantity_shipped)
        if removing:
            resolved.items.pop(key, None)
            continue
        before = current[key].quantity_shipped if key in current else 0
        error = _item_error(shipment_id, supplier_id, item, before, target)
        if error is None:
            resolved.items[key] = _tied(item, target, supplier_id, current.get(key))
        else:
            resolved.errors.append(error)
            postponable = postponable and (
                error.error_code == _QUANTITY_EXCEEDED
                and sheet.lowering_elsewhere(item.line_item_id, shipment_id)
            )
    if awaited:
        return Unresolved(tuple(sorted(awaited)))
    resolved.changes = tuple(changes.values())
    resolved.postponable = postponable and bool(resolved.errors)
    return resolved


def _item_error(
    shipment_id: str, supplier_id: str | None, item: ShipmentItem, before: int, target: Target
) -> Error | None:
    """What speaks against an item that stays on the shipment, or comes onto it."""
    sheet, line = target.sheet, item.line_item_id
    if not target.found:
        return refusals.line_not_found(item.order_id, line)
    if item.quantity_shipped == 0:
        return refusals.quantity_missing(sheet.id, line)
    if supplier_id is not None:
        suppliers = [part.supplier_id for part in _parts(target, line)]
        if suppliers and supplier_id not in suppliers:
            return refusals.other_supplier(
                sheet.id, line, supplier_id=supplier_id, forwarded_to=suppliers
            )
    if item.quantity_shipped <= before:
        return None
    if sheet.ledger.canceled:
        return refusals.order_canceled(sheet.id, line)
    ordered, already = sheet.lines[line], sheet.shipped_elsewhere(line, shipment_id)
    if already + item.quantity_shipped > ordered:
        return refusals.quantity_exceeded(
            sheet.id, line, ordered=ordered, already=already, requested=item.quantity_shipped
        )
    return None


def _parts(target: Target, line: str) -> list[SupplierPart]:
    return [target.part] if target.part is not None else parts_with(target.sheet, line)


def _tied(item: ShipmentItem, target: Target, supplier_id: str | None, before: Item | None) -> Item:
    parts = _parts(target, item.line_item_id)
    if len(parts) > 1 and supplier_id is not None:
        parts = [part for part in parts if part.supplier_id == supplier_id]
    part_id = parts[0].id if len(parts) == 1 else None
    return Item(
        order_id=target.sheet.id,
        supplier_order_id=part_id or (before.supplier_order_id if before else None),
        line_item_id=item.line_item_id,
        quantity_shipped=item.quantity_shipped,
        xp=item.xp if item.xp is not None or before is None else before.xp,
    )


# --- the shipment itself --------------------------------------------------------------------


def _date_errors(before: Shipment | None, after: Shipment) -> list[Error]:
    shipped, delivered = after.date_shipped, after.date_delivered
    if before is not None and before.date_shipped is not None and shipped is None:
        return [refusals.already_shipped(after.id, before.date_shipped)]
    if shipped is not None and delivered is not None and delivered < shipped:
        return [refusals.delivered_before_shipped(shipped, delivered)]
    return []


def _refusal(
    errors: list[Error], items: Iterable[ShipmentItem | Item], resolved: _Resolved | None = None
) -> Refused:
    order_id = resolved.order_id if resolved is not None else None
    if order_id is None:
        order_id = next((item.order_id for item in items), None)
    postponable = resolved is not None and resolved.postponable
    if resolved is not None and len(errors) > len(resolved.errors):
        postponable = False
    return Refused(tuple(errors), order_id, postponable)


def _events(before: ShipmentState | None, after: ShipmentState) -> tuple[Event, ...]:
    """The events of a change, in the order in which things happen to a shipment."""
    was, now = before.shipment if before else None, after.shipment
    if now is None:
        return ()
    orders = {item.order_id for item in after.items}
    removed = {item.order_id for item in before.items} - orders if before else set()
    body = ShipmentEvent(shipment=now, items=list(after.items), removed_order_ids=sorted(removed))
    types = []
    if was is None:
        types.append(SHIPMENT_CREATED)
    if now.date_shipped is not None and (was is None or was.date_shipped is None):
        types.append(SHIPMENT_SHIPPED)
    if now.date_delivered is not None and (was is None or was.date_delivered is None):
        types.append(SHIPMENT_DELIVERED)
    if _ties_back(before, after):
        types.append(SHIPMENT_RECONCILED)
    return tuple(Event(type, body) for type in types)


def _ties_back(before: ShipmentState | None, after: ShipmentState) -> bool:
    """Whether what the buyers' orders know of the shipment changes."""
    if before is None or before.shipment is None or after.shipment is None:
        return bool(after.items)
    return before.items != after.items or (
        before.shipment.date_shipped != after.shipment.date_shipped and bool(after.items)
    )
