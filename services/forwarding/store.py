"""Forwarding's documents: one for each buyer order, with its supplier orders inside."""

from collections.abc import Iterable
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from services.forwarding.domain import Forwarding
from shared.mongo.aggregates import MongoAggregateStore
from shared.tracing.stored import traces_of


class ForwardingStore(MongoAggregateStore[Forwarding]):
    """Forwardings by the buyer order's ID. Supplier order IDs are unique over all of them."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        super().__init__(
            database,
            "forwardings",
            Forwarding,
            indexes=[
                IndexModel(
                    [("state.Parts.Order.ID", ASCENDING)],
                    name="supplier_order_id",
                    unique=True,
                    partialFilterExpression={"state.Parts.Order.ID": {"$exists": True}},
                )
            ],
            cache=1_500,
        )

    async def traces(self, ids: Iterable[str]) -> dict[str, str]:
        """The ``traceparent`` of forwardings, where they have one, by ID."""
        return await traces_of(self.collection, ids)
