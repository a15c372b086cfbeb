"""Wiring of the shipments service."""

from datetime import timedelta

from services.shipments.batch import WaitingRules
from services.shipments.consumers import CommandConsumer, LedgerConsumer
from services.shipments.handlers import ShipmentHandlers
from services.shipments.store import LedgerStore, ShipmentStore
from services.shipments.waiting import sweeping
from shared.service import Resources, Service, indexes_of

NAME = "shipments"


def build(resources: Resources) -> Service:
    database = resources.database(NAME)
    shipments, ledgers = ShipmentStore(database), LedgerStore(database)
    settings = resources.settings
    handlers = ShipmentHandlers(
        service=NAME,
        shipments=shipments,
        ledgers=ledgers,
        publisher=resources.publisher,
        clock=resources.clock,
        metrics=resources.metrics,
        rules=WaitingRules(
            settings.waiting_shipments_limit,
            timedelta(seconds=settings.waiting_shipments_seconds),
        ),
    )
    return Service(
        NAME,
        # Orders first: what came with a poll is known to the shipments that came with it.
        processors=[
            LedgerConsumer(NAME, ledgers, handlers, resources),
            CommandConsumer(handlers),
        ],
        stores={"shipments": shipments, "ledgers": ledgers},
        prepare=[*indexes_of(shipments, ledgers), handlers.count],
        tasks=[sweeping(handlers)],
        parents=handlers.traces,
    )
