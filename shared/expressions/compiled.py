"""Expressions ready to be evaluated, each text read once."""

from functools import lru_cache

from shared.expressions.checking import Scope, check
from shared.expressions.parsing import parse
from shared.expressions.syntax import Expression


@lru_cache(maxsize=4096)
def compiled(text: str, scope: Scope) -> Expression:
    """The expression of ``text``, which may stand in ``scope``; remembered. Raises
    ExpressionError."""
    expression = parse(text)
    check(expression, scope)
    return expression
