"""How many specs and variants each product has, kept beside its state.

To count them whenever products are shown would take MongoDB longer than to find the products, so
every product's document has it::

    counted: {specs: 2, variants: 8}

Nothing is decided by it, and assigning or generating again puts right what an interruption left
out.
"""

from collections.abc import Collection, Mapping
from typing import Any

from pymongo import UpdateOne

from shared.http.documents import State
from shared.http.door import Door
from shared.http.kinds import Change
from shared.http.operations import Call

__all__ = ["COUNTED", "count_anew", "count_assigned", "count_of_gone", "counts_of"]

COUNTED = "counted"
_KINDS = {"specs": "SpecProductAssignment", "variants": "Variant"}
_TRIES = 20


async def count_anew(door: Door, product_ids: Collection[str]) -> None:
    """Counts what these products have."""
    ids = sorted(set(product_ids))
    counts = await _counts(door, ids)
    for _ in range(_TRIES):
        await door.documents["Product"].collection.bulk_write(
            [UpdateOne({"_id": id}, {"$set": {COUNTED: counts[id]}}) for id in ids], ordered=False
        )
        # Another may have counted before this change and written after it. Whoever writes last
        # sees here what is there.
        before, counts = counts, await _counts(door, ids)
        if counts == before:
            return
    raise TimeoutError(f"what {', '.join(ids[:3])} have was changed {_TRIES} times by others")


async def _counts(door: Door, ids: list[str]) -> Mapping[str, Mapping[str, int]]:
    counts = {id: dict.fromkeys(_KINDS, 0) for id in ids}
    for name, kind in _KINDS.items():
        found = await door.documents[kind].collection.aggregate(
            [
                {"$match": {"state.ProductID": {"$in": ids}}},
                {"$group": {"_id": "$state.ProductID", "count": {"$sum": 1}}},
            ]
        )
        for each in await found.to_list():
            counts[each["_id"]][name] = each["count"]
    return counts


async def count_assigned(door: Door, change: Change) -> None:
    """What follows from saving an assignment to a product."""
    await count_anew(door, [change.after.product_id])


async def count_of_gone(door: Door, states: list[State], call: Call) -> None:
    """What follows from deleting what belonged to products."""
    await count_anew(door, [state["ProductID"] for state in states])


def counts_of(beside: Mapping[str, Any]) -> Mapping[str, int]:
    """What is counted of a product, by the names of its answer."""
    counted = beside.get(COUNTED, {})
    return {"SpecCount": counted.get("specs", 0), "VariantCount": counted.get("variants", 0)}
