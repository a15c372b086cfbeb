"""Which orders await approval, and which rules can be asked."""

from datetime import datetime

from services.checkout.domain.state import ApprovalTerms, OrderState
from shared.contracts.base import Error
from shared.contracts.catalog import ApprovalRule
from shared.expressions.checking import Scope
from shared.expressions.compiled import compiled, refusal
from shared.expressions.errors import EvaluationError, ExpressionError
from shared.expressions.evaluation import holds
from shared.expressions.values import Values
from shared.expressions.views import line_views, order_view


def rule_errors(rule: ApprovalRule) -> list[Error]:
    """What is wrong with the rule's expression."""
    if rule.rule_expression is None:
        return []
    error = refusal("RuleExpression", rule.rule_expression, Scope.APPROVAL)
    return [] if error is None else [error]


def requires_approval(state: OrderState, terms: ApprovalTerms, now: datetime) -> bool:
    """Whether the priced order of ``state`` matches any of ``terms`` at ``now`` (UTC)."""
    above = terms.total_above
    if above is not None and state.order.total > above:
        return True
    order = order_view(state.order)
    values = Values(order=order, items=line_views(state.line_items, order))
    return any(_matches(text, values, now) for text in terms.expressions)


def _matches(text: str, values: Values, now: datetime) -> bool:
    try:
        return holds(compiled(text, Scope.APPROVAL), values, now)
    except (ExpressionError, EvaluationError):
        # Nobody can say that the rule lets the order pass, so somebody has to look at it.
        return True
