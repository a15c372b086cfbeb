"""The assortment: what may be chosen of a product, where it stands in catalogs, and who sees it.

Products, prices and promotions themselves, which Kafka's commands know too, are in ``catalog``.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.base import ID, READ_ONLY, Count, Integer, LimitedXp, Resource, Time
from shared.contracts.catalog import PriceSchedule, ProductBasics, Supplier
from shared.contracts.parties import PostalAddress
from shared.money import MoneyInput, NonNegativeMoney


class ConsistentPriceSchedule(PriceSchedule):
    """A price schedule whose parts fit each other. Kafka's commands take others too, so those
    that are read need not be one."""

    @model_validator(mode="before")
    @classmethod
    def _has_quantities(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        breaks = given.get("PriceBreaks", given.get("price_breaks"))
        if breaks is None or breaks == []:
            raise PydanticCustomError(
                "PriceSchedule.NoPriceBreaks",
                "PriceBreaks are required: give at least one, with a Quantity and a Price",
            )
        least = given.get("MinQuantity", given.get("min_quantity"))
        if isinstance(least, int) and least < 1:
            raise PydanticCustomError(
                "PriceSchedule.MinQtyMustBePositive",
                "MinQuantity must be 1 or more; raise it, or leave it out",
            )
        return given

    @model_validator(mode="after")
    def _consistent(self) -> "ConsistentPriceSchedule":
        quantities = [each.quantity for each in self.price_breaks]
        if len(set(quantities)) < len(quantities):
            raise PydanticCustomError(
                "PriceSchedule.DuplicatePriceBreaks",
                "two PriceBreaks have the same Quantity; leave one of them out",
            )
        if self.max_quantity is not None and self.max_quantity < self.min_quantity:
            raise PydanticCustomError(
                "PriceSchedule.MinGreaterThanMax",
                "MinQuantity is greater than MaxQuantity; lower it, or raise MaxQuantity",
            )
        if self.sale_start and self.sale_end and self.sale_end <= self.sale_start:
            raise PydanticCustomError(
                "PriceSchedule.InvalidSaleStartOrSaleEnd", "SaleEnd must be after SaleStart"
            )
        return self


class ProductAssignment(Resource):
    """Which price a product has for a buyer, or for one of its groups. ``seller_id`` is who sells
    it at that price, the product's owner where it is absent."""

    product_id: ID
    buyer_id: ID
    user_group_id: ID | None = None
    seller_id: ID | None = None
    price_schedule_id: ID | None = None


class ProductSupplier(Supplier):
    """A supplier, as one that may sell a product, with its own price for it."""

    default_price_schedule_id: ID | None = None


class ProductSupplierAssignment(Resource):
    """``supplier_id`` may sell ``product_id``."""

    product_id: ID
    supplier_id: ID
    default_price_schedule_id: ID | None = None


class ProductSeller(Resource):
    """Who sells a product to a buyer, and at which price."""

    id: ID
    name: str | None = Field(None, max_length=100)
    price_schedule: PriceSchedule | None = None


class BuyerProduct(ProductBasics):
    """A product, as a buyer's user sees it, at that user's price."""

    price_schedule: Annotated[PriceSchedule | None, READ_ONLY] = None


class PriceMarkupType(StrEnum):
    """What choosing an option adds: nothing, an amount a unit or a line, or per cent of the
    price."""

    NO_MARKUP = "NoMarkup"
    AMOUNT_PER_QUANTITY = "AmountPerQuantity"
    AMOUNT_TOTAL = "AmountTotal"
    PERCENTAGE = "Percentage"


class SpecOption(Resource):
    """One of the choices of a spec. ``price_markup`` is money or per cent, as
    ``price_markup_type`` says, and may be negative."""

    id: ID
    value: str = Field(min_length=1, max_length=2000)
    list_order: Integer = 0
    is_open_text: bool = False
    price_markup_type: PriceMarkupType | None = None
    price_markup: MoneyInput | None = None
    xp: LimitedXp | None = None


class Spec(Resource):
    """Something that is chosen with a product, such as its colour. Every combination of the
    options of its specs that are ``defines_variant`` is a variant of the product."""

    id: ID
    owner_id: ID | None = None
    list_order: Integer = 0
    name: str = Field(min_length=1, max_length=100)
    default_value: str | None = Field(None, max_length=2000)
    required: bool = False
    allow_open_text: bool = False
    default_option_id: ID | None = None
    defines_variant: bool = False
    xp: LimitedXp | None = None
    option_count: Annotated[Count | None, READ_ONLY] = None
    options: Annotated[list[SpecOption] | None, READ_ONLY] = None


class SpecProductAssignment(Resource):
    """A spec of a product; the defaults are for this product alone."""

    spec_id: ID
    product_id: ID
    default_value: str | None = Field(None, max_length=2000)
    default_option_id: ID | None = None


class VariantInventory(Resource):
    quantity_available: Integer | None = None
    notification_point: Integer | None = None
    last_updated: Annotated[Time | None, READ_ONLY] = None


class VariantSpec(Resource):
    """The option that a variant stands for, of one spec."""

    spec_id: ID
    name: Annotated[str | None, READ_ONLY] = None
    option_id: ID | None = None
    value: str | None = Field(None, max_length=2000)
    price_markup_type: PriceMarkupType | None = None
    price_markup: MoneyInput | None = None


class Variant(Resource):
    """One combination of the options of a product."""

    id: ID
    name: str | None = Field(None, max_length=100)
    description: str | None = Field(None, max_length=2000)
    active: bool = True
    ship_weight: NonNegativeMoney | None = None
    ship_height: NonNegativeMoney | None = None
    ship_width: NonNegativeMoney | None = None
    ship_length: NonNegativeMoney | None = None
    inventory: VariantInventory | None = None
    specs: Annotated[list[VariantSpec] | None, READ_ONLY] = None
    xp: LimitedXp | None = None


class VariantOverrides(Resource):
    """What generated variants have of their own instead of the product's."""

    active: bool = True


class InventoryRecord(Resource):
    """How much of a product, or of a variant, is available at one address."""

    id: ID
    owner_id: ID | None = None
    allow_all_buyers: bool = True
    address: Annotated[PostalAddress | None, READ_ONLY] = None
    address_id: ID
    order_can_exceed: bool = False
    quantity_available: Integer = 0
    notification_point: Integer | None = None
    last_updated: Annotated[Time | None, READ_ONLY] = None
    xp: LimitedXp | None = None


class InventoryRecordAssignment(Resource):
    """Whose orders a record's stock is for: a buyer's, or one of its groups'."""

    inventory_record_id: ID
    buyer_id: ID
    user_group_id: ID | None = None


class Catalog(Resource):
    """A tree of categories with products in it. ``category_count`` is counted."""

    id: ID
    owner_id: ID | None = None
    name: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=2000)
    active: bool = True
    category_count: Annotated[Count | None, READ_ONLY] = None
    xp: LimitedXp | None = None


class CatalogAssignment(Resource):
    """A buyer sees a catalog, and what of it unless a category says otherwise."""

    catalog_id: ID
    buyer_id: ID
    view_all_categories: bool = False
    view_all_products: bool = False


class ProductCatalogAssignment(Resource):
    catalog_id: ID
    product_id: ID


class Category(Resource):
    """A node in a catalog's tree; without ``parent_id`` at its root. ``child_count`` counts the
    nodes right below."""

    id: ID
    name: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=2000)
    list_order: Integer | None = None
    active: bool = True
    parent_id: ID | None = None
    child_count: Annotated[Count | None, READ_ONLY] = None
    xp: LimitedXp | None = None


class CategoryAssignment(Resource):
    """What a buyer, or one of its groups, sees of a category. Null is as the category above has
    it, or the catalog."""

    category_id: ID
    buyer_id: ID
    user_group_id: ID | None = None
    visible: bool | None = None
    view_all_products: bool | None = None


class CategoryProductAssignment(Resource):
    category_id: ID
    product_id: ID
    list_order: Integer | None = None


class PromotionAssignment(Resource):
    """Who may use a promotion: a buyer, or one of its groups."""

    promotion_id: ID
    buyer_id: ID
    user_group_id: ID | None = None
