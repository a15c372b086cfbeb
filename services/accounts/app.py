"""Wiring of the accounts service."""

from services.accounts.orphans import GONE
from shared.catalog import catalog_processor
from shared.contracts.catalog import Buyer, Supplier
from shared.contracts.registry import BUYER, SUPPLIER
from shared.http.orphans import OrphanProcessor
from shared.mongo.aggregates import MongoAggregateStore
from shared.service import Resources, Service, indexes_of

NAME = "accounts"


def build(resources: Resources) -> Service:
    database = resources.database(NAME)
    buyers = MongoAggregateStore(database, "buyers", Buyer)
    suppliers = MongoAggregateStore(database, "suppliers", Supplier)
    return Service(
        NAME,
        processors=[
            catalog_processor(NAME, BUYER, buyers, resources),
            catalog_processor(NAME, SUPPLIER, suppliers, resources),
            OrphanProcessor(NAME, resources, GONE),
        ],
        stores={"buyers": buyers, "suppliers": suppliers},
        prepare=indexes_of(buyers, suppliers),
    )
