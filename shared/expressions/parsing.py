"""From a text to an expression."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.visitors import v_args

from shared.expressions.errors import Code, ExpressionError
from shared.expressions.fields import canonical
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
    Relation,
    children,
)

MAX_LENGTH = 400
"""How many characters a text may have."""

MAX_DEPTH = 32
"""How many levels an expression may have: what reads one goes down as many."""

_RELATIONS: dict[str, Relation] = {
    "=": "=", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip


def parse(text: str) -> Expression:
    """The expression that ``text`` writes. Raises ExpressionError (``InvalidSyntax``). Whether its
    names and functions exist is another question: see ``checking``."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            Code.SYNTAX,
            f"The expression has {len(text)} characters; shorten it to {MAX_LENGTH}.",
            MAX_LENGTH,
        )
    try:
        # The transformer makes a node of every match; lark's types know only its trees.
        root: Node = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        raise _unexpected(error, text) from None
    _refuse_depth(root)
    return Expression(root)


@cache
def _parser() -> Lark:
    grammar = files("shared.expressions").joinpath("grammar.lark").read_text()
    # LALR: in one pass, in time proportional to the text, without a recursion.
    return Lark(grammar, parser="lalr", transformer=_Builder())


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Makes the node of each rule as the parser finds it."""

    def number(self, token: Token) -> Node:
        return Literal(Decimal(token), _start(token))

    def string(self, token: Token) -> Node:
        return Literal(token[1:-1].replace("''", "'"), _start(token))

    def date(self, token: Token) -> Node:
        try:
            day = datetime.strptime(token[1:-1].strip(), "%m/%d/%Y").replace(tzinfo=UTC)
        except ValueError:
            raise ExpressionError(
                Code.SYNTAX,
                f"{token} is not a date; write month/day/year as in #6/15/2016#.",
                _start(token),
            ) from None
        return Literal(day, _start(token))

    def true(self, token: Token) -> Node:
        return Literal(True, _start(token))

    def false(self, token: Token) -> Node:
        return Literal(False, _start(token))

    def path(self, *names: Token) -> tuple[Token, ...]:
        return names

    def name(self, names: tuple[Token, ...]) -> Node:
        return Name(canonical(tuple(map(str, names))), _start(names[0]))

    def arguments(self, *nodes: Node) -> tuple[Node, ...]:
        return nodes

    def call(self, names: tuple[Token, ...], arguments: tuple[Node, ...] | None) -> Node:
        *receiver, function = map(str, names)
        return Call(canonical(tuple(receiver)), function.lower(), arguments or (), _start(names[0]))

    def sign(self, sign: Token, operand: Node) -> Node:
        return Minus(operand, _start(sign)) if sign == "-" else operand

    def product(self, first: Node, *rest: Token | Node) -> Node:
        return _chain(first, rest)

    def sum(self, first: Node, *rest: Token | Node) -> Node:
        return _chain(first, rest)

    def comparison(self, left: Node, relation: Token, right: Node) -> Node:
        return Comparison(_RELATIONS[relation], left, right, left.position)

    def negation(self, operand: Node) -> Node:
        return Not(operand, operand.position)

    def conjunction(self, *operands: Node) -> Node:
        return Logic("and", operands, operands[0].position)

    def disjunction(self, *operands: Node) -> Node:
        return Logic("or", operands, operands[0].position)


def _chain(first: Node, rest: tuple[Token | Node, ...]) -> Node:
    operators = [str(token) for token in rest[::2]]
    operands = [node for node in rest[1::2] if not isinstance(node, Token)]
    return Chain(first, tuple(zip(operators, operands, strict=True)), first.position)


def _start(token: Token) -> int:
    return token.start_pos or 0


def _unexpected(error: UnexpectedInput, text: str) -> ExpressionError:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        position = _start(error.token)
        found = str(error.token)
    elif isinstance(error, UnexpectedCharacters):
        position = error.pos_in_stream  # type: ignore[assignment] # declared too narrowly
        found = text[position]
    else:
        return ExpressionError(
            Code.SYNTAX,
            "The expression is empty; write a condition or an amount."
            if not text.strip()
            else "The expression ends where something is missing; complete it.",
            len(text),
        )
    if found == "'":
        hint = "close the text with another '"
    elif found == '"':
        hint = "write texts in single quotes"
    else:
        hint = "correct or remove it"
    return ExpressionError(
        Code.SYNTAX, f"{found!r} cannot stand at position {position}; {hint}.", position
    )


def _refuse_depth(root: Node) -> None:
    """Goes through all nodes without a recursion of its own."""
    level = [root]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ExpressionError(
                Code.SYNTAX,
                f"The expression is nested more than {MAX_DEPTH} levels deep; simplify it.",
                level[0].position,
            )
        level = [child for node in level for child in children(node)]
