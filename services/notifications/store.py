"""Deliveries in MongoDB: aggregates like all others, and the queries of the dispatcher."""

from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from services.notifications.domain import Delivery, Status
from shared.aggregates import Aggregate
from shared.mongo.aggregates import MongoAggregateStore

_DUE = [
    ("state.Status", ASCENDING),
    ("state.Lane", ASCENDING),
    ("state.NextAttempt", ASCENDING),
]
_PENDING = {"state.Status": Status.PENDING.value}
# An event is told once for as long as its topic keeps it, 30 days, and some more.
_KEEP = timedelta(days=40)


class DeliveryStore(MongoAggregateStore[Delivery]):
    """The deliveries of the service. One that came to its end is kept for 40 days: as long as
    its event may be read again."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        super().__init__(
            database,
            "deliveries",
            Delivery,
            whole=True,
            indexes=[
                # Only what is pending costs an index entry.
                IndexModel(_DUE, name="due", partialFilterExpression=_PENDING),
                IndexModel(
                    [("state.Completed", ASCENDING)],
                    name="completed",
                    expireAfterSeconds=int(_KEEP.total_seconds()),
                    sparse=True,
                ),
            ],
        )

    async def due_lanes(self, now: datetime) -> list[str]:
        """The lanes that have deliveries due at ``now``, the longest waiting first. Costs one
        look into the index for each lane that has anything pending."""
        first = await self.collection.aggregate(
            [
                {"$match": _PENDING},
                {"$sort": dict(_DUE)},
                {"$group": {"_id": "$state.Lane", "at": {"$first": "$state.NextAttempt"}}},
                {"$match": {"at": {"$lte": now}}},
                {"$sort": {"at": ASCENDING}},
            ]
        )
        return [document["_id"] async for document in first]

    async def due(self, lane: str, now: datetime, limit: int) -> list[Aggregate[Delivery]]:
        """The deliveries of ``lane`` that are due at ``now``, the longest waiting first."""
        query = {**_PENDING, "state.Lane": lane, "state.NextAttempt": {"$lte": now}}
        found = self.collection.find(query).sort("state.NextAttempt", ASCENDING).limit(limit)
        return [self._read(document) async for document in found]

    async def pending(self, limit: int) -> dict[str, tuple[int, datetime]]:
        """By channel, how many deliveries are pending and when (UTC) the oldest was made. Looks
        at ``limit`` of them at most."""
        found = await self.collection.aggregate(
            [
                {"$match": _PENDING},
                {"$limit": limit},
                {
                    "$group": {
                        "_id": "$state.Channel",
                        "count": {"$sum": 1},
                        "oldest": {"$min": "$state.Created"},
                    }
                },
            ]
        )
        return {group["_id"]: (group["count"], group["oldest"]) async for group in found}
