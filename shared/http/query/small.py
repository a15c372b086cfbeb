"""A list's query, run on a few documents that are made for it rather than stored."""

from collections.abc import Sequence
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from shared.http.query.filters import every
from shared.http.query.keys import after, key_after, read_key
from shared.http.query.run import COLLATION, Page
from shared.http.query.shape import ListQuery


async def run_small_list(
    database: AsyncDatabase[dict[str, Any]], states: Sequence[dict[str, Any]], query: ListQuery
) -> Page:
    """The page of ``states`` that ``query`` asks for, as if they were stored. For what belongs to
    one thing, such as its specs: all of them travel to the database, which compares them as it
    does in every list."""
    if not states:
        return Page([], 0, None, query)
    skipped = 0
    wanted = query.filter
    if query.page_key is None:
        skipped = (query.page - 1) * query.page_size
    else:
        wanted = every([wanted, after(read_key(query.page_key, query.sort).values, query.sort)])
    found = await (
        await database.aggregate(
            [
                {"$documents": [{"state": {"$literal": state}} for state in states]},
                {
                    "$facet": {
                        "page": [
                            {"$match": wanted},
                            {"$sort": dict(query.sort)},
                            {"$skip": skipped},
                            {"$limit": query.page_size + 1},
                        ],
                        "total": [{"$match": query.filter}, {"$count": "count"}],
                    }
                },
            ],
            collation=COLLATION,
        )
    ).to_list()
    page = [document["state"] for document in found[0]["page"]]
    total = found[0]["total"][0]["count"] if found[0]["total"] else 0
    states = page[: query.page_size]
    more = len(page) > query.page_size
    next_key = key_after(states[-1], query.sort, query.page + 1) if more else None
    return Page(list(states), total, next_key, query)
