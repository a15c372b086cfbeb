"""Looking up by IDs, exactly, while in lists letters of either case are equal."""

import re
from collections.abc import Iterable

from pymongo import ASCENDING, IndexModel

from shared.http.documents import State
from shared.http.door import Door

_UPPER = re.compile("[A-Z]")


def exact(*fields: str) -> IndexModel:
    """An index on fields of the state, by wire names, for finding those with certain IDs."""
    return IndexModel(
        [(f"state.{field}", ASCENDING) for field in fields], name="exact_" + "_".join(fields)
    )


def token(*ids: str) -> str:
    """``ids`` as one text that differs from that of other IDs even where letters of either case
    are equal, as they are in lists."""
    return _UPPER.sub(r".\g<0>", "/".join(ids))


async def states_by_id(door: Door, kind: str, ids: Iterable[str]) -> dict[str, State]:
    """What is stored of those that there are, by ID."""
    found = door.documents[kind].collection.find(
        {"_id": {"$in": list(set(ids))}, "state": {"$ne": None}}, {"state": 1}
    )
    return {document["_id"]: document["state"] async for document in found}
