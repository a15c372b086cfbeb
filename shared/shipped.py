"""Which quantities of an order's lines are on shipments, and which have left.

Pure. A share is what one shipment carries of one order; an order's quantities are sums over its
shares, never counted up, so that hearing of a shipment twice changes nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.contracts.base import Resource
from shared.contracts.fulfillment import ShipmentEvent
from shared.contracts.orders import LineItem
from shared.contracts.registry import SHIPMENT_RECONCILED
from shared.messaging.message import Message


class Share(Resource):
    """What one shipment carries of an order: units by line ID. ``revision`` is the shipment's;
    ``left`` tells whether it has a DateShipped."""

    revision: int
    left: bool
    items: dict[str, int]


Shares = Mapping[str, Share]
"""An order's shares by shipment ID."""


def with_shipment(shares: Shares, event: ShipmentEvent, order_id: str) -> Shares:
    """``shares`` of ``order_id`` after ``event``; the same object when it tells nothing new."""
    shipment = event.shipment
    known = shares.get(shipment.id)
    if known is not None and known.revision >= shipment.revision:
        return shares
    items: dict[str, int] = {}
    for item in event.items:
        if item.order_id == order_id:
            items[item.line_item_id] = items.get(item.line_item_id, 0) + item.quantity_shipped
    # A share that was emptied stays, with its revision: an older event must not bring it back.
    share = Share(revision=shipment.revision, left=shipment.date_shipped is not None, items=items)
    return {**shares, shipment.id: share}


def quantities(shares: Shares) -> dict[str, int]:
    """Units on shipments, by line ID; a line of which none is may be missing."""
    return _sum(shares.values())


def departed(shares: Shares) -> dict[str, int]:
    """Units on shipments that have left, by line ID; a line of which none has may be missing."""
    return _sum(share for share in shares.values() if share.left)


def with_quantities(lines: Iterable[LineItem], shares: Shares) -> list[LineItem]:
    """``lines`` with the units that are on shipments; a line that stays as it was is the same
    object."""
    shipped = quantities(shares)
    return [
        line
        if line.quantity_shipped == (units := shipped.get(line.id, 0))
        else line.model_copy(update={"quantity_shipped": units})
        for line in lines
    ]


def all_left(lines: Iterable[LineItem], left: Mapping[str, int]) -> bool:
    """Whether every unit of ``lines`` is among those that have ``left``, by line ID."""
    return all(left.get(line.id, 0) >= line.quantity for line in lines)


def _sum(shares: Iterable[Share]) -> dict[str, int]:
    total: dict[str, int] = {}
    for share in shares:
        for line, units in share.items.items():
            total[line] = total.get(line, 0) + units
    return total


def order_ids(event: ShipmentEvent) -> list[str]:
    """The buyer orders that ``event`` concerns."""
    return list(dict.fromkeys([*(item.order_id for item in event.items), *event.removed_order_ids]))


def concerned(message: Message[Any]) -> Iterable[str]:
    """The buyer orders that a message concerns: a shipment may carry lines of several."""
    if message.type is SHIPMENT_RECONCILED:
        return order_ids(message.body)
    return (message.key,)
