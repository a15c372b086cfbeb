"""Kafka in: which messages concern which order, and what a decision needs to know."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from services.checkout.domain.fold import DECISIONS, fold
from services.checkout.domain.state import Context, OrderState, Phase
from services.checkout.store import ApprovalRuleStore, OrderStore
from shared.aggregates import Aggregate
from shared.channels import FirstLabels
from shared.contracts.orders import OrderStatus, PlaceOrder
from shared.contracts.registry import (
    APPROVE_ORDER,
    CANCEL_ORDER,
    DECLINE_ORDER,
    PLACE_ORDER,
)
from shared.messaging.message import Message
from shared.messaging.processor import AggregateProcessor, Decision
from shared.reference import buyers
from shared.service import Resources
from shared.shipped import concerned
from shared.tracing.port import FindParents


def orders_processor(
    service: str, orders: OrderStore, rules: ApprovalRuleStore, resources: Resources
) -> AggregateProcessor[OrderState, Context]:
    """The processor of everything that happens to buyer orders."""
    known_buyers = buyers(resources)
    settings = resources.settings
    channels, currencies = FirstLabels(), FirstLabels()
    metrics = resources.metrics

    async def prepare(
        messages: Sequence[Message[Any]], aggregates: Mapping[str, Aggregate[OrderState]]
    ) -> Context:
        placing = {m.body.order.from_company_id for m in messages if isinstance(m.body, PlaceOrder)}
        found, terms = await asyncio.gather(known_buyers.get(placing), rules.terms(placing))
        return Context(
            now=resources.clock(),
            marketplace_id=settings.marketplace_id,
            currency=settings.currency,
            buyers=found,
            approvals=terms,
        )

    def observe(
        message: Message[Any], before: OrderState | None, decision: Decision[OrderState]
    ) -> None:
        after = decision.state
        if after is None:
            return
        if after.phase is Phase.REJECTED:
            metrics.orders.labels("Rejected", channels.of(after.source)).inc()
            return
        accepted = after.order.date_created
        if before is None or before.status is not after.status:
            metrics.orders.labels(after.status, channels.of(after.source)).inc()
            currency = currencies.of(after.order.currency or "")
            value = metrics.order_value.labels(after.status, currency)
            value.inc(float(max(after.order.total, Decimal(0))))
            if after.status is OrderStatus.COMPLETED:
                seconds = (after.order.last_updated - accepted).total_seconds()
                metrics.completed_seconds.observe(seconds)
        if _has_left(after) and (before is None or not _has_left(before)):
            seconds = (after.order.last_updated - accepted).total_seconds()
            metrics.shipped_seconds.observe(seconds)

    return AggregateProcessor(
        service=service,
        types=list(DECISIONS),
        store=orders,
        fold=fold,
        prepare=prepare,
        publisher=resources.publisher,
        clock=resources.clock,
        metrics=metrics,
        keys=concerned,
        observe=observe,
        creating=[PLACE_ORDER],
    )


def parents_of_commands(orders: OrderStore) -> FindParents:
    """Finds the trace of the order that a command changes."""

    async def find(messages: Sequence[Message[Any]]) -> Mapping[str, str]:
        changing = [m for m in messages if m.type in (APPROVE_ORDER, DECLINE_ORDER, CANCEL_ORDER)]
        if not changing:
            return {}
        traces = await orders.traces({message.key for message in changing})
        return {m.identity: traces[m.key] for m in changing if m.key in traces}

    return find


def _has_left(state: OrderState) -> bool:
    return any(share.left for share in state.shares.values())
