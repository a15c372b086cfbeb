"""Whatever a client sends is refused in words or compiles to a query that is nothing but one."""

from typing import Any

import bson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.http.errors import ApiError
from shared.http.query import ANY, ListShape, parse_list
from tests.support.listing import SHAPE, Thing

SHAPES = [
    SHAPE,
    ListShape(Thing, ANY, ANY, ("!Price", "ID")),
    ListShape(Thing, (), (), ("ID",), filterable=False),
]
CONNECTING = {"$and", "$or"}
COMPARING = {
    *("$eq", "$ne", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$not"),
    *("$regex", "$options"),
}

pieces = st.sampled_from(
    [
        *("Name", "Quantity", "Price", "Active", "DateCreated", "Status", "Tags", "Size.Width"),
        *("xp", "xp.a", "xp.a.b", "Secret", "page", "pageSize", "pageKey", "search", "searchOn"),
        *("searchType", "sortBy", "ExactPhrase", "true", "2021-02-23", "1/1/2022", "1e5", "-7"),
        *("&", "=", "|", "!", "*", ">", "<", "\\", ".", ",", "$", "$where", "%", "%00", "%7C"),
        *("%ED%A0%80", "+", " ", "\0", "\ud800", "é", "เ", "\uffff", "9" * 30, "Open", "(?i)", "["),
    ]
)
queries = st.one_of(
    st.text(), st.lists(st.one_of(pieces, st.text(max_size=3)), max_size=25).map("".join)
)


def check(query: Any) -> None:
    """``query`` has fields of the state, and on them comparisons with plain values."""
    for key, value in query.items():
        if key in CONNECTING:
            assert value
            for inner in value:
                check(inner)
        else:
            assert key.startswith("state.")
            assert "$" not in key.split(".")[1]
            assert not any(part.startswith("$") or not part for part in key.split("."))
            check_comparison(value)


def check_comparison(comparison: Any) -> None:
    assert comparison.keys() <= COMPARING
    for operator, value in comparison.items():
        if operator == "$not":
            check_comparison(value)
        else:
            values = value if operator in ("$in", "$nin") else [value]
            assert not any(isinstance(one, dict | list) for one in values)


@settings(max_examples=500, deadline=None)
@given(query_string=queries, shape=st.sampled_from(SHAPES))
@example("DateCreated=10000-01-01&Name=%ED%A0%80", SHAPE)
@example("Quantity=٣&page=٣", SHAPE)
@example("xp.a=1e400&xp.a=>1e400", SHAPE)
@example("search=\\&searchType=AnyTerm", SHAPE)
@example("search=*|**", SHAPE)
def test_any_query_string(query_string: str, shape: ListShape) -> None:
    refused: ApiError | None = None
    try:
        query = parse_list(query_string, shape)
    except ApiError as error:
        refused = error
    if refused is not None:
        assert refused.status == 400
        assert all(error.message for error in refused.errors)
        return

    check(query.filter)
    bson.encode({"filter": query.filter, "sort": dict(query.sort)})
    assert len(dict(query.sort)) == len(query.sort)
    assert 1 <= query.page_size <= 100
    assert query.page >= 1
