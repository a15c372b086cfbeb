"""Wiring of the pricing service."""

from services.pricing.domain.reference import Terms
from services.pricing.domain.shipping import FlatShipping
from services.pricing.domain.tax import FlatTax
from services.pricing.granting import Granting
from services.pricing.inventory import INVENTORY_TYPES, fold_inventory, inventory_keys
from services.pricing.orphans import GONE
from services.pricing.promotions import PromotionCatalog, fold_promotion
from services.pricing.quote_memory import QuoteMemory
from services.pricing.quotes import fold_quote
from services.pricing.requests import OrderRequests, RequestProcessor
from services.pricing.store import NAME, PricingStores, ReferenceData
from shared.catalog import catalog_processor
from shared.contracts.registry import (
    LOCATION,
    PRICE_ORDER,
    PRICE_SCHEDULE,
    PRODUCT,
    PROMOTION,
    RELEASE_ORDER,
    SOURCING_RULE,
)
from shared.http.orphans import OrphanProcessor
from shared.messaging.processor import AggregateProcessor, no_context
from shared.service import Resources, Service, indexes_of


def build(resources: Resources) -> Service:
    settings = resources.settings
    stores = PricingStores(resources)
    promotions = PromotionCatalog(stores.promotions)
    quotes = QuoteMemory(stores.quotes)
    reference = ReferenceData(resources, promotions)
    terms = Terms(
        marketplace_id=settings.marketplace_id,
        currency=settings.currency,
        shipping=FlatShipping(settings.shipping_rates),
        tax=FlatTax(settings.tax_rate),
    )
    granting = Granting(
        stores.allotments,
        quotes,
        reference.places,
        resources.clock,
        resources.metrics.lost_races.labels(NAME).inc,
    )
    requests = OrderRequests(reference.read, terms, granting)
    return Service(
        NAME,
        # The catalogue first: what is saved in a batch is there for the orders of the same batch.
        processors=[
            catalog_processor(NAME, PRODUCT, stores.products, resources),
            catalog_processor(NAME, PRICE_SCHEDULE, stores.price_schedules, resources),
            AggregateProcessor(
                service=NAME,
                types=(PROMOTION.save, PROMOTION.delete),
                store=stores.promotions,
                fold=fold_promotion,
                prepare=promotions.owners,
                publisher=resources.publisher,
                clock=resources.clock,
                metrics=resources.metrics,
            ),
            catalog_processor(NAME, LOCATION, stores.locations, resources),
            catalog_processor(NAME, SOURCING_RULE, stores.sourcing_rules, resources),
            AggregateProcessor(
                service=NAME,
                types=INVENTORY_TYPES,
                store=stores.allotments,
                fold=fold_inventory,
                prepare=no_context,
                publisher=resources.publisher,
                clock=resources.clock,
                metrics=resources.metrics,
                keys=inventory_keys,
            ),
            RequestProcessor(
                AggregateProcessor(
                    service=NAME,
                    types=(PRICE_ORDER, RELEASE_ORDER),
                    store=quotes,
                    fold=fold_quote,
                    prepare=requests.answer,
                    publisher=resources.publisher,
                    clock=resources.clock,
                    metrics=resources.metrics,
                ),
                granting,
            ),
            OrphanProcessor(NAME, resources, GONE),
        ],
        stores={
            "products": stores.products,
            "price_schedules": stores.price_schedules,
            "promotions": stores.promotions,
            "locations": stores.locations,
            "sourcing_rules": stores.sourcing_rules,
            "allotments": stores.allotments,
            "quotes": quotes,
        },
        prepare=indexes_of(
            stores.products,
            stores.price_schedules,
            stores.promotions,
            stores.locations,
            stores.sourcing_rules,
            stores.allotments,
            stores.quotes,
        ),
    )
