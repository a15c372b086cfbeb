"""What may happen to an order that was placed: approval, cancellation, shipments."""

from typing import TypeGuard

from services.checkout.domain.placing import release
from services.checkout.domain.state import Context, OrderState, Phase
from shared.contracts.base import Error
from shared.contracts.fulfillment import ShipmentEvent
from shared.contracts.orders import (
    ApproveOrder,
    CancelOrder,
    DeclineOrder,
    OrderStatus,
    ShipmentNotice,
)
from shared.contracts.registry import (
    ORDER_CANCELED,
    ORDER_COMPLETED,
    ORDER_DECLINED,
    ORDER_SHIPMENTS_CHANGED,
    PRICE_ORDER,
)
from shared.messaging.message import Event, Message, rejection
from shared.messaging.outbox import caused_by, event_id
from shared.messaging.processor import Decision
from shared.shipped import departed, with_shipment


def approve(
    state: OrderState | None, message: Message[ApproveOrder], context: Context
) -> Decision[OrderState]:
    """Asks pricing to promise the stock of an order that awaits approval; it opens then."""
    if not _awaits_approval(state):
        return _refuse(state, message, _not_awaiting(state, message.key))
    body = message.body
    user = state.order.from_user
    if body.approving_user and user and body.approving_user in (user.id, user.username):
        return _refuse(
            state,
            message,
            Error(
                error_code="Order.NotEligibleToApprove",
                message=f"{body.approving_user} placed the order; somebody else must approve it.",
                data={"OrderID": message.key, "ApprovingUser": body.approving_user},
            ),
        )
    asking = state.model_copy(
        update={
            "phase": Phase.PROMISING,
            "command": message.reference(),
            "request_id": event_id(caused_by(message, message.key), PRICE_ORDER, 0),
            "comments": body.comments,
            "approving_user": body.approving_user,
        }
    )
    return Decision(asking, (Event(PRICE_ORDER, state.promise_question()),))


def decline(
    state: OrderState | None, message: Message[DeclineOrder], context: Context
) -> Decision[OrderState]:
    if not _awaits_approval(state):
        return _refuse(state, message, _not_awaiting(state, message.key))
    declined = state.moved(OrderStatus.DECLINED, context.now, date_declined=context.now).model_copy(
        update={"comments": message.body.comments, "approving_user": message.body.approving_user}
    )
    return Decision(declined, (declined.event(ORDER_DECLINED),))


def cancel(
    state: OrderState | None, message: Message[CancelOrder], context: Context
) -> Decision[OrderState]:
    """Cancels an order of which nothing has left, and gives its stock back."""
    if state is None or state.phase is Phase.REJECTED:
        return _refuse(state, message, _unknown(message.key))
    left = sum(departed(state.shares).values())
    if state.status in (OrderStatus.COMPLETED, OrderStatus.CANCELED) or left:
        ordered = sum(line.quantity for line in state.line_items)
        reason = f"{left} of its {ordered} units have left" if left else f"it is {state.status}"
        return _refuse(
            state,
            message,
            Error(
                error_code="Order.CannotCancelInCurrentStatus",
                message=f"Order {message.key} cannot be canceled: {reason}.",
                data={
                    "OrderID": message.key,
                    "Status": state.status.value,
                    "QuantityShipped": left,
                    "Quantity": ordered,
                },
            ),
        )
    canceled = state.moved(OrderStatus.CANCELED, context.now, date_canceled=context.now).model_copy(
        update={
            "comments": message.body.comments,
            "approving_user": message.body.approving_user,
            "promised": False,
        }
    )
    events = [canceled.event(ORDER_CANCELED)]
    if state.promised:
        events.append(release(message.key))
    return Decision(canceled, tuple(events))


def reconcile(
    state: OrderState | None, message: Message[ShipmentEvent], context: Context
) -> Decision[OrderState]:
    """Takes in what a shipment carries of the order; completes the order when all has left."""
    if state is None:
        return Decision(state)
    shares = with_shipment(state.shares, message.body, message.key)
    if shares is state.shares:
        return Decision(state)
    order = state.order.model_copy(update={"last_updated": context.now})
    changed = state.with_shares(shares).model_copy(update={"order": order})
    shipment = message.body.shipment
    notice = ShipmentNotice(
        id=shipment.id,
        shipper=shipment.shipper,
        tracking_number=shipment.tracking_number,
        date_shipped=shipment.date_shipped,
    )
    events = [changed.event(ORDER_SHIPMENTS_CHANGED, notice)]
    if changed.status is OrderStatus.OPEN and changed.all_left():
        changed = changed.moved(OrderStatus.COMPLETED, context.now, date_completed=context.now)
        events.append(changed.event(ORDER_COMPLETED))
    return Decision(changed, tuple(events))


def _awaits_approval(state: OrderState | None) -> TypeGuard[OrderState]:
    return (
        state is not None
        and state.status is OrderStatus.AWAITING_APPROVAL
        and state.phase is Phase.SETTLED
    )


def _not_awaiting(state: OrderState | None, order_id: str) -> Error:
    if state is None or state.phase is Phase.REJECTED:
        return _unknown(order_id)
    reason = "is being approved" if state.phase is Phase.PROMISING else f"is {state.status}"
    return Error(
        error_code="Order.MustBeAwaitingApproval",
        message=f"Order {order_id} {reason}; only an order that awaits approval can be approved "
        "or declined.",
        data={"OrderID": order_id, "Status": state.status.value},
    )


def _unknown(order_id: str) -> Error:
    return Error(
        error_code="NotFound",
        message=f"There is no order {order_id}; check the ID.",
        data={"ObjectType": "Order", "ObjectID": order_id},
    )


def _refuse(
    state: OrderState | None,
    message: Message[ApproveOrder] | Message[DeclineOrder] | Message[CancelOrder],
    error: Error,
) -> Decision[OrderState]:
    return Decision(state, (rejection(message, [error], message.key),))
