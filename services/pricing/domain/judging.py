"""What expressions of promotions say of an order that is being priced."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.pricing.domain.lines import PricedLine
from shared.contracts.base import Error
from shared.contracts.catalog import Promotion
from shared.contracts.orders import LineItem, PriceOrder
from shared.expressions.checking import Scope
from shared.expressions.compiled import compiled, refusal
from shared.expressions.errors import EvaluationError, ExpressionError
from shared.expressions.evaluation import Evaluator
from shared.expressions.syntax import Expression
from shared.expressions.values import Values
from shared.expressions.views import line_views, order_view
from shared.money import ZERO

_SCOPES = {
    True: (Scope.ITEM_ELIGIBLE, Scope.ITEM_VALUE),
    False: (Scope.ORDER_ELIGIBLE, Scope.ORDER_VALUE),
}


def expression_errors(promotion: Promotion) -> list[Error]:
    """What is wrong with the promotion's expressions."""
    eligible, value = _SCOPES[promotion.line_item_level]
    found = []
    for field, text, scope in (
        ("EligibleExpression", promotion.eligible_expression, eligible),
        ("ValueExpression", promotion.value_expression, value),
    ):
        error = None if text is None else refusal(field, text, scope)
        if error is not None:
            found.append(error)
    return found


class Judging:
    """Judges promotions over one order in ``currency`` at ``now`` (UTC). Each sees what those
    before it took off; ``order.TaxCost`` is still 0, and ``order.Total`` without it."""

    def __init__(
        self,
        request: PriceOrder,
        lines: Sequence[PricedLine],
        line_item: Callable[[PricedLine], LineItem],
        currency: str,
        shipping: Decimal,
        now: datetime,
    ) -> None:
        self._request = request
        self._lines = lines
        self._line_item = line_item
        self._amounts: dict[str, Any] = {
            "Currency": currency,
            "LineItemCount": len(lines),
            "Subtotal": sum((line.subtotal for line in lines), ZERO),
            "ShippingCost": shipping,
            "TaxCost": ZERO,
        }
        self._now = now
        self._order: dict[str, Any] = {}
        # By the identity of the line: IDs are the sender's.
        self._items: dict[int, dict[str, Any]] = {}

    def evaluator(self, discount: Decimal) -> Evaluator:
        """For one promotion, when those before it took off ``discount``."""
        if not self._order:
            self._look()
        amounts = self._amounts
        total = amounts["Subtotal"] + amounts["ShippingCost"] - discount
        order = {**self._order, "PromotionDiscount": discount, "Total": total}
        for line in self._lines:
            self._items[id(line)] |= {
                "PromotionDiscount": line.discount,
                "LineTotal": line.subtotal - line.discount,
            }
        return Evaluator(Values(order=order, items=list(self._items.values())), self._now)

    def eligible(
        self, promotion: Promotion, lines: Sequence[PricedLine], evaluator: Evaluator
    ) -> list[PricedLine]:
        """Those of ``lines`` that the promotion is for. Raises EvaluationError."""
        if promotion.eligible_expression is None:
            return list(lines)
        scope, _ = _SCOPES[promotion.line_item_level]
        expression = _compiled(promotion.eligible_expression, scope)
        if promotion.line_item_level:
            return [line for line in lines if evaluator.holds(expression, self._items[id(line)])]
        return list(lines) if evaluator.holds(expression) else []

    def worth(self, promotion: Promotion, line: PricedLine | None, evaluator: Evaluator) -> Decimal:
        """What the promotion's ``value_expression`` takes off the order, or off ``line``, before
        it is rounded. Raises EvaluationError."""
        _, scope = _SCOPES[promotion.line_item_level]
        expression = _compiled(promotion.value_expression or "", scope)
        return evaluator.amount(expression, None if line is None else self._items[id(line)])

    def _look(self) -> None:
        request = self._request
        if request.order is not None:
            known = order_view(request.order)
        else:
            known = {
                "ID": request.order_id,
                "FromCompanyID": request.buyer_id,
                "FromUserID": request.user_id,
                "ShippingAddress": None,
            }
        self._order = {**known, **self._amounts}
        views = line_views([self._line_item(line) for line in self._lines], known)
        self._items = {id(line): seen for line, seen in zip(self._lines, views, strict=True)}


def _compiled(text: str, scope: Scope) -> Expression:
    try:
        return compiled(text, scope)
    except ExpressionError as error:
        # It was kept before it was refused, or by other means: it has no value.
        raise EvaluationError(error.message) from error
