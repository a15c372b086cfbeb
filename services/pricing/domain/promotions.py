"""Promotions: who may have them, what they apply to, what they take off.

What can be said of an order before anything is taken off it, :func:`ineligible` says; expressions
are asked by :func:`apply_promotions`, one promotion after the other.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from services.pricing.domain.judging import Judging
from services.pricing.domain.lines import PricedLine
from services.pricing.domain.money import spread
from services.pricing.domain.reference import Reference
from shared.catalog import not_found
from shared.contracts.base import Error
from shared.contracts.catalog import DiscountType, Promotion
from shared.contracts.orders import OrderPromotion, PriceOrder
from shared.expressions.errors import EvaluationError
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


def _not_carried_out(promotion: Promotion) -> str | None:
    """What a promotion has that would make it take off less than it says. To leave it out would
    give away too much."""
    return next(
        (
            name
            for name, value in (
                ("ItemLimitPerOrder", promotion.item_limit_per_order),
                ("QuantityLimitPerOrder", promotion.quantity_limit_per_order),
                ("UseIntegration", promotion.use_integration or None),
            )
            if value is not None
        ),
        None,
    )


def ineligible(
    promotion: Promotion, buyer_id: str, lines: Sequence[PricedLine], subtotal: Decimal | None
) -> Error | None:
    """Why an order of ``buyer_id`` may not have ``promotion``; None when it may. ``subtotal``
    None: unknown, because a line has no price."""
    if not promotion.allow_all_buyers and buyer_id not in (promotion.buyer_ids or ()):
        return _refusal(
            promotion, "NotEligible", f"is not for buyer {buyer_id}; remove it", BuyerID=buyer_id
        )
    if unsupported := _not_carried_out(promotion):
        return _refusal(
            promotion,
            "NotEligible",
            f"has {unsupported}, which orders are not priced with yet; remove it",
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


def apply_promotions(
    promotions: Sequence[Promotion], lines: Sequence[PricedLine], currency: str, judging: Judging
) -> tuple[list[OrderPromotion], list[Error]]:
    """Takes all ``promotions``, in their order, off ``lines`` and says what each came to, or why
    its expressions do not let the order have it.

    One of the line level lowers the line. One of the order's is kept with the order, but spread
    over what its lines have left, so that what follows (promotions, tax) sees it gone.
    """
    applied: list[OrderPromotion] = []
    errors = []
    taken = ZERO
    for promotion in promotions:
        matching = [line for line in lines if _applies_to(promotion, line)]
        try:
            amounts = _amounts(promotion, matching, currency, judging, taken)
        except EvaluationError as error:
            errors.append(
                _refusal(
                    promotion,
                    "NotEligible",
                    f"cannot be computed for this order ({error}); remove it, or correct its"
                    " expressions",
                )
            )
            continue
        if not amounts and promotion.eligible_expression is not None:
            errors.append(
                _refusal(
                    promotion,
                    "NotEligible",
                    "is not for such an order; remove it",
                    EligibleExpression=promotion.eligible_expression,
                )
            )
        for line, amount in amounts:
            taken += amount
            if line is not None:
                line.discount += amount
                line.net -= amount
            else:
                nets = [each.net for each in matching]
                for each, part in zip(matching, spread(amount, nets, currency), strict=True):
                    each.net -= part
            applied.append(_applied(promotion, amount, None if line is None else line.id))
    return applied, errors


def _amounts(
    promotion: Promotion,
    matching: Sequence[PricedLine],
    currency: str,
    judging: Judging,
    taken: Decimal,
) -> list[tuple[PricedLine | None, Decimal]]:
    """What ``promotion`` takes off each line, or (None) off the order, in ``currency``: never more
    than what is left. Nothing where it is not for the order. Raises EvaluationError."""
    if promotion.eligible_expression is None and promotion.value_expression is None:
        eligible, evaluator = list(matching), None
    else:
        evaluator = judging.evaluator(taken)
        eligible = judging.eligible(promotion, matching, evaluator)
    off: list[PricedLine | None] = [*eligible] if promotion.line_item_level else [None]
    found: list[tuple[PricedLine | None, Decimal]] = []
    for line in off if eligible else ():
        base = sum((each.net for each in matching), ZERO) if line is None else line.net
        if evaluator is None or promotion.value_expression is None:
            worth = _worth(promotion, base)
        else:
            worth = judging.worth(promotion, line, evaluator)
        found.append((line, _limited(worth, base, currency)))
    return found


def _worth(promotion: Promotion, base: Decimal) -> Decimal:
    value = promotion.value or ZERO
    return base * value / 100 if promotion.discount_type is DiscountType.PERCENTAGE else value


def _limited(worth: Decimal, base: Decimal, currency: str) -> Decimal:
    """``worth`` in whole cents, from nothing up to ``base``."""
    # Compared first: rounding refuses numbers of more digits than amounts have.
    return round_money(max(min(worth, base), ZERO), currency)


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
