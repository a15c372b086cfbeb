"""Which orders await approval, and which rules can be asked."""

from datetime import datetime

from services.checkout.domain.state import ApprovalTerms, OrderState
from shared.contracts.base import Address, Error
from shared.contracts.catalog import ApprovalRule
from shared.expressions.checking import Scope
from shared.expressions.compiled import compiled, refusal
from shared.expressions.errors import EvaluationError, ExpressionError
from shared.expressions.evaluation import holds
from shared.expressions.values import Values
from shared.expressions.views import view


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
    values = _values(state)
    return any(_matches(text, values, now) for text in terms.expressions)


def _matches(text: str, values: Values, now: datetime) -> bool:
    try:
        return holds(compiled(text, Scope.APPROVAL), values, now)
    except (ExpressionError, EvaluationError):
        # Nobody can say that the rule lets the order pass, so somebody has to look at it.
        return True


def _values(state: OrderState) -> Values:
    """The order as expressions look at it: with the IDs of what is in it, and each line with the
    address that it inherits."""
    order = state.order
    lines = [view(line) for line in state.line_items]
    if order.shipping_address is not None:
        inherited = view(order.shipping_address)
        for line in lines:
            if line["ShippingAddress"] is None:
                line["ShippingAddress"] = inherited
    for line in lines:
        line["ShippingAddressID"] = (line["ShippingAddress"] or {}).get("ID")
    return Values(
        order={
            **view(order),
            "FromUserID": order.from_user.id if order.from_user else None,
            "BillingAddressID": _id(order.billing_address),
            "ShippingAddressID": _id(order.shipping_address),
        },
        items=lines,
    )


def _id(address: Address | None) -> str | None:
    return None if address is None else address.id
