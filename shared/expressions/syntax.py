"""What an expression consists of, and how it is written.

Two expressions are equal if they say the same in the same words; where in its text a node stands
does not count.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal as OneOf
from typing import TypeAlias

Relation: TypeAlias = OneOf["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, a date (midnight UTC) or a truth value."""

    value: Decimal | str | datetime | bool
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A field: ``order.xp.Level`` is ``("order", "xp", "Level")``."""

    path: tuple[str, ...]
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function, alone (``min``) or of what stands before its dot (``items``, a list)."""

    receiver: tuple[str, ...]
    function: str
    arguments: tuple["Node", ...] = ()
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Minus:
    operand: "Node"
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """Arithmetic of one precedence, from left to right: ``first``, then each operator with its
    operand. Either all are ``+ -`` or all are ``* / %``."""

    first: "Node"
    rest: tuple[tuple[str, "Node"], ...]
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    relation: Relation
    left: "Node"
    right: "Node"
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Node"
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Logic:
    """Two or more conditions, all joined by ``word``."""

    word: OneOf["and", "or"]
    operands: tuple["Node", ...]
    position: int = field(default=0, compare=False)


Node: TypeAlias = Literal | Name | Call | Minus | Chain | Comparison | Not | Logic


@dataclass(frozen=True, slots=True)
class Expression:
    """A whole expression; ``str`` of it is a text that means it."""

    root: Node

    def __str__(self) -> str:
        return _written(self.root)


def children(node: Node) -> Iterator[Node]:
    """What ``node`` is made of, from left to right."""
    match node:
        case Call(_, _, arguments):
            yield from arguments
        case Minus(operand) | Not(operand):
            yield operand
        case Chain(first, rest):
            yield first
            for _, operand in rest:
                yield operand
        case Comparison(_, left, right):
            yield left
            yield right
        case Logic(_, operands):
            yield from operands


_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _PRIMARY = range(8)


def _binding(node: Node) -> int:
    """How tightly ``node`` holds its parts together."""
    match node:
        case Logic(word):
            return _OR if word == "or" else _AND
        case Not():
            return _NOT
        case Comparison():
            return _COMPARISON
        case Chain(_, rest):
            return _SUM if rest[0][0] in "+-" else _PRODUCT
        case Minus():
            return _SIGN
    return _PRIMARY


def _written(node: Node) -> str:
    match node:
        case Literal(value):
            return _literal(value)
        case Name(path):
            return ".".join(path)
        case Call(receiver, function, arguments):
            given = ", ".join(_written(argument) for argument in arguments)
            return f"{'.'.join((*receiver, function))}({given})"
        case Minus(operand):
            return f"-{_operand(operand, _SIGN)}"
        case Not(operand):
            return f"not {_operand(operand, _NOT)}"
        case Comparison(relation, left, right):
            return f"{_operand(left, _SUM)} {relation} {_operand(right, _SUM)}"
        case Logic(word, operands):
            looser = _binding(node) + 1
            return f" {word} ".join(_operand(operand, looser) for operand in operands)
        case Chain(first, rest):
            looser = _binding(node) + 1
            tail = (f" {operator} {_operand(operand, looser)}" for operator, operand in rest)
            return _operand(first, looser) + "".join(tail)


def _operand(node: Node, least: int) -> str:
    """``node`` where only what binds at least so tightly may stand without parentheses."""
    return _written(node) if _binding(node) >= least else f"({_written(node)})"


def _literal(value: Decimal | str | datetime | bool) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return f"#{value.month}/{value.day}/{value.year:04}#"
    return format(value, "f")
