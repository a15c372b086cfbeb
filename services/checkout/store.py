"""Checkout's documents: orders and approval rules."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from services.checkout.domain.state import ApprovalTerms, OrderState, Phase
from shared.contracts.catalog import ApprovalRule
from shared.contracts.orders import OrderStatus
from shared.mongo.aggregates import MongoAggregateStore
from shared.tracing.stored import traces_of

_REJECTED = Phase.REJECTED.value
AGES = {
    "1m": timedelta(minutes=1),
    "10m": timedelta(minutes=10),
    "1h": timedelta(hours=1),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
}
"""The ages by which orders that do not move are counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """``count`` orders are in this state, ``older`` of them without a change for so long."""

    status: OrderStatus
    phase: Phase
    count: int
    older: Mapping[str, int]


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
            cache=11_000_000,
            whole=True,
        )

    async def traces(self, ids: Iterable[str]) -> dict[str, str]:
        """The ``traceparent`` of orders, where they have one, by ID."""
        return await traces_of(self.collection, ids)

    async def count_live(self, now: datetime) -> list[Standing]:
        """How many orders are in each state that is not final, and how many of them have not
        changed for how long before ``now``. Refused ones do not count."""
        older = {
            age: {"$sum": {"$cond": [{"$lt": ["$state.Order.LastUpdated", now - least]}, 1, 0]}}
            for age, least in AGES.items()
        }
        standings = []
        for status in _LIVE:
            query = {"state.Order.Status": status.value, "state.Phase": {"$ne": _REJECTED}}
            group = {"_id": "$state.Phase", "count": {"$sum": 1}, **older}
            found = await self.collection.aggregate([{"$match": query}, {"$group": group}])
            by_phase = {document["_id"]: document async for document in found}
            for phase in (Phase.SETTLED, Phase.PRICING, Phase.PROMISING):
                counts = by_phase.get(phase.value, {})
                ages = {age: int(counts.get(age, 0)) for age in AGES}
                standings.append(Standing(status, phase, int(counts.get("count", 0)), ages))
        return standings


class ApprovalRuleStore(MongoAggregateStore[ApprovalRule]):
    """Approval rules by ID."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        super().__init__(
            database,
            "approval_rules",
            ApprovalRule,
            indexes=[IndexModel([("state.BuyerID", ASCENDING)])],
        )

    async def terms(self, buyer_ids: Iterable[str]) -> dict[str, ApprovalTerms]:
        """By buyer, what its active rules ask approval for: of limits the lowest, all
        expressions."""
        limits: dict[str, Decimal] = {}
        expressions: dict[str, set[str]] = defaultdict(set)
        buyers = list(buyer_ids)
        if not buyers:
            return {}
        query = {"state.BuyerID": {"$in": buyers}, "state.Active": True}
        async for document in self.collection.find(query, {"state": 1}):
            rule = ApprovalRule.model_validate(document["state"])
            if rule.rule_expression is not None:
                expressions[rule.buyer_id].add(rule.rule_expression)
            if rule.order_total_above is not None:
                above = limits.get(rule.buyer_id, rule.order_total_above)
                limits[rule.buyer_id] = min(above, rule.order_total_above)
        return {
            buyer: ApprovalTerms(
                total_above=limits.get(buyer), expressions=sorted(expressions.get(buyer, ()))
            )
            for buyer in limits.keys() | expressions.keys()
        }
