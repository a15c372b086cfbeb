"""Catalogue: suppliers, buyers, products, prices, promotions, stock, and where stock stands."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.base import (
    ID,
    READ_ONLY,
    Address,
    Count,
    CurrencyCode,
    LimitedXp,
    Resource,
    Time,
    Xp,
)
from shared.money import NonNegativeMoney, PositiveMoney


class Supplier(Resource):
    id: ID
    name: str = Field(min_length=1, max_length=100)
    active: bool = True
    all_buyers_can_order: bool = True
    date_created: Annotated[Time | None, READ_ONLY] = None
    xp: Xp | None = None


class Buyer(Resource):
    """A company that buys. ``currency`` is what its orders are in when they name none;
    ``default_catalog_id`` is the catalog that is meant where a request names none."""

    id: ID
    name: str = Field(min_length=1, max_length=100)
    active: bool = True
    currency: CurrencyCode | None = None
    default_catalog_id: ID | None = None
    date_created: Annotated[Time | None, READ_ONLY] = None
    xp: Xp | None = None


class Inventory(Resource):
    """Stock of a product. Only an ``enabled`` inventory is tracked and enforced;
    ``order_can_exceed`` accepts orders beyond it. With ``variant_level_tracking`` the variants
    have the stock, and the product the sum."""

    enabled: bool = True
    quantity_available: int | None = None
    order_can_exceed: bool = False
    notification_point: int | None = None
    variant_level_tracking: bool = False
    last_updated: Annotated[Time | None, READ_ONLY] = None


class ProductBasics(Resource):
    """What buyers, too, see of a product. Weight and sizes are in the marketplace's own units.
    ``spec_count`` and ``variant_count`` are counted; ``is_bundle`` is always false."""

    id: ID
    name: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=2000)
    active: bool = True
    parent_id: ID | None = None
    is_parent: bool = False
    is_bundle: Annotated[bool, READ_ONLY] = False
    default_supplier_id: ID | None = None
    all_suppliers_can_sell: bool = False
    quantity_multiplier: int = Field(1, ge=1)
    ship_weight: NonNegativeMoney | None = None
    ship_height: NonNegativeMoney | None = None
    ship_width: NonNegativeMoney | None = None
    ship_length: NonNegativeMoney | None = None
    ship_from_address_id: ID | None = None
    returnable: bool = False
    inventory: Inventory | None = None
    spec_count: Annotated[Count | None, READ_ONLY] = None
    variant_count: Annotated[Count | None, READ_ONLY] = None
    date_created: Annotated[Time | None, READ_ONLY] = None
    xp: Xp | None = None


class Product(ProductBasics):
    """Something that is sold. ``owner_id`` is the marketplace's owner or a supplier;
    ``default_price_schedule_id`` prices it where no assignment does; ``auto_forward`` sends an
    order's lines on to the default supplier without being asked."""

    owner_id: ID | None = None
    default_price_schedule_id: ID | None = None
    auto_forward: bool = False
    taxable: bool = True


class PriceBreak(Resource):
    """From ``quantity`` units on, a unit costs ``price``, or ``sale_price`` during a sale.
    ``subscription_price`` and ``bundle_price`` are kept, not used."""

    quantity: int = Field(ge=1)
    price: NonNegativeMoney
    sale_price: NonNegativeMoney | None = None
    subscription_price: NonNegativeMoney | None = None
    bundle_price: NonNegativeMoney | None = None


class PriceSchedule(Resource):
    """Prices of a product by quantity. ``sale_start`` and ``sale_end`` bound the sale, either
    may be open; ``restricted_quantity`` allows only the quantities of its breaks;
    ``use_cumulative_quantity`` counts all lines of a product together. ``apply_tax`` and
    ``apply_shipping`` are for reference only."""

    id: ID
    owner_id: ID | None = None
    name: str = Field(min_length=1, max_length=100)
    apply_tax: bool = False
    apply_shipping: bool = False
    currency: CurrencyCode | None = None
    min_quantity: int = Field(1, ge=1)
    max_quantity: int | None = Field(None, ge=1)
    use_cumulative_quantity: bool = False
    restricted_quantity: bool = False
    price_breaks: list[PriceBreak] = Field(min_length=1, max_length=100)
    sale_start: Time | None = None
    sale_end: Time | None = None
    is_on_sale: Annotated[bool | None, READ_ONLY] = None
    xp: Xp | None = None


class DiscountType(StrEnum):
    PERCENTAGE = "Percentage"
    AMOUNT = "Amount"


class Promotion(Resource):
    """A discount that a buyer asks for by ``code``.

    It takes off either ``value``, where ``discount_type`` is given, or what ``value_expression``
    comes to, for what ``eligible_expression`` accepts (with ``use_integration`` somebody else says
    how much).

    ``value`` is per cent for ``Percentage`` (``10`` = 10 %) and, for ``Amount``, money off the
    order, or off each matching line where ``line_item_level`` is set. ``product_ids`` narrows
    what counts (all lines where absent); ``minimum_subtotal`` is the smallest order subtotal.
    ``redemption_limit`` counts orders over all buyers, ``redemption_limit_per_user`` orders of
    one user (of the buyer where an order names no user). ``buyer_ids`` says who may use it
    where ``allow_all_buyers`` is off.

    On the line level, ``item_limit_per_order`` bounds the lines and ``quantity_limit_per_order``
    the units that it applies to, the first by ``item_sort_by``: names of fields with commas
    between, ``!`` in front of one reverses it.
    """

    id: ID
    owner_id: ID | None = None
    code: str = Field(min_length=1, max_length=100)
    name: str | None = Field(None, max_length=100)
    description: str | None = Field(None, max_length=2000)
    fine_print: str | None = Field(None, max_length=10_000)
    active: bool = True
    line_item_level: bool = False
    discount_type: DiscountType | None = None
    value: PositiveMoney | None = None
    eligible_expression: str | None = Field(None, min_length=1, max_length=400)
    value_expression: str | None = Field(None, min_length=1, max_length=400)
    use_integration: bool = False
    minimum_subtotal: NonNegativeMoney | None = None
    product_ids: list[ID] | None = None
    start_date: Time | None = None
    expiration_date: Time | None = None
    redemption_limit: int | None = Field(None, ge=1)
    redemption_limit_per_user: int | None = Field(None, ge=1)
    redemption_count: Annotated[Count | None, READ_ONLY] = None
    quantity_limit_per_order: Count | None = Field(None, ge=1)
    item_limit_per_order: Count | None = Field(None, ge=1)
    item_sort_by: str | None = Field(None, max_length=1000)
    can_combine: bool = True
    auto_apply: bool = False
    allow_all_buyers: bool = True
    buyer_ids: list[ID] | None = None
    priority: int | None = None
    xp: Xp | None = None

    @model_validator(mode="after")
    def _takes_something_off(self) -> "Promotion":
        if (self.discount_type is None) != (self.value is None):
            raise ValueError("DiscountType and Value go together; give both or neither")
        if self.value is None and self.value_expression is None and not self.use_integration:
            raise PydanticCustomError(
                "Promotion.ValueExpressionCannotBeNull",
                "say what the promotion takes off: give a ValueExpression, or DiscountType and"
                " Value",
            )
        if (self.value is not None) + (self.value_expression is not None) > 1:
            raise ValueError("give either ValueExpression or DiscountType and Value, not both")
        if self.value is not None and self.use_integration:
            raise ValueError("with UseIntegration leave DiscountType and Value out")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> "Promotion":
        percentage = self.discount_type is DiscountType.PERCENTAGE
        if percentage and self.value is not None and self.value > 100:
            raise ValueError("a Percentage promotion takes off at most 100 per cent; lower Value")
        if self.start_date and self.expiration_date and self.expiration_date <= self.start_date:
            raise PydanticCustomError(
                "Promotion.ExpirationPrecedsStart", "ExpirationDate must be after StartDate"
            )
        return self

    @model_validator(mode="after")
    def _limits_fit(self) -> "Promotion":
        items, quantity = self.item_limit_per_order, self.quantity_limit_per_order
        if items is not None and quantity is not None:
            raise PydanticCustomError(
                "Promotion.CannotSetQuantityAndItemLimitPerOrder",
                "a promotion has either an ItemLimitPerOrder or a QuantityLimitPerOrder; give one",
            )
        if not self.line_item_level and items is not None:
            raise PydanticCustomError(
                "Promotion.CannotSetItemLimitPerOrder",
                "ItemLimitPerOrder counts lines; set LineItemLevel, or leave it out",
            )
        if not self.line_item_level and quantity is not None:
            raise PydanticCustomError(
                "Promotion.CannotSetQuantityLimitPerOrder",
                "QuantityLimitPerOrder counts units of lines; set LineItemLevel, or leave it out",
            )
        if self.item_sort_by is not None and items is None and quantity is None:
            raise PydanticCustomError(
                "Promotion.CannotSetItemSortBy",
                "ItemSortBy needs an ItemLimitPerOrder or a QuantityLimitPerOrder; give one",
            )
        return self


class FixedPromotion(Promotion):
    """A promotion that takes off a ``value``."""

    __doc__ = Promotion.__doc__

    discount_type: DiscountType
    value: PositiveMoney


class SaveInventory(Resource):
    """Sets how much of a product is available: ``id`` is the product's. With ``location_id``
    it sets the stock of that warehouse or store, and the product's stock is their sum."""

    id: ID
    quantity_available: int = Field(ge=0)
    location_id: ID | None = None
    enabled: bool = True
    order_can_exceed: bool = False
    notification_point: int | None = None


class LocationType(StrEnum):
    WAREHOUSE = "Warehouse"
    STORE = "Store"


class Location(Resource):
    """A warehouse or store of a supplier, or of the marketplace's owner where ``owner_id`` is
    absent. A lower ``priority`` is asked first."""

    id: ID
    name: str | None = Field(None, max_length=100)
    owner_id: ID | None = None
    type: LocationType = LocationType.WAREHOUSE
    address: Address | None = None
    priority: int = 100
    active: bool = True
    xp: Xp | None = None


class SourcingStrategy(StrEnum):
    NEAREST = "Nearest"
    PRIORITY = "Priority"


class SourcingRule(Resource):
    """How stock is chosen among an owner's locations. ``id`` is the supplier's ID, or the
    marketplace's for its own stock. Without ``allow_split`` a line comes from one location."""

    id: ID
    strategy: SourcingStrategy = SourcingStrategy.PRIORITY
    allow_split: bool = True


class BuyerApprovalRule(Resource):
    """Orders of a buyer with a total above ``order_total_above``, or for which
    ``rule_expression`` holds, await the approval of somebody in ``approving_group_id``."""

    id: ID
    name: str | None = Field(None, max_length=100)
    description: str | None = Field(None, max_length=2000)
    approving_group_id: ID | None = None
    order_total_above: NonNegativeMoney | None = None
    rule_expression: str | None = Field(None, min_length=1, max_length=400)
    active: bool = True
    xp: LimitedXp | None = None

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> "BuyerApprovalRule":
        if (self.order_total_above is None) == (self.rule_expression is None):
            raise ValueError("give either OrderTotalAbove or RuleExpression, and not both")
        return self


class RequestedApprovalRule(BuyerApprovalRule):
    """Orders of a buyer for which ``rule_expression`` holds await the approval of somebody in
    ``approving_group_id``."""

    approving_group_id: ID
    rule_expression: str = Field(min_length=1, max_length=400)


class ApprovalRule(BuyerApprovalRule):
    """Orders of ``buyer_id`` with a total above ``order_total_above``, or for which
    ``rule_expression`` holds, await the approval of somebody in ``approving_group_id``."""

    buyer_id: ID


class ThresholdRule(ApprovalRule):
    """Orders of ``buyer_id`` with a total above ``order_total_above`` await the approval of
    somebody in ``approving_group_id``."""

    order_total_above: NonNegativeMoney


class Webhook(Resource):
    """Where events are posted to: ``url`` gets every event whose ``ce_type`` is among
    ``event_types`` (all where absent), signed with each of ``hash_keys`` (two during a
    rotation)."""

    id: ID
    url: str = Field(max_length=2000)
    hash_keys: list[str] = Field(min_length=1, max_length=2)
    event_types: list[str] | None = None
    active: bool = True


class Delete(Resource):
    """The body of every ``Delete…`` command."""

    id: ID
