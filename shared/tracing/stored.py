"""The traces that documents keep, for commands that come without one of their own."""

from collections.abc import Iterable
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection


async def traces_of(
    collection: AsyncCollection[dict[str, Any]], ids: Iterable[str]
) -> dict[str, str]:
    """The ``traceparent`` of aggregates whose state has one, by ID. Raises the driver's errors."""
    found = collection.find({"_id": {"$in": list(ids)}}, {"state.Trace": 1})
    return {
        document["_id"]: document["state"]["Trace"]
        async for document in found
        if (document.get("state") or {}).get("Trace")
    }
