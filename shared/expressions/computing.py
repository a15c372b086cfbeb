"""How what an expression is made of comes to a value."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.expressions.comparing import compared
from shared.expressions.errors import EvaluationError
from shared.expressions.functions import CATEGORIES, LISTS, texts_of, whole
from shared.expressions.syntax import (
    Call,
    Chain,
    Comparison,
    Literal,
    Logic,
    Minus,
    Name,
    Node,
    Not,
    Relation,
    children,
)
from shared.expressions.values import Value, Values, member, plain

MAX_STEPS = 500_000
"""How many steps an evaluation may take, some two microseconds each: enough for a filter of 400
characters over 5,000 lines."""

_TEXT_OF_A_STEP = 64
_KEYS_OF_A_STEP = 8


@dataclass(frozen=True, slots=True)
class View:
    """What is seen at a place: ``item``, and within a filter of ``items`` the line."""

    item: object
    line: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Computation:
    """Goes down an expression, over and over, and counts its steps."""

    _values: Values
    _now: datetime
    _steps: int = field(default=0, init=False)
    _known: dict[int, tuple[Call, Value]] = field(default_factory=dict, init=False)
    """What functions of ``items`` came to that no line item changes, by the identity of the call,
    which is kept with it."""

    def value(self, node: Node, view: View) -> Value:
        self._spend(1)
        match node:
            case Literal(value):
                return value
            case Name(path):
                return self._named(path, view)
            case Call():
                return self._call(node, view)
            case Minus(operand):
                number = _number(self.value(operand, view))
                return None if number is None else -number
            case Chain(first, rest):
                return self._chain(first, rest, view)
            case Comparison(relation, left, right):
                return self._compared(relation, left, right, view)
            case Not(operand):
                return not self._truth(operand, view)
            case Logic(word, operands):
                # The first operand that decides is the last one looked at, so that `and` can
                # guard a division.
                found = (self._truth(operand, view) for operand in operands)
                return any(found) if word == "or" else all(found)

    def _truth(self, node: Node, view: View) -> bool:
        return truth(self.value(node, view))

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise EvaluationError("the expression takes too long over so many lines or values")

    # --- names ---

    def _named(self, path: tuple[str, ...], view: View) -> Value:
        return plain(self._raw(path, view))

    def _raw(self, path: tuple[str, ...], view: View) -> object:
        found, rest = self._root(path, view)
        for name in rest:
            if isinstance(found, Mapping) and name not in found:
                self._spend(len(found) // _KEYS_OF_A_STEP)
            found = member(found, name)
        return found

    def _root(self, path: tuple[str, ...], view: View) -> tuple[object, tuple[str, ...]]:
        match path[0]:
            case "item":
                return view.item, path[1:]
            case "order":
                return self._values.order, path[1:]
            case "orderreturn":
                return self._values.orderreturn, path[1:]
        return view.line, path

    # --- computing ---

    def _chain(self, first: Node, rest: tuple[tuple[str, Node], ...], view: View) -> Value:
        total = _number(self.value(first, view))
        for operator, operand in rest:
            number = _number(self.value(operand, view))
            if number is None or total is None:
                total = None
            elif not number and operator in "/%":
                raise EvaluationError("the expression divides by zero")
            else:
                total = _COMPUTED[operator](total, number)
        return total

    def _compared(self, relation: Relation, left: Node, right: Node, view: View) -> bool:
        one, other = self.value(left, view), self.value(right, view)
        swapped = isinstance(left, Literal) and not isinstance(right, Literal)
        if swapped and relation in ("=", "<>"):
            # The written one goes to the right, where its wildcards count.
            return self._relates(relation, other, one, pattern=True)
        return self._relates(relation, one, other, pattern=isinstance(right, Literal))

    def _relates(self, relation: Relation, left: Value, right: Value, pattern: bool) -> bool:
        for value in (left, right):
            if isinstance(value, str):
                self._spend(len(value) // _TEXT_OF_A_STEP)
        return compared(relation, left, right, pattern)

    # --- functions ---

    def _call(self, call: Call, view: View) -> Value:
        receiver, function = call.receiver, call.function
        if receiver == ("items",):
            known = self._known.get(id(call))
            if known is not None:
                return known[1]
            found = self._aggregate(call, view)
            if not _names_item(call):
                self._known[id(call)] = (call, found)
            return found
        if not receiver:
            return self._alone(call, view)
        if receiver == ("order",) and function == "approved":
            approved = {id.casefold() for id in self._values.approved}
            return any(text.casefold() in approved for text in texts_of(call))
        if function in CATEGORIES:
            return self._in_category(call, view)
        if function == "in":
            value = self._named(receiver, view)
            return any(self._equals(value, argument, view) for argument in call.arguments)
        if function in LISTS:
            return self._list(call, view)
        raise _unknown(call)

    def _alone(self, call: Call, view: View) -> Value:
        match call.function, call.arguments:
            case ("min" | "max", (first, second)):
                one, other = (_number(self.value(each, view)) for each in (first, second))
                if one is None or other is None:
                    return None
                return min(one, other) if call.function == "min" else max(one, other)
            case ("ifs", (*pairs, otherwise)):
                for condition, number in zip(pairs[::2], pairs[1::2], strict=False):
                    if self._truth(condition, view):
                        return self.value(number, view)
                return self.value(otherwise, view)
            case ("now", ()):
                return self._now
            case ("now", (days,)):
                return self._now + timedelta(days=whole(days) or 0)
        raise _unknown(call)

    def _aggregate(self, call: Call, view: View) -> Value:
        found = self._lines(call, view)
        match call.function:
            case "any":
                return any(True for _ in found)
            case "all":
                return sum(1 for _ in found) == len(self._values.items)
            case "count":
                return Decimal(sum(1 for _ in found))
            case "quantity":
                return sum((_summand(line, "Quantity") for line in found), Decimal(0))
            case "total":
                return sum((_summand(line, "LineSubtotal") for line in found), Decimal(0))
        raise _unknown(call)

    def _lines(self, call: Call, view: View) -> Iterator[Mapping[str, Any]]:
        """The lines that pass the filter, all of them without one."""
        for line in self._values.items:
            self._spend(1)
            inner = replace(view, line=line)
            if all(self._truth(condition, inner) for condition in call.arguments):
                yield line

    def _list(self, call: Call, view: View) -> Value:
        raw = self._raw(call.receiver, view)
        if not isinstance(raw, list | tuple):
            # What is absent or no list has no items: nothing is true of it.
            return Decimal(0) if call.function == "count" else False
        if call.function == "contains":
            return any(self._equals(plain(each), call.arguments[0], view) for each in raw)
        found = self._elements(raw, call, view)
        if call.function == "any":
            return any(True for _ in found)
        passed = sum(1 for _ in found)
        return Decimal(passed) if call.function == "count" else passed == len(raw)

    def _elements(self, raw: Sequence[Any], call: Call, view: View) -> Iterator[object]:
        for each in raw:
            self._spend(1)
            inner = replace(view, item=each)
            if all(self._truth(condition, inner) for condition in call.arguments):
                yield each

    def _equals(self, value: Value, argument: Node, view: View) -> bool:
        other = self.value(argument, view)
        return self._relates("=", value, other, pattern=isinstance(argument, Literal))

    def _in_category(self, call: Call, view: View) -> bool:
        values = self._values
        known = values.categories if call.function == "incategory" else values.parent_categories
        if known is None:
            raise EvaluationError("the categories of products are not known here")
        product = self._raw((*call.receiver[:-1], "ProductID"), view)
        wanted = {text.casefold() for text in texts_of(call)}
        assigned = known.get(product, ()) if isinstance(product, str) else ()
        self._spend(len(assigned))
        return any(category.casefold() in wanted for category in assigned)


_COMPUTED: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": Decimal.__add__,
    "-": Decimal.__sub__,
    "*": Decimal.__mul__,
    "/": Decimal.__truediv__,
    # The remainder has the sign of what is divided: -7 % 3 = -1.
    "%": Decimal.__mod__,
}


def _names_item(node: Node) -> bool:
    match node:
        case Name(path) if path[0] == "item":
            return True
        case Call(("item", *_)):
            return True
    return any(map(_names_item, children(node)))


def truth(value: Value) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    raise EvaluationError("a value that is neither true nor false is used as a condition")


def _number(value: Value) -> Decimal | None:
    if value is None or isinstance(value, Decimal):
        return value
    raise EvaluationError("a value that is no number is computed with")


def _summand(line: Mapping[str, Any], name: str) -> Decimal:
    return _number(plain(member(line, name))) or Decimal(0)


def _unknown(call: Call) -> EvaluationError:
    return EvaluationError(f"there is no function {call.function} with such arguments")
