"""Indexes on properties in ``xp``, as the accounts service keeps the list of them.

Documents of its ``xp_indices`` have ``ThingType`` and ``Key`` in their state. Who owns the
collections of a thing makes the indexes: accounts for its own as soon as they are asked for,
every service for all of its things when the API starts.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from shared.http.query import COLLATION
from shared.service import Resources

log = structlog.get_logger()

SERVICE = "accounts"
COLLECTION = "xp_indices"

_PREFIX = "xp_"


async def ensure_xp_indexes(
    database: AsyncDatabase[dict[str, Any]],
    things: Mapping[str, Sequence[str]],
    resources: Resources,
) -> None:
    """Makes the indexes that are asked for and drops those that no longer are.

    ``things``: which collections of ``database`` have the resources of a ``ThingType``, such as
    ``{"Company": ("buyers", "suppliers")}``. An index that MongoDB does not make is logged; lists
    are right without it, and slower.
    """
    found = resources.database(SERVICE)[COLLECTION].find(
        {"state.ThingType": {"$in": list(things)}}, {"state": 1}
    )
    wanted: dict[str, set[str]] = {
        name: set() for collections in things.values() for name in collections
    }
    async for each in found:
        for name in things[each["state"]["ThingType"]]:
            wanted[name].add(each["state"]["Key"])
    for name, keys in wanted.items():
        await _ensure(database[name], keys)


async def _ensure(collection: AsyncCollection[dict[str, Any]], keys: set[str]) -> None:
    there = {name for name in await collection.index_information() if name.startswith(_PREFIX)}
    needed = {_PREFIX + key: key for key in keys}
    for name in there - needed.keys():
        # Another process may have been faster.
        with suppress(OperationFailure):
            await collection.drop_index(name)
    for name in needed.keys() - there:
        try:
            await collection.create_indexes(
                [
                    IndexModel(
                        [(f"state.xp.{needed[name]}", ASCENDING)],
                        name=name,
                        collation=COLLATION,
                        sparse=True,
                    )
                ]
            )
        except OperationFailure as error:
            log.error(
                "xp_index_not_made", collection=collection.name, key=needed[name], code=error.code
            )
