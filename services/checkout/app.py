"""Wiring of the checkout service."""

from collections import Counter
from functools import partial

from services.checkout.consumers import orders_processor, parents_of_commands
from services.checkout.domain.state import Phase
from services.checkout.rules import fold_rule
from services.checkout.store import ApprovalRuleStore, OrderStore
from shared.contracts import resources as kept
from shared.contracts.registry import APPROVAL_RULE, BUYER
from shared.http.orphans import Gone, Naming, OrphanProcessor
from shared.http.places import BUYERS
from shared.messaging.processor import AggregateProcessor, no_context
from shared.periodic import periodically
from shared.service import Resources, Service, Task, indexes_of

NAME = "checkout"

_COUNT_PAUSE = 10.0

_GONE = (
    Gone(
        BUYER.deleted,
        BUYERS,
        ("id",),
        (Naming(kept.APPROVAL_RULE, "approval_rules", {"BuyerID": "id"}),),
    ),
)
"""Rules of buyers that are gone would come back with another buyer of the same ID."""


def build(resources: Resources) -> Service:
    database = resources.database(NAME)
    orders = OrderStore(database)
    rules = ApprovalRuleStore(database)
    return Service(
        NAME,
        processors=[
            AggregateProcessor(
                service=NAME,
                types=(APPROVAL_RULE.save, APPROVAL_RULE.delete),
                store=rules,
                fold=fold_rule,
                prepare=no_context,
                publisher=resources.publisher,
                clock=resources.clock,
                metrics=resources.metrics,
            ),
            orders_processor(NAME, orders, rules, resources),
            OrphanProcessor(NAME, resources, _GONE),
        ],
        stores={"orders": orders, "approval_rules": rules},
        prepare=indexes_of(orders, rules),
        tasks=[_count_live(orders, resources)],
        parents=parents_of_commands(orders),
    )


def _count_live(orders: OrderStore, resources: Resources) -> Task:
    metrics = resources.metrics

    async def count() -> None:
        now: Counter[str] = Counter()
        aged: Counter[tuple[str, str]] = Counter()
        for standing in await orders.count_live(resources.clock()):
            now[standing.status.value] += standing.count
            state = standing.status.value
            if standing.phase is not Phase.SETTLED:
                state = standing.phase.value
            for age, count in standing.older.items():
                aged[state, age] += count
        for state, count in now.items():
            metrics.orders_now.labels(state).set(count)
        for (state, age), count in aged.items():
            metrics.orders_aged.labels(state, age).set(count)

    return partial(periodically, count, _COUNT_PAUSE, service=NAME, metrics=metrics)
