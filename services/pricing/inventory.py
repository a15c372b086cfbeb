"""Stock as the catalogue sets it: ``SaveInventory``, ``DeleteInventory``, ``SaveProduct``.

Each sets what is available now, whatever was granted before. Without a location it sets the stock
that stands at none in particular; the product's stock is the sum of all.
"""

from collections.abc import Iterable
from typing import Any

from services.pricing.allotments import ANYWHERE, Allotment, inventory_id
from shared.catalog import not_found
from shared.contracts.catalog import Inventory, Product, SaveInventory
from shared.contracts.registry import INVENTORY, PRODUCT
from shared.messaging.message import Event, Message, rejection
from shared.messaging.processor import Decision

INVENTORY_TYPES = (INVENTORY.save, INVENTORY.delete, PRODUCT.save)


def inventory_keys(message: Message[Any]) -> Iterable[str]:
    """The allotment that ``message`` sets; none for a product that says nothing of stock."""
    if message.type is PRODUCT.save and message.body.inventory is None:
        return ()
    return (inventory_id(message.body.id),)


def fold_inventory(
    state: Allotment | None, message: Message[Any], context: None
) -> Decision[Allotment]:
    body = message.body
    if isinstance(body, SaveInventory):
        location = body.location_id or ANYWHERE
        stock = _set(state, body, {location: body.quantity_available})
        return Decision(stock, (Event(INVENTORY.saved, body),))
    if isinstance(body, Product):
        return Decision(set_by_product(state, body))
    if state is None:
        return Decision(None, (rejection(message, [not_found("Inventory", body.id)]),))
    return Decision(None, (Event(INVENTORY.deleted, body),))


def set_by_product(state: Allotment | None, product: Product) -> Allotment | None:
    """The stock as ``product`` says it is. The product's event tells of it, so there is none of
    its own."""
    inventory = product.inventory
    if inventory is None:
        return state
    known = inventory.quantity_available
    return _set(state, inventory, {} if known is None else {ANYWHERE: known})


def _set(
    state: Allotment | None, given: Inventory | SaveInventory, records: dict[str, int]
) -> Allotment:
    return Allotment(
        enabled=given.enabled,
        order_can_exceed=given.order_can_exceed,
        notification_point=given.notification_point,
        records={**(state.records if state else {}), **records},
        pending=state.pending if state else {},
    )
