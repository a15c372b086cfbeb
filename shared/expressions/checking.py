"""Holds an expression against its place: names, functions, kinds of values."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from shared.expressions.errors import Code, ExpressionError
from shared.expressions.fields import (
    LINE_ITEM,
    ORDER,
    ORDER_RETURN,
    PRODUCT,
    ROOTS,
    Fields,
    Kind,
)
from shared.expressions.functions import (
    AGGREGATES,
    CATEGORIES,
    LISTS,
    require_count,
    require_texts,
    unknown,
    whole,
)
from shared.expressions.syntax import (
    Call,
    Chain,
    Comparison,
    Expression,
    Literal,
    Logic,
    Minus,
    Name,
    Node,
    Not,
)


class Scope(Enum):
    """Where an expression stands."""

    ORDER_ELIGIBLE = "EligibleExpression of an order's promotion"
    ORDER_VALUE = "ValueExpression of an order's promotion"
    ITEM_ELIGIBLE = "EligibleExpression of a line item's promotion"
    ITEM_VALUE = "ValueExpression of a line item's promotion"
    APPROVAL = "RuleExpression of an approval rule"
    RETURN = "RuleExpression of a seller's rule for order returns"

    @property
    def result(self) -> Kind:
        """What an expression in this place comes to."""
        values = (Scope.ORDER_VALUE, Scope.ITEM_VALUE)
        return Kind.NUMBER if self in values else Kind.FLAG

    @property
    def has_item(self) -> bool:
        """Whether it is about one line item, which ``item`` names."""
        return self in (Scope.ITEM_ELIGIBLE, Scope.ITEM_VALUE)


_HISTORY = ("orders", "orderhistory")


def check(expression: Expression, scope: Scope) -> None:
    """Raises ExpressionError unless ``expression`` may stand in ``scope``: every code but
    ``InvalidSyntax``, the first that is found from left to right."""
    checker = _Checker(scope)
    checker.expect(expression.root, scope.result, _View())
    if scope is Scope.ITEM_ELIGIBLE and not checker.item_named:
        raise ExpressionError(
            Code.ITEM_REQUIRED,
            "The promotion is of line items, so its EligibleExpression must name item; say which"
            " lines it is for, as in item.ProductID = 'X', or set LineItemLevel to false.",
            0,
        )


@dataclass(frozen=True, slots=True)
class _View:
    """What can be seen at a place in an expression: within a filter of ``items`` the fields of a
    line item, within one of a list its item by the name ``item``."""

    line: bool = False
    element: bool = False


class _Checker:
    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.item_named = False

    def expect(self, node: Node, kind: Kind, view: _View) -> None:
        """Refuses ``node`` if it is certain not to be of ``kind``."""
        found = self._kind(node, view)
        if found not in (kind, Kind.ANY):
            raise ExpressionError(
                Code.ARGUMENTS,
                f"{_named(found)} stands where {kind} belongs; correct it.",
                node.position,
            )

    def _kind(self, node: Node, view: _View) -> Kind | Fields:
        match node:
            case Literal(value):
                return _kind_of(value)
            case Name(path, position):
                return self._field(path, position, view)
            case Call():
                return self._call(node, view)
            case Minus(operand):
                self.expect(operand, Kind.NUMBER, view)
                return Kind.NUMBER
            case Chain(first, rest):
                for operand in (first, *(operand for _, operand in rest)):
                    self.expect(operand, Kind.NUMBER, view)
                return Kind.NUMBER
            case Not(operand):
                self.expect(operand, Kind.FLAG, view)
            case Logic(_, operands):
                for operand in operands:
                    self.expect(operand, Kind.FLAG, view)
            case Comparison():
                self._comparison(node, view)
        return Kind.FLAG

    def _comparison(self, node: Comparison, view: _View) -> None:
        left, right = self._scalar(node.left, view), self._scalar(node.right, view)
        if Kind.ANY not in (left, right) and left != right:
            raise ExpressionError(
                Code.ARGUMENTS,
                f"{left} cannot be compared with {right}; compare it with {left}.",
                node.right.position,
            )
        if Kind.FLAG in (left, right) and node.relation not in ("=", "<>"):
            raise ExpressionError(
                Code.ARGUMENTS, "true and false have no order; use = or <>.", node.position
            )

    def _scalar(self, node: Node, view: _View) -> Kind:
        """The kind of what is compared: neither an object nor a list."""
        found = self._kind(node, view)
        if not isinstance(found, Kind) or found is Kind.LIST:
            raise ExpressionError(
                Code.ARGUMENTS,
                f"{_named(found)} cannot be compared; compare one of its fields, or use one of"
                " the functions of lists.",
                node.position,
            )
        return found

    # --- names ---

    def _field(self, path: tuple[str, ...], position: int, view: _View) -> Kind | Fields:
        found, rest = self._root(path, position, view)
        for name in rest:
            if found is Kind.ANY:
                break
            inner = None if isinstance(found, Kind) else found.get(name)
            if inner is None:
                raise ExpressionError(
                    Code.TOKEN,
                    f"{'.'.join(path)} is unknown: there is no {name}; check the name, or keep"
                    " what is your own in xp.",
                    position,
                )
            found = inner
        return found

    def _root(
        self, path: tuple[str, ...], position: int, view: _View
    ) -> tuple[Kind | Fields, tuple[str, ...]]:
        """What a path starts from, and its names from there."""
        first, rest = path[0], path[1:]
        if first == "item":
            if view.element:
                return Kind.ANY, rest
            if not self._scope.has_item:
                raise ExpressionError(
                    Code.ITEM_NOT_ALLOWED,
                    "item is a line item, which only promotions with LineItemLevel have; use a"
                    " function of items, such as items.any(…).",
                    position,
                )
            self.item_named = True
            return LINE_ITEM, rest
        if view.line and first in LINE_ITEM:
            return LINE_ITEM, path
        if first == "order":
            return ORDER, rest
        if first == "orderreturn" and self._scope is Scope.RETURN:
            return ORDER_RETURN, rest
        if first.casefold() in _HISTORY:
            raise ExpressionError(
                Code.ORDER_HISTORY,
                "An expression cannot look at earlier orders; use the order and its lines only.",
                position,
            )
        if first in ROOTS:
            hint = (
                "call one of its functions, such as items.count()"
                if first == "items"
                else "only a rule for order returns has one"
            )
        elif first in ORDER:
            hint = f"write order.{first}"
        elif first in LINE_ITEM:
            hint = f"write items.any({first} = …) or, for a line item's promotion, item.{first}"
        else:
            hint = "begin with order., item. or a function"
        raise ExpressionError(
            Code.TOKEN, f"{first} cannot stand at position {position}; {hint}.", position
        )

    # --- functions ---

    def _call(self, call: Call, view: _View) -> Kind:
        receiver, function = call.receiver, call.function
        if not receiver:
            return self._alone(call, view)
        if receiver == ("items",):
            return self._aggregate(call, view)
        if receiver == ("order",) and function == "approved":
            return self._approved(call)
        found = self._field(receiver, call.position, view)
        if function in CATEGORIES and found is PRODUCT:
            require_texts(call, "IDs of categories")
            return Kind.FLAG
        if function == "in" and isinstance(found, Kind) and found is not Kind.LIST:
            require_count(call, range(1, 400), "at least one value")
            for argument in call.arguments:
                self._scalar(argument, view)
            return Kind.FLAG
        if function in LISTS and found in (Kind.LIST, Kind.ANY):
            return self._list(call, view)
        raise unknown(call)

    def _alone(self, call: Call, view: _View) -> Kind:
        arguments = call.arguments
        match call.function:
            case "min" | "max":
                require_count(call, range(2, 3), "two numbers")
                for argument in arguments:
                    self.expect(argument, Kind.NUMBER, view)
                return Kind.NUMBER
            case "ifs":
                require_count(
                    call, range(3, 400, 2), "pairs of a condition and a number, and a number"
                )
                for condition in arguments[:-1:2]:
                    self.expect(condition, Kind.FLAG, view)
                for number in (*arguments[1::2], arguments[-1]):
                    self.expect(number, Kind.NUMBER, view)
                return Kind.NUMBER
            case "now":
                require_count(call, range(2), "a number of days or nothing")
                if arguments and whole(arguments[0]) is None:
                    raise ExpressionError(
                        Code.ARGUMENTS,
                        "now takes a whole number of days, as in now(-30); write one.",
                        arguments[0].position,
                    )
                return Kind.DATE
        raise unknown(call)

    def _aggregate(self, call: Call, view: _View) -> Kind:
        if call.function not in AGGREGATES:
            raise unknown(call)
        if view.line:
            raise ExpressionError(
                Code.FUNCTION,
                "A filter of items cannot use items again; join two functions with and.",
                call.position,
            )
        least = 1 if call.function in ("any", "all") else 0
        require_count(call, range(least, 2), "one filter")
        for condition in call.arguments:
            self.expect(condition, Kind.FLAG, replace(view, line=True))
        return AGGREGATES[call.function]

    def _list(self, call: Call, view: _View) -> Kind:
        if call.function == "contains":
            require_count(call, range(1, 2), "one value")
            self._scalar(call.arguments[0], view)
            return Kind.FLAG
        require_count(call, range(call.function != "count", 2), "one filter")
        for condition in call.arguments:
            self.expect(condition, Kind.FLAG, replace(view, element=True))
        return Kind.NUMBER if call.function == "count" else Kind.FLAG

    def _approved(self, call: Call) -> Kind:
        if self._scope is not Scope.APPROVAL:
            raise ExpressionError(
                Code.FUNCTION,
                "order.approved is for approval rules only; remove it.",
                call.position,
            )
        require_texts(call, "the ID of an approval rule", range(1, 2))
        return Kind.FLAG


def _kind_of(value: object) -> Kind:
    match value:
        case bool():
            return Kind.FLAG
        case Decimal():
            return Kind.NUMBER
        case str():
            return Kind.TEXT
    return Kind.DATE


def _named(kind: Kind | Fields) -> str:
    return kind if isinstance(kind, Kind) else "an object"
