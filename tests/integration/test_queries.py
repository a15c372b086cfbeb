"""Lists on a real MongoDB: what filters find, which indexes they use, how pages follow."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from shared.http.errors import ApiError
from shared.http.query import Totals, index, parse_list, run_list
from shared.mongo.codec import CODEC
from shared.mongo.dumping import bson_of
from tests.support.listing import (
    NUMBERS,
    SHAPE,
    TIMES,
    WORDS,
    Alternative,
    Filter,
    Status,
    things,
)

Collection = AsyncCollection[dict[str, Any]]

MANY = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

THINGS = things(300)
STATES = [thing.model_dump(exclude_none=True) for thing in THINGS]


def aggregate(state: dict[str, Any] | None, id: str) -> dict[str, Any]:
    return {"_id": id, "version": 1, "writer": "w", "state": state, "outbox": []}


@pytest.fixture(scope="module")
async def collection(mongo: AsyncMongoClient[dict[str, Any]]) -> AsyncIterator[Collection]:
    """Things, three that are gone among them, and some indexes."""
    name = f"test_{uuid4().hex[:12]}"
    made = mongo[name].get_collection("things", codec_options=CODEC)
    await made.insert_many(
        [aggregate(bson_of(thing), thing.id) for thing in THINGS]
        + [aggregate(None, f"gone{number}") for number in range(3)]
    )
    await made.create_indexes(
        [
            index("ID"),
            index("Name", "ID"),
            index("xp.a", "ID"),
            index("Quantity", "Name", "ID"),
            index("DateCreated", "ID"),
        ]
    )
    yield made
    await mongo.drop_database(name)


async def ids(collection: Collection, query: str, **scope: Any) -> list[str]:
    page = await run_list(collection, scope, parse_list(f"{query}&pageSize=100", SHAPE))
    return [document["ID"] for document in page.documents]


# What the reference and MongoDB are asked alike.

words = st.sampled_from(WORDS)
numbers = st.sampled_from([str(number) for number in NUMBERS])
whole_numbers = st.sampled_from(["0", "1", "2", "-1"])
ordered = st.sampled_from(["=", "<", "<=", ">", ">="])
negative = st.booleans()
present = st.builds(Alternative, negative, st.just("="), st.just(("", "")))
wild = st.builds(
    Alternative,
    negative,
    st.just("="),
    # Wildcards side by side are one, so only the outermost parts may be empty.
    st.builds(
        lambda first, middle, last: (first, *filter(None, middle), last),
        words,
        st.lists(words, max_size=2),
        words,
    ).filter(any),
)


def values(texts: st.SearchStrategy[str], operators: st.SearchStrategy[str] = ordered) -> Any:
    return st.builds(Alternative, negative, operators, texts.map(lambda text: (text,)))


equal = st.just("=")
text = st.one_of(values(words), present, wild)
by_field = {
    ("ID", "Name"): text,
    ("Name",): text,
    ("Tags",): text,
    ("Size.Label",): text,
    ("Sizes.Label", "Name"): st.one_of(values(words), wild),
    ("Quantity",): st.one_of(values(whole_numbers), present),
    ("Size.Width", "Quantity"): st.one_of(values(whole_numbers), present),
    ("Price",): st.one_of(values(numbers), present),
    ("Weight", "Price"): st.one_of(values(numbers), present),
    ("Active",): st.one_of(values(st.sampled_from(["true", "False"]), equal), present),
    ("Status",): st.one_of(values(st.sampled_from([*Status, "open", "2"]), equal), present, wild),
    ("DateCreated",): st.one_of(values(st.sampled_from(TIMES)), present),
    ("xp.a",): st.one_of(text, values(numbers), values(st.sampled_from(["true", "FALSE"]))),
    ("xp.n.m", "xp.s"): st.one_of(values(words), wild, values(numbers)),
}
filters = (
    st.sampled_from(list(by_field))
    .flatmap(
        lambda names: st.builds(
            Filter, st.just(names), st.lists(by_field[names], min_size=1, max_size=3).map(tuple)
        )
    )
    .filter(lambda one: not one.written().endswith("="))
)  # without a value it asks nothing


@MANY
@given(asked=st.lists(filters, min_size=1, max_size=3))
async def test_a_filter_finds_what_it_means(collection: Collection, asked: list[Filter]) -> None:
    expected = [state["ID"] for state in STATES if all(one.matches(state) for one in asked)]

    query = parse_list("&".join(one.written() for one in asked) + "&sortBy=ID", SHAPE)

    page = await run_list(collection, {}, replace(query, page_size=1_000))

    found = [document["ID"] for document in page.documents]
    assert sorted(found) == sorted(expected)
    assert page.total == len(expected)


sorts = st.lists(
    st.tuples(
        st.sampled_from(["", "!"]),
        st.sampled_from(["Name", "Price", "DateCreated", "Quantity", "Size.Width", "xp.s", "ID"]),
    ).map("".join),
    max_size=3,
    unique_by=lambda name: name.removeprefix("!"),
)


@settings(MANY, max_examples=40)
@given(sort=sorts, size=st.integers(7, 60))
async def test_page_keys_give_the_pages_that_numbers_give(
    collection: Collection, sort: list[str], size: int
) -> None:
    asked = f"sortBy={','.join(sort)}&pageSize={size}"
    whole = await run_list(collection, {}, replace(parse_list(asked, SHAPE), page_size=1_000))

    found, key, number = [], None, 0
    while key is not None or not number:
        number += 1
        query = parse_list(asked + (f"&pageKey={key}" if key else ""), SHAPE)
        page = await run_list(collection, {}, query)
        found += page.documents
        key = page.next_page_key
        assert page.meta()["Page"] == number
        assert page.meta()["ItemRange"] == [len(found) - len(page.documents) + 1, len(found)]
        by_number = await run_list(collection, {}, parse_list(f"{asked}&page={number}", SHAPE))
        assert by_number.documents == page.documents

    assert found == whole.documents
    assert page.meta()["TotalCount"] == len(THINGS)


async def test_pages_by_the_last_id(collection: Collection) -> None:
    everything = (await ids(collection, "sortBy=ID"))[:30]

    found: list[str] = []
    while len(found) < 30:
        after = f"&ID=%3E{found[-1]}" if found else ""
        query = parse_list(f"sortBy=ID{after}&pageSize=10", SHAPE)
        found += [one["ID"] for one in (await run_list(collection, {}, query)).documents]

    assert found == everything


async def test_what_is_gone_is_in_no_list(collection: Collection) -> None:
    for asked in ("", "Name=!a", "Name=!*", "xp.none=!true", "sortBy=!Price"):
        query = replace(parse_list(asked, SHAPE), page_size=1_000)

        page = await run_list(collection, {}, query)

        assert None not in page.documents
        assert page.total == len(page.documents) > 0


async def test_the_scope_holds_whatever_is_asked(collection: Collection) -> None:
    asked = "Status=Open|Completed|!Foo*&search=t&sortBy=Name"

    page = await run_list(collection, {"state.Status": "Canceled"}, parse_list(asked, SHAPE))

    assert page.documents == []
    assert page.meta() == {
        "Page": 1,
        "PageSize": 20,
        "TotalCount": 0,
        "TotalPages": 0,
        "ItemRange": [1, 0],
        "NextPageKey": None,
    }


async def test_a_page_behind_the_last(collection: Collection) -> None:
    page = await run_list(collection, {}, parse_list("page=9&pageSize=100", SHAPE))

    assert page.documents == []
    assert (page.total, page.meta()["TotalPages"]) == (300, 3)


async def test_two_lists_to_sort_by_are_refused(collection: Collection) -> None:
    await collection.insert_one(aggregate({"ID": "z", "xp": {"l": [1, 2], "k": [3, 4]}}, "z"))

    with pytest.raises(ApiError) as refused:
        await run_list(collection, {}, parse_list("sortBy=xp.l,xp.k", SHAPE))

    await collection.delete_one({"_id": "z"})
    assert refused.value.status == 400
    assert refused.value.errors[0].error_code == "List.InvalidSortProperty"


async def test_a_large_total_is_remembered_for_a_moment(collection: Collection) -> None:
    now = [0.0]
    totals = Totals(least=100, seconds=2.0, clock=lambda: now[0])
    everything = parse_list("", SHAPE)

    async def count() -> int:
        return (await run_list(collection, {}, everything, totals)).total

    assert await count() == 300
    await collection.insert_one(aggregate({"ID": "new"}, "new"))
    remembered = await count()
    now[0] = 2.0
    counted = await count()
    await collection.delete_one({"_id": "new"})

    assert (remembered, counted) == (300, 301)


SEARCHED = {
    "ember": "Ember glow Lamp",
    "lamp": "lamp, glow-in-the-dark",
    "glow": "aglow: lamplight",
    "chair": "Chair (red) 100% *new*",
    "accents": "Crème brûlée",
}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("search=LAMP", {"ember", "lamp", "glow"}),
        ("search=lamp%20glow", {"ember", "lamp", "glow"}),
        ("search=ember%20lamp", {"ember", "lamp"}),
        ("search=ember%20lamp&searchType=AllTermsSameField", {"ember"}),
        ("search=ember%20lamp&searchOn=Name", {"ember"}),
        ("search=chair%20ember&searchType=AnyTerm", {"ember", "lamp", "chair"}),
        ("search=glow%20lamp&searchType=ExactPhrase", {"ember"}),
        ("search=low%20lamp&searchType=ExactPhrase", set()),
        ("search=glow%20la&searchType=ExactPhrase", set()),
        ("search=glow%20la&searchType=ExactPhrasePrefix", {"ember"}),
        ("search=g*w", {"ember", "lamp", "glow"}),
        ("search=(red)%20100%25", {"chair"}),
        ("search=.*", set()),
        ("search=CR%C3%88ME", {"accents"}),
        ("search=creme", set()),
        ("search=ember&searchOn=xp.friend", {"lamp"}),
        ("search=7", {"chair"}),
        ("search=*", set(SEARCHED)),
        ("Name=cr%C3%88me*", {"accents"}),
        ("Name=creme*", set()),
        ("Name=*%5C**", {"chair"}),
        ("Name=*lamp*", {"ember", "lamp", "glow"}),
        ("Name=*glow*lamp", {"ember"}),
    ],
)
async def test_searches(database: Any, asked: str, found: set[str]) -> None:
    things = database["things"]
    states = [{"ID": id, "Name": name} for id, name in SEARCHED.items()]
    states[1] |= {"xp": {"friend": "Ember"}}
    states[3] |= {"Quantity": 7}
    await things.insert_many([aggregate(state, state["ID"]) for state in states])
    shape = replace(SHAPE, searchable=("Name", "ID", "Quantity", "xp.friend"))

    page = await run_list(things, {}, parse_list(asked, shape))

    assert {document["ID"] for document in page.documents} == found
