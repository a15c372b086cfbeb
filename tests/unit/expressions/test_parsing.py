"""From text to expression and back."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.expressions.errors import ExpressionError
from shared.expressions.parsing import MAX_DEPTH, MAX_LENGTH, parse
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
from tests.unit.expressions.expressions import nodes, number

A, B, C = Name(("order", "xp", "a")), Name(("order", "xp", "b")), Name(("order", "xp", "c"))


def read(text: str) -> Node:
    """``text`` with ``a``, ``b`` and ``c`` for three fields of ``xp``."""
    for letter in "abc":
        text = text.replace(f"${letter}", f"order.xp.{letter}")
    return parse(text).root


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("12", number("12")),
        ("0.150", number("0.150")),
        (".15", number(".15")),
        ("'it''s'", Literal("it's")),
        ("''", Literal("")),
        ("#6/15/2016#", Literal(datetime(2016, 6, 15, tzinfo=UTC))),
        ("#06/05/2016#", Literal(datetime(2016, 6, 5, tzinfo=UTC))),
        ("True", Literal(True)),
        ("FALSE", Literal(False)),
        ("order.Total", Name(("order", "Total"))),
        ("ORDER.fromuser.XP.MyKey", Name(("order", "FromUser", "xp", "MyKey"))),
        ("order . Total", Name(("order", "Total"))),
        ("order.xp.and.true", Name(("order", "xp", "and", "true"))),
        ("android", Name(("android",))),
        ("Items.ANY(productid = 'X')", Call(
            ("items",), "any", (Comparison("=", Name(("ProductID",)), Literal("X")),)
        )),
        ("items.count()", Call(("items",), "count")),
        ("items . count ( )", Call(("items",), "count")),
        ("Min(1, 2)", Call((), "min", (number("1"), number("2")))),
        ("now(-30)", Call((), "now", (Minus(number("30")),))),
        ("now(+30)", Call((), "now", (number("30"),))),
        ("item.product.InCategory('A')", Call(
            ("item", "Product"), "incategory", (Literal("A"),)
        )),
    ],
)  # fmt: skip
def test_what_can_be_written(text: str, node: Node) -> None:
    assert parse(text) == Expression(node)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("$a or $b and $c", Logic("or", (A, Logic("and", (B, C))))),
        ("($a or $b) and $c", Logic("and", (Logic("or", (A, B)), C))),
        ("$a and $b and $c", Logic("and", (A, B, C))),
        ("not $a and $b", Logic("and", (Not(A), B))),
        ("not $a = $b", Not(Comparison("=", A, B))),
        ("not not $a", Not(Not(A))),
        ("$a + $b * $c", Chain(A, (("+", Chain(B, (("*", C),))),))),
        ("($a + $b) * $c", Chain(Chain(A, (("+", B),)), (("*", C),))),
        ("$a - $b - $c", Chain(A, (("-", B), ("-", C)))),
        ("$a / $b % $c", Chain(A, (("/", B), ("%", C)))),
        ("-$a * $b", Chain(Minus(A), (("*", B),))),
        ("$a - -$b", Chain(A, (("-", Minus(B)),))),
        ("$a + $b > $c", Comparison(">", Chain(A, (("+", B),)), C)),
        ("($a = $b) = true", Comparison("=", Comparison("=", A, B), Literal(True))),
    ],
)
def test_precedence(text: str, node: Node) -> None:
    assert read(text) == node


@pytest.mark.parametrize(
    ("text", "position"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param("  ", 2, id="blank"),
        pytest.param("1 +", 3, id="ends early"),
        pytest.param("min(1, 2", 8, id="open parenthesis"),
        pytest.param("1)", 1, id="closing parenthesis"),
        pytest.param("1 2", 2, id="no operator"),
        pytest.param("1 = 2 = 3", 6, id="chained comparison"),
        pytest.param("order.Total = 'abc", 14, id="open text"),
        pytest.param('order.ID = "abc"', 11, id="double quotes"),
        pytest.param("order.Total == 1", 13, id="two equals signs"),
        pytest.param("order.Total != 1", 12, id="exclamation mark"),
        pytest.param("1; 2", 1, id="semicolon"),
        pytest.param("order.", 6, id="no name after the dot"),
        pytest.param("order.15", 6, id="a number for a name"),
        pytest.param("1 = #13/45/2020#", 4, id="no such day"),
        pytest.param("1 = #2020-01-02#", 4, id="not the American way"),
        pytest.param("1 = #1/2", 4, id="open date"),
        pytest.param("min(1, , 2)", 7, id="no argument"),
        pytest.param("1" * (MAX_LENGTH + 1), MAX_LENGTH, id="too long"),
        pytest.param("-" * MAX_DEPTH + "1", MAX_DEPTH, id="too many signs"),
        pytest.param("not " * MAX_DEPTH + "true", 4 * MAX_DEPTH, id="too much negation"),
    ],
)
def test_what_cannot_be_read(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)

    assert (caught.value.code, caught.value.position) == ("Expression.InvalidSyntax", position)


@pytest.mark.parametrize(
    "text",
    [
        "1" * MAX_LENGTH,
        "(" * 199 + "1" + ")" * 199,
        "-" * (MAX_DEPTH - 1) + "1",
        "1" + "+1" * 199,
        " and ".join(["true"] * 44),
    ],
    ids=["long", "parentheses", "signs", "sum", "conditions"],
)
def test_what_is_long_but_not_deep_can_be_read(text: str) -> None:
    assert isinstance(parse(text), Expression)


def test_a_message_says_what_to_do() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse('order.ID = "abc"')

    assert caught.value.message == "'\"' cannot stand at position 11; write texts in single quotes."


@given(nodes)
def test_an_expression_is_read_as_it_was_written(node: Node) -> None:
    text = str(Expression(node))
    assume(len(text) <= MAX_LENGTH)

    assert parse(text) == Expression(node)


@given(st.text(max_size=60) | st.text("order.Total()-+*/%='#<>, not1", max_size=MAX_LENGTH + 1))
@example("(" * MAX_LENGTH)
@example("min(" * 100)
@example("not(" * 100)
@example("\0")
@example("#" * 3)
@example("5.Total")
def test_any_text_is_an_expression_or_bad_syntax(text: str) -> None:
    refused = None
    try:
        parse(text)
    except ExpressionError as error:
        refused = error

    assert refused is None or refused.code == "Expression.InvalidSyntax"
    assert refused is None or 0 <= refused.position <= len(text)


def test_where_something_stands_makes_no_difference() -> None:
    spaced, tight = parse(" order.Total  >  5 "), parse("order.Total>5")

    assert spaced == tight
    assert hash(spaced) == hash(tight)
    assert isinstance(spaced.root, Comparison)
    assert (spaced.root.position, spaced.root.right.position) == (1, 17)
    assert Decimal(5) == spaced.root.right.value  # type: ignore[union-attr]
