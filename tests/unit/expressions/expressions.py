"""Expressions and values made up by hypothesis."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from shared.expressions.fields import LINE_ITEM, ORDER, ORDER_RETURN, canonical
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
)

days = st.dates().map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))
literals = st.one_of(
    st.booleans(),
    st.decimals(0, 10**9, places=2, allow_nan=False, allow_infinity=False),
    st.text("aB*' x", max_size=6),
    days,
).map(Literal)

names = st.sampled_from(["Total", "Level", "xp", "Tags", "Product", "and", "not", "item", "ä1"])
paths = (
    st.lists(names, max_size=3)
    .flatmap(
        lambda rest: st.sampled_from(["order", "item", "Product", "orderreturn"]).map(
            lambda root: (root, *rest)
        )
    )
    .map(canonical)
)
functions = st.sampled_from(
    ["any", "all", "count", "quantity", "total", "contains", "in", "min", "max", "now", "ifs",
     "incategory", "inparentcategory", "approved", "nothing"]
)  # fmt: skip
relations = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def _grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def chains(operators: str) -> st.SearchStrategy[Node]:
        rest = st.lists(st.tuples(st.sampled_from(operators), inner), min_size=1, max_size=3)
        return st.builds(lambda first, more: Chain(first, tuple(more)), inner, rest)

    joined = st.lists(inner, min_size=2, max_size=3).map(tuple)
    calls = st.builds(
        Call,
        st.one_of(st.just(()), st.just(("items",)), paths),
        functions,
        st.lists(inner, max_size=3).map(tuple),
    )
    return st.one_of(
        inner.map(Minus),
        inner.map(Not),
        chains("+-"),
        chains("*/%"),
        st.builds(Comparison, relations, inner, inner),
        st.builds(Logic, st.sampled_from(["and", "or"]), joined),
        calls,
    )


nodes: st.SearchStrategy[Node] = st.recursive(
    st.one_of(literals, paths.map(Name)), _grown, max_leaves=12
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=5),
    st.datetimes(timezones=st.sampled_from([None, UTC])),
    st.just("2031-05-02T09:30:00Z"),
    st.just(object()),
)
things: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["Total", "level", "Tags", "LEVEL"]), inner, max_size=3),
    ),
    max_leaves=6,
)


def filled(fields: Any, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of ``fields``."""
    return st.dictionaries(st.sampled_from(sorted(fields)), values, max_size=4)


orders = filled(ORDER, things)
lines = filled(LINE_ITEM, things)
returns = filled(ORDER_RETURN, things)


def number(text: str) -> Literal:
    return Literal(Decimal(text))
