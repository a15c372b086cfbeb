"""What can be wrong with an expression.

::

    ExpressionError   its text: it is refused when it is saved
    EvaluationError   what it says cannot be computed from the values given
"""

from enum import StrEnum


class Code(StrEnum):
    """OrderCloud's error codes of expressions."""

    SYNTAX = "Expression.InvalidSyntax"
    FUNCTION = "Expression.InvalidFunction"
    ARGUMENTS = "Expression.InvalidArguments"
    TOKEN = "Expression.InvalidToken"  # noqa: S105 -- a token of the language
    ITEM_NOT_ALLOWED = "Expression.ItemNotAllowed"
    ITEM_REQUIRED = "Expression.ItemRequired"
    ORDER_HISTORY = "Expression.OrderHistoryCannotBeUsed"


class ExpressionError(Exception):
    """A text is no expression of its scope. ``message`` says what to do, ``position`` counts the
    characters before the place, from 0."""

    def __init__(self, code: Code, message: str, position: int) -> None:
        super().__init__(f"{code} at {position}: {message}")
        self.code = code
        self.message = message
        self.position = position


class EvaluationError(Exception):
    """An expression has no value for the values given: it divides by zero, a condition is no
    truth value, the computation takes too long."""
