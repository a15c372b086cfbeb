"""Which message leads to which decision."""

from typing import Any

from services.checkout.domain.changes import approve, cancel, decline, reconcile
from services.checkout.domain.placing import place, take_price
from services.checkout.domain.state import Context, OrderState
from shared.contracts.registry import (
    APPROVE_ORDER,
    CANCEL_ORDER,
    DECLINE_ORDER,
    ORDER_PRICED,
    PLACE_ORDER,
    SHIPMENT_RECONCILED,
    MessageType,
)
from shared.messaging.message import Message
from shared.messaging.processor import Decision

DECISIONS: dict[MessageType[Any], Any] = {
    PLACE_ORDER: place,
    ORDER_PRICED: take_price,
    APPROVE_ORDER: approve,
    DECLINE_ORDER: decline,
    CANCEL_ORDER: cancel,
    SHIPMENT_RECONCILED: reconcile,
}


def fold(state: OrderState | None, message: Message[Any], context: Context) -> Decision[OrderState]:
    """The state after ``message`` and the events that tell of it."""
    decision: Decision[OrderState] = DECISIONS[message.type](state, message, context)
    return decision
