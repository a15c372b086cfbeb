"""The resources of the HTTP API as events tell of them: one line each.

What is stored of a resource is its model with the IDs of what it belongs to, its parents: a buyer's
cost center has a ``BuyerID``. Every change is told by ``<name>Saved``, with what is stored, or
``<name>Deleted``. Parents and ID, joined by ``/``, are the record's key.
"""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import partial
from secrets import token_urlsafe
from typing import Any, cast

from pydantic import ConfigDict, Field, create_model

from shared.contracts import access, assortment, catalog, parties, registry
from shared.contracts.base import ID, Resource, write_only_fields
from shared.contracts.registry import CatalogKind, MessageType, Topics, declare


@dataclass(frozen=True, slots=True, eq=False)
class ResourceEvents:
    """What is stored of one kind of resource, and the events of its changes.

    ``stored`` has the fields of ``model`` that may be kept, and ``parents``. ``key`` are the fields
    that together tell one resource from all others of its kind: parents and ``id``, or what an
    assignment ties together.
    """

    name: str
    model: type[Resource]
    stored: type[Resource]
    saved: MessageType[Any]
    deleted: MessageType[Any]
    parents: tuple[str, ...]
    key: tuple[str, ...]
    saved_as: Callable[[Any], MessageType[Any]]
    """Which event tells that a stored one was saved: ``saved``, but for what has expressions."""

    def id_of(self, stored: Resource) -> str:
        """The values of ``key`` joined by ``/``; what is absent is empty."""
        return _joined(self.key)(stored)

    def saved_message(self, stored: Resource) -> tuple[MessageType[Any], Resource]:
        """The event that tells that ``stored`` was saved, and its body."""
        type = self.saved_as(stored)
        return type, _part(type.body, stored)

    def deleted_message(self, stored: Resource) -> tuple[MessageType[Any], Resource]:
        """The event that tells that ``stored`` was deleted, and its body."""
        return self.deleted, _part(self.deleted.body, stored)


RESOURCES: dict[str, ResourceEvents] = {}
"""All kinds by name."""


def resource_events(
    name: str,
    model: type[Resource],
    topic: str,
    *,
    parents: tuple[str, ...] = (),
    key: tuple[str, ...] | None = None,
    untold: tuple[str, ...] = (),
    own: Mapping[str, Any] | None = None,
) -> ResourceEvents:
    """Declares a kind. ``key``: of an assignment, the fields that it ties together, beside its
    parents; its ``Deleted`` then has all that the ``Saved`` has. ``untold`` fields are stored and
    in no event; nor are the service's ``own``, which the model does not even have."""
    kept = _fields(model, without=write_only_fields(model))
    held: dict[str, Any] = {parent: (ID, ...) for parent in parents if parent not in kept}
    stored = _model(f"Stored{name}", model, {**held, **kept, **(own or {})})
    told = stored
    if untold or own:
        hidden = (*untold, *write_only_fields(model))
        told = _model(f"Told{name}", model, {**held, **_fields(model, without=hidden)})
    deleted = told
    if key is None:
        deleted = _model(f"Deleted{name}", Resource, {**held, "id": (ID, ...)})
    names = (*parents, *(key or ("id",)))
    key_of = _joined(names)
    saved = declare(topic, f"{name}Saved", told, key_of)
    return _known(
        ResourceEvents(
            name=name,
            model=model,
            stored=stored,
            saved=saved,
            deleted=declare(topic, f"{name}Deleted", deleted, key_of),
            parents=parents,
            key=names,
            saved_as=lambda _: saved,
        )
    )


def _of_catalog(
    kind: CatalogKind[Any], model: type[Resource], parents: tuple[str, ...] = ()
) -> ResourceEvents:
    """A kind that Kafka's commands change too: its ID alone tells it from all others."""
    return _known(
        ResourceEvents(
            name=kind.name,
            model=model,
            stored=kind.body,
            saved=kind.saved,
            deleted=kind.deleted,
            parents=parents,
            key=("id",),
            saved_as=kind.saved_as,
        )
    )


def _known(events: ResourceEvents) -> ResourceEvents:
    RESOURCES[events.name] = events
    return events


class _Made(Resource):
    # Most processes never see one of most kinds.
    model_config = ConfigDict(defer_build=True)


def _model(name: str, of: type[Resource], fields: dict[str, Any]) -> type[Resource]:
    """A model with ``fields``. Rules across fields stay with ``of``: what is stored was checked
    when it was written."""
    doc = None if of is Resource else of.__doc__
    return cast(
        "type[Resource]",
        create_model(name, __base__=_Made, __doc__=doc, __module__=__name__, **fields),
    )


def _fields(model: type[Resource], *, without: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: (field.annotation, copy(field))
        for name, field in model.model_fields.items()
        if name not in without
    }


def _joined(names: tuple[str, ...]) -> Callable[[Any], str]:
    def key(resource: Any) -> str:
        values = (getattr(resource, name) for name in names)
        return "/".join("" if value is None else str(value) for value in values)

    return key


def _part(model: type[Resource], whole: Resource) -> Resource:
    """The fields of ``model`` that ``whole`` has."""
    if isinstance(whole, model):
        return whole
    return model.model_construct(**{name: getattr(whole, name) for name in model.model_fields})


_PARTIES = Topics.ACCOUNTS_EVENTS
_OF_BUYER, _OF_SUPPLIER = ("buyer_id",), ("supplier_id",)
_MEMBER = ("user_group_id", "user_id")
_GROUP = ("buyer_id", "user_group_id")

SUPPLIER = _of_catalog(registry.SUPPLIER, catalog.Supplier)
BUYER = _of_catalog(registry.BUYER, catalog.Buyer)
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

API_CLIENT = resource_events("ApiClient", access.ApiClient, _PARTIES)
API_CLIENT_ASSIGNMENT = resource_events(
    "ApiClientAssignment",
    access.ApiClientAssignment,
    _PARTIES,
    key=("api_client_id", "buyer_id", "supplier_id"),
)
API_CLIENT_SECRET = resource_events(
    "ApiClientSecret", access.ApiClientSecret, _PARTIES, parents=("api_client_id",)
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

PRODUCT = _of_catalog(registry.PRODUCT, catalog.Product)
PRICE_SCHEDULE = _of_catalog(registry.PRICE_SCHEDULE, assortment.ConsistentPriceSchedule)
PROMOTION = _of_catalog(registry.PROMOTION, catalog.Promotion)
APPROVAL_RULE = _of_catalog(registry.APPROVAL_RULE, catalog.BuyerApprovalRule, _OF_BUYER)

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
