"""What an expression comes to."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Context, Decimal, DecimalException, localcontext
from typing import Any

from shared.expressions.computing import Computation, View, truth
from shared.expressions.errors import EvaluationError
from shared.expressions.syntax import Expression
from shared.expressions.values import Value, Values

_ARITHMETIC = Context(prec=34)


class Evaluator:
    """Evaluates expressions over the same values for one line item after the other, with
    ``computing.MAX_STEPS`` for all together. What ``items`` comes to is computed once, where it
    does not depend on the line item. Each method raises EvaluationError and nothing else, whatever
    the values are."""

    def __init__(self, values: Values, now: datetime) -> None:
        self._computation = Computation(values, now)

    def value(self, expression: Expression, item: Mapping[str, Any] | None = None) -> Value:
        """What ``expression`` comes to for ``item``."""
        with localcontext(_ARITHMETIC):
            try:
                return self._computation.value(expression.root, View(item))
            except (DecimalException, OverflowError) as error:
                raise EvaluationError("a number or a date is too large") from error

    def holds(self, expression: Expression, item: Mapping[str, Any] | None = None) -> bool:
        """Whether a condition is met for ``item``; that it is no condition is an error."""
        return truth(self.value(expression, item))

    def amount(self, expression: Expression, item: Mapping[str, Any] | None = None) -> Decimal:
        """The number that ``expression`` comes to for ``item``, unrounded and perhaps negative;
        that there is none is an error."""
        found = self.value(expression, item)
        if not isinstance(found, Decimal):
            raise EvaluationError("the expression comes to no number")
        return found


def holds(expression: Expression, values: Values, now: datetime) -> bool:
    """Whether a condition is met by ``values`` at ``now`` (UTC). Raises EvaluationError."""
    return Evaluator(values, now).holds(expression, values.item)


def amount(expression: Expression, values: Values, now: datetime) -> Decimal:
    """The number that ``expression`` comes to. Raises EvaluationError."""
    return Evaluator(values, now).amount(expression, values.item)


def evaluate(expression: Expression, values: Values, now: datetime) -> Value:
    """What ``expression`` comes to over ``values`` at ``now`` (UTC). Raises EvaluationError."""
    return Evaluator(values, now).value(expression, values.item)
