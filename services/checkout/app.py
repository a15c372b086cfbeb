"""Wiring of the checkout service."""

import asyncio

import structlog

from services.checkout.consumers import orders_processor, parents_of_commands
from services.checkout.store import ApprovalRuleStore, OrderStore
from shared.catalog import catalog_processor
from shared.contracts.registry import APPROVAL_RULE
from shared.logs import told
from shared.messaging.faults import INFRASTRUCTURE_FAULTS
from shared.service import Resources, Service, Task, indexes_of

NAME = "checkout"

_COUNT_PAUSE = 10.0

log = structlog.get_logger()


def build(resources: Resources) -> Service:
    database = resources.database(NAME)
    orders = OrderStore(database)
    rules = ApprovalRuleStore(database)
    return Service(
        NAME,
        processors=[
            catalog_processor(NAME, APPROVAL_RULE, rules, resources),
            orders_processor(NAME, orders, rules, resources),
        ],
        stores={"orders": orders, "approval_rules": rules},
        prepare=indexes_of(orders, rules),
        tasks=[_count_live(orders, resources)],
        parents=parents_of_commands(orders),
    )


def _count_live(orders: OrderStore, resources: Resources) -> Task:
    async def run() -> None:
        while True:
            try:
                for status, count in (await orders.count_live()).items():
                    resources.metrics.orders_now.labels(status).set(count)
            except INFRASTRUCTURE_FAULTS as error:
                log.warning("count_failed", error=told(error))
            await asyncio.sleep(_COUNT_PAUSE)

    return run
