"""The functions of the language: their names, and what they take."""

from collections.abc import Sequence
from decimal import Decimal

from shared.expressions.errors import Code, ExpressionError
from shared.expressions.fields import Kind
from shared.expressions.syntax import Call, Literal, Minus, Node

AGGREGATES = {"any": Kind.FLAG, "all": Kind.FLAG, "quantity": Kind.NUMBER, "count": Kind.NUMBER,
              "total": Kind.NUMBER}  # fmt: skip
"""The functions of ``items``, and what each comes to."""

CATEGORIES = ("incategory", "inparentcategory")
"""The functions of a line's product."""

LISTS = ("contains", "count", "any", "all")
"""The functions of lists."""


def whole(node: Node) -> int | None:
    """The number that ``node`` writes out, with or without a sign, if it is a whole one."""
    match node:
        case Minus(operand):
            number = whole(operand)
            return None if number is None else -number
        case Literal(Decimal() as value) if value == value.to_integral_value():
            return int(value)
    return None


def texts_of(call: Call) -> list[str]:
    """The arguments of ``call`` that are texts written out."""
    return [a.value for a in call.arguments if isinstance(a, Literal) and isinstance(a.value, str)]


def require_count(call: Call, allowed: range, what: str) -> None:
    """Raises ExpressionError unless ``call`` has an ``allowed`` number of arguments."""
    if len(call.arguments) not in allowed:
        raise ExpressionError(
            Code.ARGUMENTS,
            f"{_named(call)} takes {what}; correct what stands in its parentheses.",
            call.position,
        )


def require_texts(call: Call, what: str, allowed: Sequence[int] = range(1, 400)) -> None:
    """Raises ExpressionError unless all arguments of ``call`` are texts written out, and their
    number is ``allowed``."""
    given = len(call.arguments)
    if given not in allowed or len(texts_of(call)) < given:
        raise ExpressionError(
            Code.ARGUMENTS, f"{_named(call)} takes {what} in single quotes.", call.position
        )


def unknown(call: Call) -> ExpressionError:
    """There is no such function, or not of what stands before its dot."""
    return ExpressionError(
        Code.FUNCTION,
        f"There is no function {_named(call)}; docs/expressions.md lists them.",
        call.position,
    )


def _named(call: Call) -> str:
    return ".".join((*call.receiver, call.function))
