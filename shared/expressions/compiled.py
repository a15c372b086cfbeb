"""Expressions ready to be evaluated, each text read once."""

from functools import lru_cache

from shared.contracts.base import Error
from shared.expressions.checking import Scope, check
from shared.expressions.errors import ExpressionError
from shared.expressions.parsing import parse
from shared.expressions.syntax import Expression


@lru_cache(maxsize=4096)
def compiled(text: str, scope: Scope) -> Expression:
    """The expression of ``text``, which may stand in ``scope``; remembered. Raises
    ExpressionError."""
    expression = parse(text)
    check(expression, scope)
    return expression


def refusal(field: str, text: str, scope: Scope) -> Error | None:
    """Why ``text`` cannot be kept in ``field`` of a resource; None where it can."""
    try:
        compiled(text, scope)
    except ExpressionError as error:
        return Error(
            error_code=error.code.value,
            message=f"{field}: {error.message}",
            data={"Field": field, "Position": error.position},
        )
    return None
