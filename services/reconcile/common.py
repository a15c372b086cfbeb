"""What the comparisons of an order share. Pure."""

from collections.abc import Mapping

from services.checkout.domain.state import OrderState
from services.forwarding.domain import Forwarding
from services.reconcile.findings import Publish, Repair, Resend
from services.reconcile.heard import Readers, Said
from services.reconcile.kept import Kept
from services.shipments.ledger import Ledger
from shared.contracts.orders import OrderEvent, OrderStatus
from shared.contracts.registry import (
    ORDER_CANCELED,
    MessageType,
)

RESTORE = (
    "No message leads there: a document was changed by hand or restored from an old backup. Find"
    " out which side is right, restore the other from a backup, and run this again."
)

FILLED = (OrderStatus.OPEN, OrderStatus.COMPLETED)
"""States in which an order is being filled, or was."""


def tell(
    order: Kept[OrderState],
    target: Kept[Forwarding] | Kept[Ledger] | None,
    said: Said | None,
    type: MessageType[OrderEvent],
    reader: str,
    readers: Readers,
) -> tuple[Repair | None, bool]:
    """How ``target`` is told once more of the order, and whether it has not read it yet."""
    if said is not None and said.type == type.name:
        seen = target.seen if target is not None else frozenset[str]()
        version = target.version if target is not None else 0
        return (
            Resend("checkout", said.place, seen, version),
            not readers.has_read(reader, said),
        )
    if type is not ORDER_CANCELED and order.state.status is not OrderStatus.OPEN:
        return None, False
    version = 0 if target is None else target.version
    cause = f"{order.id}|{order.version}|{reader}|{version}"
    return Publish("checkout", order.state.event(type), cause), False


def units(by_line: Mapping[str, int]) -> str:
    """Units by line, as people read them."""
    return ", ".join(f"{id}: {count}" for id, count in sorted(by_line.items())) or "none"
