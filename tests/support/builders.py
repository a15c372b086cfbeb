"""Readable data for tests: orders, prices, shipments, and the contexts that decisions get.

Every builder gives something valid; a test names only what it is about.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.checkout.domain.state import ApprovalTerms
from services.checkout.domain.state import Context as CheckoutContext
from services.forwarding.domain import Context as ForwardingContext
from shared.contracts.base import Error
from shared.contracts.catalog import Buyer
from shared.contracts.fulfillment import (
    AssignSupplier,
    ReconciledItem,
    Shipment,
    ShipmentEvent,
    SupplierAssignment,
)
from shared.contracts.orders import (
    LineItem,
    LineItemDraft,
    Order,
    OrderDraft,
    OrderEvent,
    OrderPriced,
    OrderStatus,
    Payment,
    PaymentType,
    PlaceOrder,
    Pricing,
)
from tests.support.fakes import START

MARKETPLACE = "marketplace"
BUYER = Buyer(id="acme", name="Acme", currency="USD")


def draft(product: str = "mug", quantity: int = 2, **fields: Any) -> LineItemDraft:
    """A line as a caller gives it, without an ID."""
    return LineItemDraft(product_id=product, quantity=quantity, **fields)


def payment(amount: str | None = None, **fields: Any) -> Payment:
    """An accepted payment by purchase order; without an amount it takes what is open."""
    given = {"type": PaymentType.PURCHASE_ORDER, **fields}
    return Payment(amount=None if amount is None else Decimal(amount), **given)


def place_order(
    id: str = "O-1",
    *,
    lines: Sequence[LineItemDraft] | None = None,
    payments: Sequence[Payment] | None = None,
    promotions: Sequence[str] | None = None,
    **order: Any,
) -> PlaceOrder:
    """An order of :data:`BUYER`, of one line of two mugs. ``order`` are fields of the order."""
    return PlaceOrder(
        order=OrderDraft(**{"id": id, "from_company_id": BUYER.id, **order}),
        line_items=[draft()] if lines is None else list(lines),
        payments=None if payments is None else list(payments),
        promotions=None if promotions is None else list(promotions),
    )


def line(
    id: str = "1",
    quantity: int = 2,
    *,
    price: str = "10.00",
    supplier: str | None = "north",
    **fields: Any,
) -> LineItem:
    """A priced line; its totals follow from quantity and price."""
    total = Decimal(price) * quantity
    return LineItem(
        **{
            "id": id,
            "product_id": "mug",
            "quantity": quantity,
            "unit_price": Decimal(price),
            "line_subtotal": total,
            "line_total": total,
            "supplier_id": supplier,
            **fields,
        }
    )


def pricing(
    lines: Iterable[LineItem] | None = None,
    *,
    shipping: str = "5.00",
    tax: str = "1.40",
    discount: str = "0.00",
    currency: str = "USD",
) -> Pricing:
    """What pricing found for ``lines``; the total follows."""
    items = [line()] if lines is None else list(lines)
    subtotal = sum((item.line_subtotal for item in items), Decimal(0))
    return Pricing(
        currency=currency,
        line_items=items,
        subtotal=subtotal,
        shipping_cost=Decimal(shipping),
        tax_cost=Decimal(tax),
        promotion_discount=Decimal(discount),
        total=subtotal + Decimal(shipping) + Decimal(tax) - Decimal(discount),
    )


def priced(
    request_id: str | None,
    found: Pricing | None = None,
    *,
    order_id: str = "O-1",
    promised: bool = True,
    errors: Iterable[Error] = (),
) -> OrderPriced:
    """Pricing's answer to a request; with errors nothing is promised."""
    wrong = list(errors)
    return OrderPriced(
        order_id=order_id,
        request_id=request_id or "",
        pricing=found if found is not None else pricing(),
        promised=promised and not wrong,
        errors=wrong,
    )


def error(code: str = "Inventory.Insufficient", **data: Any) -> Error:
    return Error(error_code=code, message=f"{code}.", data=data or None)


def order_event(
    id: str = "O-1",
    lines: Iterable[LineItem] | None = None,
    *,
    status: OrderStatus = OrderStatus.OPEN,
    **order: Any,
) -> OrderEvent:
    """A submitted order as ``orders.events`` tells it. ``order`` are fields of the order."""
    found = pricing(lines)
    return OrderEvent(
        order=Order(
            **{
                "id": id,
                "from_company_id": BUYER.id,
                "to_company_id": MARKETPLACE,
                "currency": found.currency,
                "status": status,
                "is_submitted": True,
                "line_item_count": len(found.line_items),
                "date_created": START,
                "date_submitted": START,
                "last_updated": START,
                "subtotal": found.subtotal,
                "shipping_cost": found.shipping_cost,
                "tax_cost": found.tax_cost,
                "total": found.total,
                **order,
            }
        ),
        line_items=found.line_items,
    )


def shipment_event(
    id: str = "S-1",
    items: Mapping[tuple[str, str], int] | None = None,
    *,
    revision: int = 1,
    shipped: datetime | None = START,
    removed: Iterable[str] = (),
    **shipment: Any,
) -> ShipmentEvent:
    """A shipment with units by (buyer's order, line); two of line 1 of O-1 where none are given.
    ``shipped`` None: it has not left."""
    carried = {("O-1", "1"): 2} if items is None else items
    return ShipmentEvent(
        shipment=Shipment(
            id=id, revision=revision, date_created=START, date_shipped=shipped, **shipment
        ),
        items=[
            ReconciledItem(order_id=order, line_item_id=line_id, quantity_shipped=quantity)
            for (order, line_id), quantity in carried.items()
        ],
        removed_order_ids=list(removed),
    )


def assign_supplier(order_id: str = "O-1", /, *pairs: tuple[str, str]) -> AssignSupplier:
    """Names suppliers of held lines: pairs of line and supplier."""
    return AssignSupplier(
        order_id=order_id,
        assignments=[
            SupplierAssignment(line_item_id=line_id, supplier_id=supplier)
            for line_id, supplier in pairs
        ],
    )


def checkout_context(
    *,
    now: datetime = START,
    buyers: Iterable[Buyer] = (BUYER,),
    approval_above: Mapping[str, str] | None = None,
    approval_expressions: Mapping[str, Sequence[str]] | None = None,
) -> CheckoutContext:
    """What checkout knows: :data:`BUYER`, and no approval rules where none are given."""
    limits, expressions = approval_above or {}, approval_expressions or {}
    return CheckoutContext(
        now=now,
        marketplace_id=MARKETPLACE,
        currency="USD",
        buyers={buyer.id: buyer for buyer in buyers},
        approvals={
            id: ApprovalTerms(
                total_above=Decimal(limits[id]) if id in limits else None,
                expressions=list(expressions.get(id, ())),
            )
            for id in {*limits, *expressions}
        },
    )


def forwarding_context(
    *,
    now: datetime = START,
    suppliers: Iterable[str] = ("north", "south"),
    ambiguous: Iterable[str] = (),
) -> ForwardingContext:
    return ForwardingContext(
        now=now,
        marketplace_id=MARKETPLACE,
        suppliers=frozenset(suppliers),
        ambiguous=frozenset(ambiguous),
    )
