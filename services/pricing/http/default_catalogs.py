"""The catalog that a buyer has from the beginning."""

from typing import Any

from services.pricing.http.catalogs import CATALOG_ASSIGNMENTS, CATALOGS
from shared.contracts.assortment import Catalog, CatalogAssignment
from shared.contracts.catalog import Buyer
from shared.http.documents import Announcer, Documents
from shared.http.operations import Call
from shared.mongo.aggregates import MongoAggregateStore
from shared.service import Resources


class DefaultCatalogs:
    """Makes buyers' default catalogs."""

    def __init__(self, resources: Resources, announcer: Announcer) -> None:
        self._marketplace_id = resources.settings.marketplace_id
        database = resources.database("pricing")

        def documents(declared: Any) -> Documents:
            store: MongoAggregateStore[Any] = MongoAggregateStore(
                database, declared.collection, declared.events.stored
            )
            return Documents(declared.events, store, announcer)

        self._catalogs = documents(CATALOGS)
        self._assignments = documents(CATALOG_ASSIGNMENTS)

    async def create_default(self, call: Call, buyer: Buyer) -> None:
        """Makes an active catalog with the buyer's ID and name and assigns it to the buyer. What
        is there already stays as it is."""
        id = buyer.id
        catalog = Catalog(id=id, owner_id=self._marketplace_id, name=buyer.name, active=True)
        assignment = CatalogAssignment(catalog_id=id, buyer_id=id)
        await self._catalogs.change(id, lambda before: before or catalog, call)
        await self._assignments.change(f"{id}/{id}", lambda before: before or assignment, call)


def default_catalogs(resources: Resources, announcer: Announcer) -> DefaultCatalogs:
    """What makes buyers' default catalogs."""
    return DefaultCatalogs(resources, announcer)
