"""Kafka in: which messages concern which forwarding."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.forwarding.domain import TYPES, Context, Forwarding, fold
from services.forwarding.store import ForwardingStore
from shared.aggregates import Aggregate
from shared.contracts.fulfillment import AssignSupplier
from shared.contracts.registry import ORDER_SUBMITTED
from shared.messaging.message import Message
from shared.messaging.processor import AggregateProcessor, Decision
from shared.reference import suppliers
from shared.service import Resources
from shared.shipped import concerned
from shared.tracing.port import FindParents


def forwarding_processor(
    service: str, store: ForwardingStore, resources: Resources
) -> AggregateProcessor[Forwarding, Context]:
    """The processor of everything that becomes of forwarded orders."""
    known_suppliers = suppliers(resources)
    ambiguous: set[str] = set()

    async def prepare(
        messages: Sequence[Message[Any]], aggregates: Mapping[str, Aggregate[Forwarding]]
    ) -> Context:
        named = {
            assignment.supplier_id
            for message in messages
            if isinstance(message.body, AssignSupplier)
            for assignment in message.body.assignments
        }
        found = await known_suppliers.get(named)
        return Context(
            now=resources.clock(),
            marketplace_id=resources.settings.marketplace_id,
            suppliers=frozenset(id for id, supplier in found.items() if supplier.active),
            ambiguous=frozenset(ambiguous & aggregates.keys()),
        )

    def observe(
        message: Message[Any], before: Forwarding | None, decision: Decision[Forwarding]
    ) -> None:
        after = decision.state
        if after is None or after.forwarded is None or after.accepted is None:
            return
        if before is None or before.forwarded is None:
            seconds = (resources.clock() - after.accepted).total_seconds()
            resources.metrics.forwarded_seconds.observe(max(0.0, seconds))
            resources.metrics.held_lines.inc(len(after.held))

    return AggregateProcessor(
        service=service,
        types=TYPES,
        store=store,
        fold=fold,
        prepare=prepare,
        publisher=resources.publisher,
        clock=resources.clock,
        metrics=resources.metrics,
        keys=concerned,
        observe=observe,
        on_taken=ambiguous.update,
        creating=[ORDER_SUBMITTED],
    )


def parents_of_commands(store: ForwardingStore) -> FindParents:
    """Finds the trace of the order whose held lines a command assigns."""

    async def find(messages: Sequence[Message[Any]]) -> Mapping[str, str]:
        assigning = [m for m in messages if isinstance(m.body, AssignSupplier)]
        if not assigning:
            return {}
        traces = await store.traces({message.key for message in assigning})
        return {m.identity: traces[m.key] for m in assigning if m.key in traces}

    return find
