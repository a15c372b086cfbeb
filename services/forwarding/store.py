"""Forwarding's documents: one for each buyer order, with its supplier orders inside.

Supplier orders' IDs are unique over all of them. Before one is written it is claimed for its buyer
order, in a document of its own, ``{_id: supplier order, OrderID: buyer order}``: an index that is
unique over several shards, which MongoDB has not. A claim whose order was not written after all is
that order's still.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError

from services.forwarding.domain import Forwarding
from shared.aggregates import Aggregate, IdentifierTaken
from shared.mongo.aggregates import DURABLE, MongoAggregateStore
from shared.mongo.writes import DUPLICATE_KEY
from shared.tracing.stored import traces_of


class ForwardingStore(MongoAggregateStore[Forwarding]):
    """Forwardings by the buyer order's ID."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        super().__init__(database, "forwardings", Forwarding, cache=9_000_000, whole=True)
        self._claims = database.get_collection("supplier_orders", write_concern=DURABLE)

    async def save(self, aggregates: Sequence[Aggregate[Forwarding]]) -> set[str]:
        taken = await self._taken(aggregates)
        lost = await super().save([each for each in aggregates if each.id not in taken])
        if taken:
            raise IdentifierTaken(taken, lost)
        return lost

    async def _taken(self, aggregates: Sequence[Aggregate[Forwarding]]) -> set[str]:
        """Claims the IDs of the supplier orders that are new; the buyer orders that have one of
        another's."""
        claims = [
            {"_id": id, "OrderID": aggregate.id}
            for aggregate in aggregates
            for id in sorted(_part_ids(aggregate.state) - _part_ids(aggregate.stored))
        ]
        if not claims:
            return set()
        try:
            await self._claims.insert_many(claims, ordered=False)
        except BulkWriteError as error:
            refusals = error.details["writeErrors"]
            if error.details["writeConcernErrors"] or any(
                refusal["code"] != DUPLICATE_KEY for refusal in refusals
            ):
                raise
            refused = [claims[refusal["index"]] for refusal in refusals]
            found = self._claims.find({"_id": {"$in": [claim["_id"] for claim in refused]}})
            owners = {claim["_id"]: claim["OrderID"] async for claim in found}
            return {each["OrderID"] for each in refused if owners[each["_id"]] != each["OrderID"]}
        return set()

    async def traces(self, ids: Iterable[str]) -> dict[str, str]:
        """The ``traceparent`` of forwardings, where they have one, by ID."""
        return await traces_of(self.collection, ids)


def _part_ids(state: Forwarding | None) -> set[str]:
    return set() if state is None else {part.order.id for part in state.parts}
