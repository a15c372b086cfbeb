"""Checkout's documents: orders and approval rules."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from services.checkout.domain.state import OrderState
from shared.contracts.catalog import ApprovalRule
from shared.contracts.orders import OrderStatus
from shared.mongo.aggregates import MongoAggregateStore

_LIVE = [OrderStatus.UNSUBMITTED, OrderStatus.AWAITING_APPROVAL, OrderStatus.OPEN]


class OrderStore(MongoAggregateStore[OrderState]):
    """Buyer orders by ID."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        super().__init__(
            database,
            "orders",
            OrderState,
            # Only orders that are not final: few, however many are done.
            indexes=[
                IndexModel(
                    [("state.Order.Status", ASCENDING)],
                    name="live_status",
                    partialFilterExpression={
                        "state.Order.Status": {"$in": [s.value for s in _LIVE]},
                    },
                )
            ],
            cache=1_500,
        )

    async def traces(self, ids: Iterable[str]) -> dict[str, str]:
        """The ``traceparent`` of orders, where they have one, by ID."""
        query = {"_id": {"$in": list(ids)}}
        return {
            document["_id"]: document["state"]["Trace"]
            async for document in self.collection.find(query, {"state.Trace": 1})
            if (document.get("state") or {}).get("Trace")
        }

    async def count_live(self) -> dict[str, int]:
        """How many orders are in each state that is not final. Refused ones do not count."""
        counts = {}
        for status in _LIVE:
            query = {"state.Order.Status": status.value, "state.Phase": {"$ne": "Rejected"}}
            counts[status.value] = await self.collection.count_documents(query)
        return counts


class ApprovalRuleStore(MongoAggregateStore[ApprovalRule]):
    """Approval rules by ID."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        super().__init__(
            database,
            "approval_rules",
            ApprovalRule,
            indexes=[IndexModel([("state.BuyerID", ASCENDING)])],
        )

    async def thresholds(self, buyer_ids: Iterable[str]) -> dict[str, Decimal]:
        """By buyer, the lowest total above which an active rule asks for approval."""
        lowest: dict[str, Decimal] = {}
        buyers = list(buyer_ids)
        if not buyers:
            return lowest
        query = {"state.BuyerID": {"$in": buyers}, "state.Active": True}
        async for document in self.collection.find(query, {"state": 1}):
            rule = ApprovalRule.model_validate(document["state"])
            above = lowest.get(rule.buyer_id)
            if above is None or rule.order_total_above < above:
                lowest[rule.buyer_id] = rule.order_total_above
        return lowest
