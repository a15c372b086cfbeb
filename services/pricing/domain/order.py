"""The price of an order: all of it, or all that is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.pricing.domain.judging import Judging
from services.pricing.domain.lines import (
    PricedLine,
    invalid,
    order_currency,
    price_lines,
    too_precise,
)
from services.pricing.domain.money import largest_amount
from services.pricing.domain.promotions import apply_promotions, ineligible, requested_promotions
from services.pricing.domain.reference import Reference, Terms
from services.pricing.domain.shipping import ShippedLine, shipping_cost
from services.pricing.domain.tax import TaxedLine
from shared.contracts.base import Error
from shared.contracts.catalog import Promotion
from shared.contracts.orders import LineItem, PriceOrder, Pricing
from shared.money import ZERO, fits_currency


@dataclass(frozen=True, slots=True)
class PricedOrder:
    """``pricing`` is None when some line or promotion cannot be priced. ``lines`` are all lines
    whose product and quantity are known, ``promotions`` all that exist: what stock and
    redemptions are asked for, errors or not."""

    pricing: Pricing | None
    errors: list[Error]
    lines: Sequence[PricedLine]
    promotions: Sequence[Promotion]


def price_order(
    request: PriceOrder, reference: Reference, terms: Terms, now: datetime
) -> PricedOrder:
    """Prices ``request`` as of ``now`` (UTC). All errors are found at once; those of later steps
    only as far as the earlier ones leave something to judge."""
    currency = order_currency(request, reference, terms)
    lines, errors = price_lines(request, reference, terms, currency, now)
    subtotal = sum((line.subtotal for line in lines), ZERO)
    promotions, promotion_errors = requested_promotions(request, reference, now)
    for promotion in promotions:
        refusal = ineligible(promotion, request.buyer_id, lines, None if errors else subtotal)
        if refusal is not None:
            promotion_errors.append(refusal)
    errors += promotion_errors
    shipped = [
        ShippedLine(
            line.supplier_id or terms.marketplace_id,
            line.product.id,
            line.draft.quantity,
            line.draft.shipping_cost,
        )
        for line in lines
    ]
    shipping, shipping_errors = shipping_cost(
        shipped, request.ship_method_selections, terms.shipping, currency
    )
    # A line that is not there to be shipped would make its selection look wrong.
    if len(lines) == len(request.line_items):
        errors += shipping_errors
    if request.payments_total is not None and not fits_currency(request.payments_total, currency):
        errors.append(too_precise("The payments' sum", request.payments_total, currency))
    if errors:
        return PricedOrder(None, errors, lines, promotions)
    judging = Judging(
        request, lines, lambda line: _line_item(line, reference), currency, shipping, now
    )
    applied, errors = apply_promotions(promotions, lines, currency, judging)
    if errors:
        return PricedOrder(None, errors, lines, promotions)
    tax = terms.tax.tax(
        [
            TaxedLine(
                line.product.id,
                line.product.taxable,
                line.net,
                line.draft.shipping_address or request.shipping_address,
            )
            for line in lines
        ],
        currency,
    )
    discount = sum((promotion.amount for promotion in applied), ZERO)
    total = subtotal + tax + shipping - discount
    pricing = Pricing(
        currency=currency,
        line_items=[_line_item(line, reference) for line in lines],
        promotions=applied,
        subtotal=subtotal,
        shipping_cost=shipping,
        shipping_cost_overridden=any(line.override is not None for line in shipped),
        tax_cost=tax,
        promotion_discount=discount,
        total=total,
    )
    if max(subtotal, total) >= largest_amount(currency):
        errors.append(invalid("The order's total has too many digits; split the order."))
    errors += _payment_errors(request.payments_total, total)
    return PricedOrder(pricing, errors, lines, promotions)


def _line_item(line: PricedLine, reference: Reference) -> LineItem:
    draft = line.draft
    return LineItem(
        id=line.id,
        product_id=line.product.id,
        quantity=draft.quantity,
        unit_price=line.unit_price,
        price_overridden=draft.unit_price is not None,
        is_on_sale=line.is_on_sale,
        price_schedule_id=None if line.schedule is None else line.schedule.id,
        line_subtotal=line.subtotal,
        promotion_discount=line.discount,
        line_total=line.subtotal - line.discount,
        shipping_cost=draft.shipping_cost,
        supplier_id=line.supplier_id,
        shipping_address=draft.shipping_address,
        product=reference.snapshot(line.product),
        xp=draft.xp,
    )


def _payment_errors(payments: Decimal | None, total: Decimal) -> list[Error]:
    if payments is None or payments >= total:
        return []
    return [
        Error(
            error_code="Order.PaymentsDoNotCoverTotal",
            message=(
                f"The payments come to {payments}, the order's total is {total}; "
                f"add {total - payments}."
            ),
            data={
                "Total": float(total),
                "Payments": float(payments),
                "Missing": float(total - payments),
            },
        )
    ]
