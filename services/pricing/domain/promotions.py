"""Promotions: who may have them, what they apply to, what they take off.

:func:`ineligible` and :func:`discount_of` are the two places where a rule language would come in:
the one answers whether an order may have a promotion, the other what it is worth.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from services.pricing.domain.lines import PricedLine
from services.pricing.domain.money import spread
from services.pricing.domain.reference import Reference
from shared.catalog import not_found
from shared.contracts.base import Error
from shared.contracts.catalog import DiscountType, Promotion
from shared.contracts.orders import OrderPromotion, PriceOrder
from shared.money import ZERO, round_money


def requested_promotions(
    request: PriceOrder, reference: Reference, now: datetime
) -> tuple[list[Promotion], list[Error]]:
    """The promotions that ``request`` asks for, in the order in which they apply: by priority,
    those without one last, then as asked for; and what speaks against them whatever the lines
    cost."""
    errors = []
    promotions: dict[str, Promotion] = {}
    refused: set[str] = set()
    for code in request.promotions:
        promotion = reference.promotions.get(code)
        if code in promotions:
            if code not in refused:
                refused.add(code)
                errors.append(
                    _refusal(promotions[code], "AlreadyAdded", "is given twice; once is enough")
                )
        elif promotion is None:
            if code not in refused:
                refused.add(code)
                errors.append(not_found("Promotion", code))
        else:
            promotions[code] = promotion
            errors += _not_now(promotion, now)
    if len(promotions) > 1:
        errors += [
            _refusal(promotion, "CannotCombine", "goes with no other promotion; use it alone")
            for promotion in promotions.values()
            if not promotion.can_combine
        ]
    ranked = sorted(
        promotions.values(),
        key=lambda promotion: (promotion.priority is None, promotion.priority or 0),
    )
    return ranked, errors


def _not_now(promotion: Promotion, now: datetime) -> Iterable[Error]:
    if not promotion.active:
        yield _refusal(promotion, "NotActive", "is not active; remove it")
    if promotion.start_date is not None and now < promotion.start_date:
        begins = promotion.start_date.isoformat()
        yield _refusal(
            promotion, "NotYetValid", f"begins on {begins}; use it from then on", StartDate=begins
        )
    if promotion.expiration_date is not None and now >= promotion.expiration_date:
        ended = promotion.expiration_date.isoformat()
        yield _refusal(promotion, "Expired", f"ended on {ended}; remove it", ExpirationDate=ended)


def ineligible(
    promotion: Promotion, buyer_id: str, lines: Sequence[PricedLine], subtotal: Decimal | None
) -> Error | None:
    """Why an order of ``buyer_id`` may not have ``promotion``; None when it may. ``subtotal``
    None: unknown, because a line has no price."""
    if promotion.value is None:
        return _refusal(
            promotion,
            "NotEligible",
            "is decided by an expression, which no order can use; remove it",
        )
    if not promotion.allow_all_buyers and buyer_id not in (promotion.buyer_ids or ()):
        return _refusal(
            promotion, "NotEligible", f"is not for buyer {buyer_id}; remove it", BuyerID=buyer_id
        )
    if lines and not any(_applies_to(promotion, line) for line in lines):
        return _refusal(
            promotion,
            "NotEligible",
            "applies to no line of the order; order a product that it is for",
            ProductIDs=promotion.product_ids,
        )
    minimum = promotion.minimum_subtotal
    if minimum is not None and subtotal is not None and subtotal < minimum:
        return _refusal(
            promotion,
            "NotEligible",
            f"needs a subtotal of {minimum}, the order's is {subtotal}; order for more",
            MinimumSubtotal=float(minimum),
            Subtotal=float(subtotal),
        )
    return None


def discount_of(promotion: Promotion, base: Decimal, currency: str) -> Decimal:
    """What ``promotion`` takes off ``base``, in ``currency``: never more than ``base``, and
    nothing where an expression decides."""
    if promotion.value is None:
        return ZERO
    if promotion.discount_type is DiscountType.PERCENTAGE:
        return round_money(base * promotion.value / 100, currency)
    return min(round_money(promotion.value, currency), base)


def apply_promotions(
    promotions: Sequence[Promotion], lines: Sequence[PricedLine], currency: str
) -> list[OrderPromotion]:
    """Takes all ``promotions``, in their order, off ``lines`` and says what each came to.

    One of the line level lowers the line. One of the order's is kept with the order, but spread
    over what its lines have left, so that what follows (promotions, tax) sees it gone.
    """
    applied = []
    for promotion in promotions:
        matching = [line for line in lines if _applies_to(promotion, line)]
        if promotion.line_item_level:
            for line in matching:
                amount = discount_of(promotion, line.net, currency)
                line.discount += amount
                line.net -= amount
                applied.append(_applied(promotion, amount, line.id))
        elif matching:
            nets = [line.net for line in matching]
            amount = discount_of(promotion, sum(nets, ZERO), currency)
            for line, part in zip(matching, spread(amount, nets, currency), strict=True):
                line.net -= part
            applied.append(_applied(promotion, amount, None))
    return applied


def exceeds_limit(promotion: Promotion, limit: int, *, per_user: bool) -> Error:
    """The refusal of an order that comes after the last redemption."""
    whom = "of this user " if per_user else ""
    return _refusal(
        promotion,
        "ExceedsUsageLimit",
        f"has been used by {limit} orders {whom}already; remove it",
        **{"RedemptionLimitPerUser" if per_user else "RedemptionLimit": limit},
    )


def _applies_to(promotion: Promotion, line: PricedLine) -> bool:
    return promotion.product_ids is None or line.product.id in promotion.product_ids


def _applied(promotion: Promotion, amount: Decimal, line_id: str | None) -> OrderPromotion:
    return OrderPromotion(
        id=promotion.id,
        code=promotion.code,
        amount=amount,
        line_item_id=line_id,
        line_item_level=promotion.line_item_level,
        name=promotion.name,
    )


def _refusal(promotion: Promotion, reason: str, text: str, **data: object) -> Error:
    return Error(
        error_code=f"Promotion.{reason}",
        message=f"Promotion {promotion.code} {text}.",
        data={"PromotionID": promotion.id, "Code": promotion.code, **data},
    )
