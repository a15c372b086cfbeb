"""The resources of the HTTP API as events tell of them: a line or two each."""

from functools import partial
from secrets import token_urlsafe
from typing import Any

from pydantic import Field

from shared.contracts import access, assortment, catalog, parties, registry
from shared.contracts.base import ID
from shared.contracts.registry import Topics
from shared.contracts.resource_events import catalog_events, resource_events

_PARTIES = Topics.ACCOUNTS_EVENTS
_OF_BUYER, _OF_SUPPLIER = ("buyer_id",), ("supplier_id",)
_MEMBER = ("user_group_id", "user_id")
_GROUP = ("buyer_id", "user_group_id")

SUPPLIER = catalog_events(registry.SUPPLIER, catalog.Supplier)
BUYER = catalog_events(registry.BUYER, catalog.Buyer)
SUPPLIER_BUYER = resource_events(
    "SupplierBuyer",
    parties.SupplierBuyerAssignment,
    _PARTIES,
    key=("supplier_id", "buyer_id"),
)

_OWN_OF_USER: dict[str, Any] = {
    "internal_id": (
        ID,
        Field(default_factory=partial(token_urlsafe, 16), json_schema_extra={"readOnly": True}),
    ),
    "moving_to": (str | None, None),
}
"""``internal_id`` is given once, stays through renamings and moves, and never comes back.
``moving_to`` is the key under which a user is about to be stored instead."""

USER = resource_events("User", parties.User, _PARTIES, parents=_OF_BUYER, own=_OWN_OF_USER)
SUPPLIER_USER = resource_events(
    "SupplierUser", parties.User, _PARTIES, parents=_OF_SUPPLIER, own=_OWN_OF_USER
)
ADMIN_USER = resource_events("AdminUser", parties.User, _PARTIES, own=_OWN_OF_USER)

USER_GROUP = resource_events("UserGroup", parties.UserGroup, _PARTIES, parents=_OF_BUYER)
SUPPLIER_USER_GROUP = resource_events(
    "SupplierUserGroup", parties.UserGroup, _PARTIES, parents=_OF_SUPPLIER
)
ADMIN_USER_GROUP = resource_events("AdminUserGroup", parties.UserGroup, _PARTIES)
USER_GROUP_ASSIGNMENT = resource_events(
    "UserGroupAssignment", parties.UserGroupAssignment, _PARTIES, parents=_OF_BUYER, key=_MEMBER
)
SUPPLIER_USER_GROUP_ASSIGNMENT = resource_events(
    "SupplierUserGroupAssignment",
    parties.UserGroupAssignment,
    _PARTIES,
    parents=_OF_SUPPLIER,
    key=_MEMBER,
)
ADMIN_USER_GROUP_ASSIGNMENT = resource_events(
    "AdminUserGroupAssignment", parties.UserGroupAssignment, _PARTIES, key=_MEMBER
)

ADDRESS = resource_events("Address", parties.PostalAddress, _PARTIES, parents=_OF_BUYER)
SUPPLIER_ADDRESS = resource_events(
    "SupplierAddress", parties.PostalAddress, _PARTIES, parents=_OF_SUPPLIER
)
ADMIN_ADDRESS = resource_events("AdminAddress", parties.PostalAddress, _PARTIES)
ADDRESS_ASSIGNMENT = resource_events(
    "AddressAssignment",
    parties.AddressAssignment,
    _PARTIES,
    parents=_OF_BUYER,
    key=("address_id", "user_id", "user_group_id"),
)

COST_CENTER = resource_events("CostCenter", parties.CostCenter, _PARTIES, parents=_OF_BUYER)
COST_CENTER_ASSIGNMENT = resource_events(
    "CostCenterAssignment",
    parties.CostCenterAssignment,
    _PARTIES,
    parents=_OF_BUYER,
    key=("cost_center_id", "user_group_id"),
)
CREDIT_CARD = resource_events(
    "CreditCard", parties.CreditCard, _PARTIES, parents=_OF_BUYER, untold=("token",)
)
CREDIT_CARD_ASSIGNMENT = resource_events(
    "CreditCardAssignment",
    parties.CreditCardAssignment,
    _PARTIES,
    parents=_OF_BUYER,
    key=("credit_card_id", "user_id", "user_group_id"),
)
_OF_USER = ("internal_id",)
PRIVATE_ADDRESS = resource_events(
    "PrivateAddress", parties.BuyerAddress, _PARTIES, parents=_OF_USER
)
PRIVATE_CREDIT_CARD = resource_events(
    "PrivateCreditCard",
    parties.BuyerCreditCard,
    _PARTIES,
    parents=_OF_USER,
    untold=("token",),
)
SPENDING_ACCOUNT = resource_events(
    "SpendingAccount", parties.SpendingAccount, _PARTIES, parents=_OF_BUYER
)
SPENDING_ACCOUNT_ASSIGNMENT = resource_events(
    "SpendingAccountAssignment",
    parties.SpendingAccountAssignment,
    _PARTIES,
    parents=_OF_BUYER,
    key=("spending_account_id", "user_id", "user_group_id"),
)

_SECRET: dict[str, Any] = {
    "secret_hash": (str | None, Field(None, json_schema_extra={"readOnly": True})),
}
"""A secret as it is kept. It stands with what it is a secret of, so that one write changes both."""

API_CLIENT = resource_events("ApiClient", access.ApiClient, _PARTIES, own=_SECRET)
API_CLIENT_ASSIGNMENT = resource_events(
    "ApiClientAssignment",
    access.ApiClientAssignment,
    _PARTIES,
    key=("api_client_id", "buyer_id", "supplier_id"),
)
API_CLIENT_SECRET = resource_events(
    "ApiClientSecret",
    access.ApiClientSecret,
    _PARTIES,
    parents=("api_client_id",),
    own=_SECRET,
)
SECURITY_PROFILE = resource_events("SecurityProfile", access.SecurityProfile, _PARTIES)
SECURITY_PROFILE_ASSIGNMENT = resource_events(
    "SecurityProfileAssignment",
    access.SecurityProfileAssignment,
    _PARTIES,
    key=("security_profile_id", "buyer_id", "supplier_id", "user_id", "user_group_id"),
)
IMPERSONATION_CONFIG = resource_events("ImpersonationConfig", access.ImpersonationConfig, _PARTIES)
LOCALE = resource_events("Locale", parties.Locale, _PARTIES)
LOCALE_ASSIGNMENT = resource_events(
    "LocaleAssignment", parties.LocaleAssignment, _PARTIES, key=("locale_id", *_GROUP)
)
XP_INDEX = resource_events("XpIndex", access.XpIndex, _PARTIES, key=("thing_type", "key"))
INCREMENTOR = resource_events("Incrementor", access.Incrementor, _PARTIES)

_GOODS = Topics.CATALOG_EVENTS

PRODUCT = catalog_events(registry.PRODUCT, catalog.Product)
PRICE_SCHEDULE = catalog_events(registry.PRICE_SCHEDULE, assortment.ConsistentPriceSchedule)
PROMOTION = catalog_events(registry.PROMOTION, catalog.Promotion)
APPROVAL_RULE = catalog_events(registry.APPROVAL_RULE, catalog.RequestedApprovalRule, _OF_BUYER)

SPEC = resource_events("Spec", assortment.Spec, _GOODS)
SPEC_OPTION = resource_events("SpecOption", assortment.SpecOption, _GOODS, parents=("spec_id",))
SPEC_PRODUCT_ASSIGNMENT = resource_events(
    "SpecProductAssignment",
    assortment.SpecProductAssignment,
    _GOODS,
    key=("spec_id", "product_id"),
)
VARIANT = resource_events("Variant", assortment.Variant, _GOODS, parents=("product_id",))
INVENTORY_RECORD = resource_events(
    "InventoryRecord", assortment.InventoryRecord, _GOODS, parents=("product_id",)
)
INVENTORY_RECORD_ASSIGNMENT = resource_events(
    "InventoryRecordAssignment",
    assortment.InventoryRecordAssignment,
    _GOODS,
    parents=("product_id",),
    key=("inventory_record_id", *_GROUP),
)
VARIANT_INVENTORY_RECORD = resource_events(
    "VariantInventoryRecord",
    assortment.InventoryRecord,
    _GOODS,
    parents=("product_id", "variant_id"),
)
VARIANT_INVENTORY_RECORD_ASSIGNMENT = resource_events(
    "VariantInventoryRecordAssignment",
    assortment.InventoryRecordAssignment,
    _GOODS,
    parents=("product_id", "variant_id"),
    key=("inventory_record_id", *_GROUP),
)
PRODUCT_ASSIGNMENT = resource_events(
    "ProductAssignment",
    assortment.ProductAssignment,
    _GOODS,
    key=("product_id", *_GROUP, "seller_id"),
)
PRODUCT_SUPPLIER = resource_events(
    "ProductSupplier",
    assortment.ProductSupplierAssignment,
    _GOODS,
    key=("product_id", "supplier_id"),
)

CATALOG = resource_events("Catalog", assortment.Catalog, _GOODS)
CATALOG_ASSIGNMENT = resource_events(
    "CatalogAssignment", assortment.CatalogAssignment, _GOODS, key=("catalog_id", "buyer_id")
)
PRODUCT_CATALOG_ASSIGNMENT = resource_events(
    "ProductCatalogAssignment",
    assortment.ProductCatalogAssignment,
    _GOODS,
    key=("catalog_id", "product_id"),
)
CATEGORY = resource_events("Category", assortment.Category, _GOODS, parents=("catalog_id",))
CATEGORY_ASSIGNMENT = resource_events(
    "CategoryAssignment",
    assortment.CategoryAssignment,
    _GOODS,
    parents=("catalog_id",),
    key=("category_id", *_GROUP),
)
CATEGORY_PRODUCT_ASSIGNMENT = resource_events(
    "CategoryProductAssignment",
    assortment.CategoryProductAssignment,
    _GOODS,
    parents=("catalog_id",),
    key=("category_id", "product_id"),
)
PROMOTION_ASSIGNMENT = resource_events(
    "PromotionAssignment",
    assortment.PromotionAssignment,
    _GOODS,
    key=("promotion_id", *_GROUP),
)
