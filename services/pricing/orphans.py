"""Assignments to companies and groups that are gone: theirs go, too."""

from shared.contracts import registry
from shared.contracts import resources as kept
from shared.http.orphans import Gone, Naming
from shared.http.places import BUYERS, SUPPLIERS, USER_GROUPS

_TO_PARTIES = (
    (kept.PRODUCT_ASSIGNMENT, "product_assignments"),
    (kept.CATEGORY_ASSIGNMENT, "category_assignments"),
    (kept.PROMOTION_ASSIGNMENT, "promotion_assignments"),
    (kept.INVENTORY_RECORD_ASSIGNMENT, "inventory_record_assignments"),
    (kept.VARIANT_INVENTORY_RECORD_ASSIGNMENT, "variant_inventory_record_assignments"),
)

GONE = (
    Gone(
        registry.BUYER.deleted,
        BUYERS,
        ("id",),
        (
            Naming(kept.CATALOG_ASSIGNMENT, "catalog_assignments", {"BuyerID": "id"}),
            *(Naming(events, name, {"BuyerID": "id"}) for events, name in _TO_PARTIES),
        ),
    ),
    Gone(
        kept.USER_GROUP.deleted,
        USER_GROUPS,
        ("buyer_id", "id"),
        tuple(
            Naming(events, name, {"BuyerID": "buyer_id", "UserGroupID": "id"})
            for events, name in _TO_PARTIES
        ),
    ),
    Gone(
        registry.SUPPLIER.deleted,
        SUPPLIERS,
        ("id",),
        (Naming(kept.PRODUCT_SUPPLIER, "product_suppliers", {"SupplierID": "id"}),),
    ),
)
