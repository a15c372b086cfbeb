"""Pricing over HTTP: the catalogue."""

from services.pricing.http.catalogs import (
    CATALOG_ASSIGNMENTS,
    CATALOGS,
    PRODUCT_CATALOG_ASSIGNMENTS,
)
from services.pricing.http.categories import (
    CATEGORIES,
    CATEGORY_ASSIGNMENTS,
    CATEGORY_PRODUCT_ASSIGNMENTS,
)
from services.pricing.http.inventory_records import (
    INVENTORY_RECORD_ASSIGNMENTS,
    INVENTORY_RECORDS,
    VARIANT_INVENTORY_RECORD_ASSIGNMENTS,
    VARIANT_INVENTORY_RECORDS,
)
from services.pricing.http.me import (
    my_catalog_operations,
    my_product_operations,
    my_promotion_operations,
)
from services.pricing.http.me_product_parts import (
    my_record_operations,
    my_seller_operations,
    my_spec_operations,
    my_variant_operations,
)
from services.pricing.http.places import LOCATIONS, location_documents
from services.pricing.http.price_schedules import PRICE_SCHEDULES, price_break_operations
from services.pricing.http.product_assignments import (
    PRODUCT_ASSIGNMENTS,
    PRODUCT_SUPPLIERS,
    product_supplier_operations,
)
from services.pricing.http.products import PRODUCTS
from services.pricing.http.promotions import PROMOTION_ASSIGNMENTS, PROMOTIONS
from services.pricing.http.specs import (
    SPEC_OPTIONS,
    SPEC_PRODUCT_ASSIGNMENTS,
    SPECS,
    product_spec_operations,
)
from services.pricing.http.variants import VARIANTS, variant_operations
from shared.http.door import Door
from shared.http.mount import Mount, Mounted

KINDS = (
    PRODUCTS,
    PRICE_SCHEDULES,
    SPECS,
    SPEC_OPTIONS,
    VARIANTS,
    INVENTORY_RECORDS,
    VARIANT_INVENTORY_RECORDS,
    CATALOGS,
    CATEGORIES,
    PROMOTIONS,
)
ASSIGNMENTS = (
    PRODUCT_ASSIGNMENTS,
    PRODUCT_SUPPLIERS,
    SPEC_PRODUCT_ASSIGNMENTS,
    INVENTORY_RECORD_ASSIGNMENTS,
    VARIANT_INVENTORY_RECORD_ASSIGNMENTS,
    CATALOG_ASSIGNMENTS,
    PRODUCT_CATALOG_ASSIGNMENTS,
    CATEGORY_ASSIGNMENTS,
    CATEGORY_PRODUCT_ASSIGNMENTS,
    PROMOTION_ASSIGNMENTS,
)


OPERATIONS = (
    price_break_operations,
    product_spec_operations,
    product_supplier_operations,
    variant_operations,
    my_catalog_operations,
    my_product_operations,
    my_spec_operations,
    my_variant_operations,
    my_record_operations,
    my_seller_operations,
    my_promotion_operations,
)


_XP_THINGS = {
    "Variant": ("variants",),
    "Spec": ("specs",),
    "SpecOption": ("spec_options",),
    "Category": ("categories",),
    "PriceSchedule": ("price_schedules",),
    "Promotion": ("promotions",),
    "Catalog": ("catalogs",),
    "InventoryRecord": ("inventory_records", "variant_inventory_records"),
}


def mount(mount: Mount) -> Mounted:
    """Pricing's routes."""
    door = Door("pricing", mount.resources, mount.announcer, mount.increment, KINDS, ASSIGNMENTS)
    door.documents[LOCATIONS] = location_documents(mount.resources, mount.announcer)
    by_hand = [each for operations in OPERATIONS for each in operations(door)]
    return door.mounted(by_hand, xp_things=_XP_THINGS)
