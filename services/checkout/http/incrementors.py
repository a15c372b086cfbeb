"""Incrementors: numbers in a row for IDs, shared by all kinds of resources."""

from typing import Any

from pymongo import ReturnDocument
from pymongo.write_concern import WriteConcern

from shared.contracts.resources import INCREMENTOR
from shared.http.errors import not_found
from shared.http.ids import Increment
from shared.http.kinds import Kind, admin_reader
from shared.service import Resources

_COLLECTION = "incrementors"

INCREMENTORS = Kind(
    events=INCREMENTOR,
    sdk="Incrementors",
    path="/incrementors",
    id="incrementorID",
    collection=_COLLECTION,
    roles=admin_reader("Incrementor"),
    searchable=("ID", "Name"),
    sortable=("ID", "Name"),
    default_sort=("ID",),
)


def incrementing(resources: Resources) -> Increment:
    """Counts an incrementor up by one and gives its number, padded with zeros on the left. No two
    callers get the same number; one whose request then fails leaves a gap."""
    collection = resources.database("checkout").get_collection(
        _COLLECTION, write_concern=WriteConcern(w="majority", j=True)
    )

    async def increment(id: str) -> str:
        counted: dict[str, Any] | None = await collection.find_one_and_update(
            {"_id": id, "state": {"$ne": None}},
            {"$inc": {"state.LastNumber": 1, "version": 1}},
            projection={"state": 1},
            return_document=ReturnDocument.AFTER,
        )
        if counted is None:
            raise not_found("Incrementor", id)
        state = counted["state"]
        return str(state["LastNumber"]).zfill(state.get("LeftPaddingCount") or 0)

    return increment
