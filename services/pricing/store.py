"""Pricing's collections, and what a batch reads of them."""

import asyncio
from collections.abc import Sequence

from services.pricing.allotments import Allotment
from services.pricing.domain.reference import Reference
from services.pricing.promotions import CODE_INDEX, PromotionCatalog
from services.pricing.quotes import Quote
from services.pricing.sourcing import Places
from shared.catalog import ReferenceReader
from shared.contracts.catalog import Location, PriceSchedule, Product, Promotion, SourcingRule
from shared.contracts.orders import PriceOrder
from shared.mongo.aggregates import MongoAggregateStore
from shared.reference import suppliers
from shared.service import Resources

NAME = "pricing"


class PricingStores:
    """The aggregates that this service alone writes."""

    def __init__(self, resources: Resources) -> None:
        database = resources.database(NAME)
        self.products = MongoAggregateStore(database, "products", Product)
        self.price_schedules = MongoAggregateStore(database, "price_schedules", PriceSchedule)
        self.promotions = MongoAggregateStore(
            database, "promotions", Promotion, indexes=[CODE_INDEX]
        )
        self.locations = MongoAggregateStore(database, "locations", Location)
        self.sourcing_rules = MongoAggregateStore(database, "sourcing_rules", SourcingRule)
        # Not cached: a refusal is not checked against a version, so it must not be of old stock.
        self.allotments = MongoAggregateStore(database, "allotments", Allotment, whole=True)
        self.quotes = MongoAggregateStore(database, "quotes", Quote, whole=True)


class ReferenceData:
    """Reads what a batch of orders names: a few queries for any number of orders."""

    def __init__(self, resources: Resources, promotions: PromotionCatalog) -> None:
        database = resources.database(NAME)
        self._marketplace_id = resources.settings.marketplace_id
        self._products = ReferenceReader(database, "products", Product)
        self._schedules = ReferenceReader(database, "price_schedules", PriceSchedule)
        self._locations = ReferenceReader(database, "locations", Location)
        self._rules = ReferenceReader(database, "sourcing_rules", SourcingRule)
        self._suppliers = suppliers(resources)
        self._promotions = promotions

    async def read(self, requests: Sequence[PriceOrder]) -> Reference:
        """What ``requests`` are priced against. Of an order that was priced before only the
        promotions are needed, for their limits."""
        codes = {code for request in requests for code in request.promotions}
        codes |= {
            promotion.code
            for request in requests
            if request.priced is not None
            for promotion in request.priced.promotions
        }
        drafts = [
            draft for request in requests if request.priced is None for draft in request.line_items
        ]
        products, promotions = await asyncio.gather(
            self._products.get({draft.product_id for draft in drafts}),
            self._promotions.by_code(codes),
        )
        schedules, sellers = await asyncio.gather(
            self._schedules.get(
                {
                    product.default_price_schedule_id
                    for product in products.values()
                    if product.default_price_schedule_id is not None
                }
            ),
            self._suppliers.get(
                {
                    *(draft.supplier_id for draft in drafts if draft.supplier_id is not None),
                    *(
                        product.default_supplier_id
                        for product in products.values()
                        if product.default_supplier_id is not None
                    ),
                }
            ),
        )
        return Reference(products, schedules, promotions, sellers)

    async def places(self, location_ids: set[str]) -> Places:
        """The locations with these IDs and the sourcing rules of their owners."""
        locations = await self._locations.get(location_ids)
        owners = {location.owner_id or self._marketplace_id for location in locations.values()}
        return Places(self._marketplace_id, locations, await self._rules.get(owners))
