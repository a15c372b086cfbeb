"""Taking an order in: validation, the question to pricing, its answer."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import TypeVar

from services.checkout.domain.approval import requires_approval
from services.checkout.domain.state import ApprovalTerms, Context, OrderState, Phase
from shared.contracts.base import Error
from shared.contracts.orders import (
    CommandReference,
    LineItem,
    LineItemDraft,
    Order,
    OrderPriced,
    OrderStatus,
    Payment,
    PlaceOrder,
    PriceOrder,
    ReleaseOrder,
)
from shared.contracts.registry import (
    ORDER_APPROVED,
    ORDER_AWAITING_APPROVAL,
    ORDER_SUBMITTED,
    PRICE_ORDER,
    RELEASE_ORDER,
)
from shared.messaging.message import Event, Message, late_rejection, rejection
from shared.messaging.outbox import caused_by, event_id
from shared.messaging.processor import Decision
from shared.money import fits_currency

T = TypeVar("T", LineItemDraft, Payment)


def place(
    state: OrderState | None, message: Message[PlaceOrder], context: Context
) -> Decision[OrderState]:
    """Takes a new order and asks pricing for all that it knows, so that a refusal names every
    error at once."""
    body = message.body
    if state is not None and state.phase is not Phase.REJECTED:
        return Decision(state, (rejection(message, [_id_exists(message.key)], message.key),))
    buyer = context.buyers.get(body.order.from_company_id)
    currency = body.order.currency or (buyer.currency if buyer else None) or context.currency
    lines = _with_ids(body.line_items)
    errors = [*_buyer_errors(body, context), *_line_errors(lines), *_payment_errors(body, currency)]
    approval = context.approvals.get(body.order.from_company_id, ApprovalTerms())
    new = OrderState(
        order=Order(
            id=body.order.id,
            from_company_id=body.order.from_company_id,
            from_user=body.order.from_user,
            to_company_id=context.marketplace_id,
            billing_address=body.order.billing_address,
            shipping_address=body.order.shipping_address,
            comments=body.order.comments,
            xp=body.order.xp,
            currency=currency,
            status=OrderStatus.UNSUBMITTED,
            line_item_count=len(lines),
            date_created=message.accepted,
            last_updated=context.now,
        ),
        line_items=[
            LineItem(id=line.id or "", product_id=line.product_id, quantity=line.quantity)
            for line in lines
        ],
        payments=_with_ids(body.payments or []),
        phase=Phase.PRICING,
        source=message.source,
        trace=message.trace,
        command=message.reference(),
        request_id=event_id(caused_by(message, message.key), PRICE_ORDER, 0),
        errors=errors,
        approval=approval if approval.expressions else None,
    )
    if not lines:
        refused = new.model_copy(update={"phase": Phase.REJECTED, "approval": None})
        return Decision(refused, (rejection(message, errors, message.key),))
    question = PriceOrder(
        order_id=body.order.id,
        buyer_id=body.order.from_company_id,
        user_id=body.order.from_user.id if body.order.from_user else None,
        currency=currency,
        shipping_address=body.order.shipping_address,
        line_items=lines,
        promotions=body.promotions or [],
        ship_method_selections=body.ship_method_selections or [],
        payments_total=_payments_total(body.payments),
        approval_above=approval.total_above,
        # Expressions are asked about the priced order; until then it may not take any stock.
        hold=bool(errors or approval.expressions),
        order=new.order if body.promotions else None,
    )
    return Decision(new, (Event(PRICE_ORDER, question),))


def take_price(
    state: OrderState | None, message: Message[OrderPriced], context: Context
) -> Decision[OrderState]:
    """Submits the order, lets it await approval, or refuses it with all errors. An order that
    expressions let pass is asked for a second time: its stock is promised only now."""
    answer = message.body
    if state is None or state.request_id != answer.request_id or state.command is None:
        if answer.promised and (state is None or not state.promised):
            # The order was canceled while pricing promised its stock: nobody needs it any more.
            return Decision(state, (release(answer.order_id),))
        return Decision(state)
    errors = [*state.errors, *answer.errors]
    if state.phase is Phase.PROMISING:
        return _take_promise(state, state.command, answer, context)
    if errors or answer.pricing is None:
        order = state.order.model_copy(update={"last_updated": context.now})
        refused = state.model_copy(
            update={
                "order": order,
                "phase": Phase.REJECTED,
                "errors": errors,
                "request_id": None,
                "approval": None,
            }
        )
        return Decision(refused, (late_rejection(state.command, errors, answer.order_id),))
    priced = state.priced(answer.pricing, context.now)
    if state.approval is not None and not requires_approval(priced, state.approval, context.now):
        asking = priced.model_copy(
            update={
                "approval": None,
                "request_id": event_id(caused_by(message, message.key), PRICE_ORDER, 0),
            }
        )
        return Decision(asking, (Event(PRICE_ORDER, asking.promise_question()),))
    if not answer.promised:
        waiting = priced.moved(OrderStatus.AWAITING_APPROVAL, context.now)
        return Decision(waiting, (waiting.event(ORDER_AWAITING_APPROVAL),))
    submitted = priced.moved(
        OrderStatus.OPEN, context.now, is_submitted=True, date_submitted=context.now
    ).model_copy(update={"promised": True})
    return Decision(submitted, (submitted.event(ORDER_SUBMITTED),))


def _take_promise(
    state: OrderState, command: CommandReference, answer: OrderPriced, context: Context
) -> Decision[OrderState]:
    if answer.errors:
        waiting = state.moved(OrderStatus.AWAITING_APPROVAL, context.now)
        return Decision(waiting, (late_rejection(command, answer.errors, answer.order_id),))
    approved = state.moved(
        OrderStatus.OPEN,
        context.now,
        is_submitted=True,
        date_submitted=context.now,
        date_approved=context.now,
    ).model_copy(update={"promised": True})
    return Decision(approved, (approved.event(ORDER_APPROVED),))


def release(order_id: str) -> Event:
    """Tells pricing to give back what it promised to an order."""
    return Event(RELEASE_ORDER, ReleaseOrder(order_id=order_id))


def _with_ids(items: Iterable[T]) -> list[T]:
    """Gives each line or payment without an ID its place among them, from 1, or the next free
    number."""
    items = list(items)
    taken = {item.id for item in items if item.id is not None}
    named = []
    for position, item in enumerate(items, 1):
        if item.id is None:
            number = position
            while str(number) in taken:
                number += 1
            taken.add(str(number))
            item = item.model_copy(update={"id": str(number)})
        named.append(item)
    return named


def _buyer_errors(body: PlaceOrder, context: Context) -> list[Error]:
    buyer = context.buyers.get(body.order.from_company_id)
    if buyer is None:
        return [
            Error(
                error_code="NotFound",
                message=f"There is no buyer {body.order.from_company_id}; save it first or correct "
                "FromCompanyID.",
                data={"ObjectType": "Buyer", "ObjectID": body.order.from_company_id},
            )
        ]
    if not buyer.active:
        return [
            Error(
                error_code="Auth.CompanyNotActive",
                message=f"Buyer {buyer.id} is not active; activate it to let it order.",
                data={"BuyerID": buyer.id},
            )
        ]
    return []


def _line_errors(lines: list[LineItemDraft]) -> list[Error]:
    if not lines:
        return [
            Error(
                error_code="Order.CannotSubmitWithNoLineItems",
                message="The order has no line items; add at least one.",
            )
        ]
    repeated = sorted(
        id for id, count in Counter(line.id for line in lines).items() if id and count > 1
    )
    if not repeated:
        return []
    return [
        Error(
            error_code="LineItem.DuplicateID",
            message=f"Several lines have the ID {', '.join(repeated)}; give each line its own.",
            data={"LineItemIDs": repeated},
        )
    ]


def _payment_errors(body: PlaceOrder, currency: str) -> list[Error]:
    payments = body.payments or []
    errors = []
    unaccepted = [p.id or str(i) for i, p in enumerate(payments, 1) if not p.accepted]
    if unaccepted:
        errors.append(
            Error(
                # The wire code is spelled with three c's.
                error_code="Order.CannotSubmitWithUnaccceptedPayments",
                message=f"Payments {', '.join(unaccepted)} are not accepted; send them with "
                "Accepted true once they are, or leave them out.",
                data={"PaymentIDs": unaccepted},
            )
        )
    repeated = sorted(id for id, n in Counter(p.id for p in payments).items() if id and n > 1)
    if repeated:
        errors.append(
            Error(
                error_code="Payment.DuplicateID",
                message=f"Several payments have the ID {', '.join(repeated)}; give each its own.",
                data={"PaymentIDs": repeated},
            )
        )
    if any(p.amount is not None and not fits_currency(p.amount, currency) for p in payments):
        errors.append(
            Error(
                error_code="ValidationFailure",
                message=f"A payment's Amount has more decimals than {currency} has; round it.",
                data={"Field": "Payments.Amount", "Currency": currency},
            )
        )
    return errors


def _payments_total(payments: list[Payment] | None) -> Decimal | None:
    """What the payments cover; None where that is everything: on account, or with a payment that
    takes whatever is open."""
    if not payments or any(payment.amount is None for payment in payments):
        return None
    return sum((p.amount for p in payments if p.amount is not None), Decimal(0))


def _id_exists(id: str) -> Error:
    return Error(
        error_code="IdExists",
        message=f"There is an order {id} already; place the order under another ID.",
        data={"ObjectType": "Order", "ObjectID": id},
    )
