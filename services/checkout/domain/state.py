"""What checkout keeps of an order, and its named transitions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import Field

from shared.contracts.base import Error, Resource
from shared.contracts.catalog import Buyer
from shared.contracts.orders import (
    CommandReference,
    LineItem,
    Order,
    OrderEvent,
    OrderPromotion,
    OrderStatus,
    Payment,
    PriceOrder,
    Pricing,
    ShipmentNotice,
)
from shared.contracts.registry import MessageType
from shared.messaging.message import Event
from shared.money import Money
from shared.shipped import Share, Shares, all_left, departed, with_quantities


class Phase(StrEnum):
    """What an order waits for beyond its status."""

    SETTLED = "Settled"
    PRICING = "Pricing"
    """Asked pricing to price it and promise its stock."""
    PROMISING = "Promising"
    """Approved; asked pricing to promise its stock."""
    REJECTED = "Rejected"
    """Refused when it was placed; the ID may be used again."""


class ApprovalTerms(Resource):
    """When orders of a buyer await approval: above ``total_above``, in the order's currency, or
    where one of ``expressions`` is true or cannot be computed."""

    total_above: Money | None = None
    expressions: list[str] = Field(default_factory=list)


class OrderState(Resource):
    """One buyer order. ``command`` is the command in flight, ``request_id`` the ``ce_id`` of the
    question to pricing that belongs to it, ``errors`` what checkout itself found wrong. ``source``
    is the ``ce_source`` that placed it: its channel. ``trace`` is what placing it was traced as,
    for commands that come without a trace of their own. ``approval`` is there while pricing is
    asked what an order comes to of which expressions will say whether it awaits approval."""

    order: Order
    line_items: list[LineItem]
    payments: list[Payment] = Field(default_factory=list)
    promotions: list[OrderPromotion] = Field(default_factory=list)
    phase: Phase = Phase.SETTLED
    source: str = ""
    trace: str | None = None
    command: CommandReference | None = None
    request_id: str | None = None
    errors: list[Error] = Field(default_factory=list)
    approval: ApprovalTerms | None = None
    promised: bool = False
    comments: str | None = None
    approving_user: str | None = None
    shares: dict[str, Share] = Field(default_factory=dict)

    @property
    def status(self) -> OrderStatus:
        return self.order.status

    def moved(self, status: OrderStatus, now: datetime, **changes: Any) -> "OrderState":
        """In ``status`` since ``now``; ``changes`` are those of the order."""
        order = self.order.model_copy(update={"status": status, "last_updated": now, **changes})
        return self.model_copy(
            update={
                "order": order,
                "phase": Phase.SETTLED,
                "command": None,
                "request_id": None,
                "approval": None,
            }
        )

    def priced(self, pricing: Pricing, now: datetime) -> "OrderState":
        """With the lines and totals that pricing found."""
        order = self.order.model_copy(
            update={
                "currency": pricing.currency,
                "subtotal": pricing.subtotal,
                "shipping_cost": pricing.shipping_cost,
                "shipping_cost_overridden": pricing.shipping_cost_overridden,
                "tax_cost": pricing.tax_cost,
                "promotion_discount": pricing.promotion_discount,
                "total": pricing.total,
                "last_updated": now,
            }
        )
        return self.model_copy(
            update={
                "order": order,
                "line_items": pricing.line_items,
                "promotions": pricing.promotions,
                "payments": _fill_open_amounts(self.payments, pricing.total),
            }
        )

    def pricing(self) -> Pricing:
        """What pricing once found, to be handed back to it."""
        return Pricing(
            currency=self.order.currency,
            line_items=self.line_items,
            promotions=self.promotions,
            subtotal=self.order.subtotal,
            shipping_cost=self.order.shipping_cost,
            shipping_cost_overridden=self.order.shipping_cost_overridden,
            tax_cost=self.order.tax_cost,
            promotion_discount=self.order.promotion_discount,
            total=self.order.total,
        )

    def promise_question(self) -> PriceOrder:
        """Asks pricing for nothing but the promise of what it priced."""
        order = self.order
        return PriceOrder(
            order_id=order.id,
            buyer_id=order.from_company_id,
            user_id=order.from_user.id if order.from_user else None,
            currency=order.currency,
            shipping_address=order.shipping_address,
            line_items=[],
            priced=self.pricing(),
        )

    def with_shares(self, shares: Shares) -> "OrderState":
        lines = with_quantities(self.line_items, shares)
        return self.model_copy(update={"line_items": lines, "shares": shares})

    def all_left(self) -> bool:
        """Whether every unit is on a shipment that has left."""
        return all_left(self.line_items, departed(self.shares))

    def event(self, type: MessageType[OrderEvent], shipment: ShipmentNotice | None = None) -> Event:
        """The whole order as ``orders.events`` tells it."""
        return Event(
            type,
            OrderEvent(
                order=self.order,
                line_items=self.line_items,
                payments=self.payments,
                promotions=self.promotions,
                comments=self.comments,
                approving_user=self.approving_user,
                shipment=shipment,
            ),
        )


def _fill_open_amounts(payments: list[Payment], total: Decimal) -> list[Payment]:
    """A payment without an amount takes what the others leave open; the first such takes all."""
    if all(payment.amount is not None for payment in payments):
        return payments
    rest = max(
        total - sum((p.amount for p in payments if p.amount is not None), Decimal(0)), Decimal(0)
    )
    filled = []
    for payment in payments:
        if payment.amount is None:
            payment = payment.model_copy(update={"amount": rest})
            rest = Decimal(0)
        filled.append(payment)
    return filled


@dataclass(frozen=True, slots=True)
class Context:
    """What a batch of decisions may know: the time, the marketplace, its buyers, and when a
    buyer's orders await approval."""

    now: datetime
    marketplace_id: str
    currency: str
    buyers: Mapping[str, Buyer]
    approvals: Mapping[str, ApprovalTerms]
