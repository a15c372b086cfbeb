"""A list's query, run on a collection of aggregates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collation import Collation
from pymongo.errors import OperationFailure

from shared.http.errors import bad_request
from shared.http.query.filters import every
from shared.http.query.keys import after, key_after, read_key
from shared.http.query.shape import ListQuery
from shared.http.query.totals import Totals, total_key

COLLATION = Collation(locale="en", strength=2)
"""Letters of either case are equal, accents are not."""

_STATE = {"_id": 0, "state": 1}
_BAD_VALUE = 2


@dataclass
class Page:
    """One page of a list. ``documents`` are states as they are stored; ``total`` counts what the
    filter matches, on all pages."""

    documents: list[dict[str, Any]]
    total: int
    next_page_key: str | None
    query: ListQuery

    def meta(self) -> dict[str, Any]:
        return meta_of(self.total, self.query, len(self.documents), self.next_page_key)


async def run_list(
    collection: AsyncCollection[dict[str, Any]],
    scope: dict[str, Any],
    query: ListQuery,
    totals: Totals | None = None,
    always: str | None = None,
) -> Page:
    """The page of ``collection`` that ``query`` asks for, of what is in ``scope``.

    ``scope`` is a filter on ``state.`` paths that the server made, such as the caller's company.
    Aggregates that are gone (without state) are in no list; ``always`` is the path of a text that
    all others have, if that in which the order ends may be absent. With ``totals`` a large total
    may be as old as they remember it; without, it is counted each time. Raises ``ApiError`` (400)
    for a sort that the stored values do not have.
    """
    matching = every([scope, query.filter])
    if not _needs_state(matching):
        # Of what is gone nothing is left that could have a value.
        matching = every([{always or query.sort[-1][0]: {"$gte": ""}}, matching])
    skipped = 0
    wanted = matching
    if query.page_key is None:
        skipped = (query.page - 1) * query.page_size
    else:
        wanted = every([matching, after(read_key(query.page_key, query.sort).values, query.sort)])
    key = total_key(collection.full_name, matching)
    total = None if totals is None else totals.known(key)
    states, counted = await _find(
        collection, wanted, query, skipped, matching if total is None else None
    )
    if total is None:
        total = counted
        if totals is not None:
            totals.note(key, total)
    more = len(states) > query.page_size
    states = states[: query.page_size]
    next_key = key_after(states[-1], query.sort, query.page + 1) if more else None
    return Page(states, total, next_key, query)


async def _find(
    collection: AsyncCollection[dict[str, Any]],
    wanted: dict[str, Any],
    query: ListQuery,
    skipped: int,
    counted: dict[str, Any] | None,
) -> tuple[list[dict[str, Any]], int]:
    """The states of the page, and one more where there is one, and how many documents match
    ``counted`` (None: not asked), all in one query: each costs the caller more than MongoDB."""
    limit = query.page_size + 1
    stages: list[Mapping[str, Any]] = [
        {"$match": wanted},
        {"$sort": dict(query.sort)},
        *([{"$skip": skipped}] if skipped else []),
        {"$limit": limit},
        {"$project": _STATE},
    ]
    if counted is not None:
        counting = [{"$match": counted}, {"$count": "total"}]
        stages.append({"$unionWith": {"coll": collection.name, "pipeline": counting}})
    try:
        cursor = await collection.aggregate(
            stages, collation=COLLATION, allowDiskUse=True, batchSize=limit + 2
        )
        found = await cursor.to_list()
    except OperationFailure as failure:
        if failure.code == _BAD_VALUE and "parallel arrays" in str(failure):
            raise bad_request(
                "List.InvalidSortProperty",
                "Two of the fields in sortBy are lists; sort by at most one list.",
                Parameter="sortBy",
            ) from failure
        raise
    total = found.pop()["total"] if found and "total" in found[-1] else 0
    return [document["state"] for document in found], total


async def run_combined(
    collection: AsyncCollection[dict[str, Any]],
    stages: Sequence[Mapping[str, Any]],
    query: ListQuery,
) -> Page:
    """The page that ``query`` asks for of the documents that the pipeline ``stages`` makes, such
    as those of two collections. All of them are read and sorted: they should be few."""
    matching = [*stages, {"$match": query.filter}]
    skipped = 0
    wanted = matching
    if query.page_key is None:
        skipped = (query.page - 1) * query.page_size
    else:
        key = read_key(query.page_key, query.sort)
        wanted = [*matching, {"$match": after(key.values, query.sort)}]
    cursor = await collection.aggregate(
        [
            *wanted,
            {"$sort": dict(query.sort)},
            {"$skip": skipped},
            {"$limit": query.page_size + 1},
            {"$project": _STATE},
        ],
        collation=COLLATION,
        allowDiskUse=True,
    )
    states = [document["state"] for document in await cursor.to_list()]
    more = len(states) > query.page_size
    states = states[: query.page_size]
    cursor = await collection.aggregate([*matching, {"$count": "all"}], collation=COLLATION)
    counted = await cursor.to_list()
    total = counted[0]["all"] if counted else 0
    next_key = key_after(states[-1], query.sort, query.page + 1) if more else None
    return Page(states, total, next_key, query)


def index(*fields: str, unique: bool = False) -> IndexModel:
    """An index for lists: ``index("BuyerID", "Name", "ID")``, on fields of the state, in the order
    that lists compare in; ``!`` before a field for descending. A ``unique`` one is about documents
    that have its first field."""
    first = f"state.{fields[0].removeprefix('!')}"
    return IndexModel(
        [
            (f"state.{field.removeprefix('!')}", DESCENDING if field.startswith("!") else ASCENDING)
            for field in fields
        ],
        collation=COLLATION,
        unique=unique,
        **({"partialFilterExpression": {first: {"$exists": True}}} if unique else {}),
    )


def meta_of(
    total: int, query: ListQuery, count_on_page: int, next_key: str | None = None
) -> dict[str, Any]:
    """The ``Meta`` of a list. ``ItemRange`` counts from one, both ends included; that of an empty
    page ends before it begins."""
    before = (query.page - 1) * query.page_size
    return {
        "Page": query.page,
        "PageSize": query.page_size,
        "TotalCount": total,
        "TotalPages": -(-total // query.page_size),
        "ItemRange": [before + 1, before + count_on_page],
        "NextPageKey": next_key,
    }


def _needs_state(matching: dict[str, Any]) -> bool:
    """Whether only a document with a state can match: a field has to have some value."""
    return any(
        path.startswith("state.") and _needs_value(wanted) for path, wanted in matching.items()
    )


def _needs_value(wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return wanted is not None
    if wanted.get("$eq") is not None or None not in wanted.get("$in", (None,)):
        return True
    return not wanted.keys().isdisjoint(("$lt", "$lte", "$gt", "$gte", "$regex"))
