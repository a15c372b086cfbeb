"""Order, pages and their keys."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import orjson
import pytest

from shared.contracts.base import Resource
from shared.http.errors import ApiError
from shared.http.query import ListQuery, ListShape, index, meta_of, parse_list
from tests.support.listing import SHAPE


class Key(Resource):
    thing_type: str
    key: str


@pytest.mark.parametrize(
    ("asked", "default", "sort"),
    [
        ("", ("Name", "ID"), [("Name", 1), ("ID", 1)]),
        ("", ("!DateCreated", "ID"), [("DateCreated", -1), ("ID", 1)]),
        ("", ("Name",), [("Name", 1), ("ID", 1)]),
        ("Price", ("Name", "ID"), [("Price", 1), ("ID", 1)]),
        # What makes the order total goes the way of the last field: one index serves both ways.
        ("!Price", ("Name", "ID"), [("Price", -1), ("ID", -1)]),
        ("name,!PRICE", ("ID",), [("Name", 1), ("Price", -1), ("ID", -1)]),
        ("!!Name", ("ID",), [("Name", 1), ("ID", 1)]),
        (" Name , Name,,!Name", ("ID",), [("Name", 1), ("ID", 1)]),
        ("!ID", ("Name", "ID"), [("ID", -1)]),
        ("ID,Name", ("Name", "ID"), [("ID", 1)]),
        ("xp.Color,Size.width", ("ID",), [("xp.Color", 1), ("Size.Width", 1), ("ID", 1)]),
        # Where IDs repeat the default tells documents apart.
        ("ID", ("Name", "ID", "BuyerID"), [("ID", 1), ("BuyerID", 1)]),
        ("!Name", ("Name", "ID", "BuyerID"), [("Name", -1), ("ID", -1), ("BuyerID", -1)]),
    ],
)
def test_the_order_is_total(
    asked: str, default: tuple[str, ...], sort: list[tuple[str, int]]
) -> None:
    query = parse_list(f"sortBy={asked}", replace(SHAPE, default_sort=default))

    assert query.sort == [(f"state.{name}", direction) for name, direction in sort]


def test_without_an_id_the_default_order_is_what_tells_apart() -> None:
    shape = ListShape(Key, ("ThingType", "Key"), ("ThingType", "Key"), ("ThingType", "Key"))

    assert parse_list("sortBy=!Key", shape).sort == [("state.Key", -1), ("state.ThingType", -1)]


def test_pages_are_taken_in_any_case() -> None:
    query = parse_list("PAGE=3&pagesize=7", SHAPE)

    assert (query.page, query.page_size, query.page_key) == (3, 7, None)
    assert parse_list("", SHAPE).page_size == 20


@pytest.mark.parametrize(
    ("page", "total", "shown", "item_range", "pages"),
    [(1, 0, 0, [1, 0], 0), (1, 20, 20, [1, 20], 1), (2, 21, 1, [21, 21], 2), (9, 21, 0, None, 2)],
)
def test_meta(page: int, total: int, shown: int, item_range: list[int] | None, pages: int) -> None:
    query = ListQuery({}, [("state.ID", 1)], page, 20)

    meta = meta_of(total, query, shown, "key")

    assert meta == {
        "Page": page,
        "PageSize": 20,
        "TotalCount": total,
        "TotalPages": pages,
        "ItemRange": item_range or [161, 160],
        "NextPageKey": "key",
    }


def key(**content: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")


GOOD = {"s": "state.Name,state.ID", "v": ["a", "t1"], "p": 2}


def test_a_key_says_which_page_it_is() -> None:
    query = parse_list(f"pageKey={key(**GOOD)}&page=7", SHAPE)

    assert (query.page, query.page_key) == (2, key(**GOOD))


@pytest.mark.parametrize(
    "bad",
    [
        "x",
        "é",
        "%00",
        "=" * 10,
        "a" * 9_000,
        urlsafe_b64encode(b"[" * 3_000).decode(),
        urlsafe_b64encode(b'{"s":"state.Name,state.ID","v":[NaN,"t1"],"p":2}').decode(),
        key(),
        key(**GOOD | {"s": "state.ID"}),
        key(**GOOD | {"s": None}),
        key(**GOOD | {"v": None}),
        key(**GOOD | {"v": ["a"]}),
        key(**GOOD | {"v": ["a", {"$gt": ""}]}),
        key(**GOOD | {"v": ["a", ["t1"]]}),
        key(**GOOD | {"v": [{"t": "never"}, "t1"]}),
        key(**GOOD | {"v": [{"d": "much"}, "t1"]}),
        key(**GOOD | {"v": [{"d": 1}, "t1"]}),
        key(**GOOD | {"v": [2**63, "t1"]}),
        key(**GOOD | {"p": 0}),
        key(**GOOD | {"p": True}),
        key(**GOOD | {"p": 10**9}),
    ],
)
def test_another_key_is_refused(bad: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_list(f"pageKey={bad}", SHAPE)

    (error,) = refused.value.errors
    assert refused.value.status == 400
    assert error.error_code == "List.InvalidType"
    assert error.message == (
        "pageKey is not one that this list gave for this sortBy; take NextPageKey from the Meta of"
        " the page before, or leave pageKey out."
    )


def test_an_index_compares_as_lists_do() -> None:
    document = index("BuyerID", "!DateCreated", "ID").document

    assert list(document["key"].items()) == [
        ("state.BuyerID", 1),
        ("state.DateCreated", -1),
        ("state.ID", 1),
    ]
    assert (document["collation"]["locale"], document["collation"]["strength"]) == ("en", 2)
