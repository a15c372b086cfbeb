"""Catalogue: suppliers, buyers, products, prices, promotions, stock, and where stock stands."""

from enum import StrEnum

from pydantic import Field, model_validator

from shared.contracts.base import ID, Address, CurrencyCode, Resource, Time, Xp
from shared.money import NonNegativeMoney, PositiveMoney


class Supplier(Resource):
    id: ID
    name: str = Field(min_length=1, max_length=100)
    active: bool = True
    all_buyers_can_order: bool = True
    xp: Xp | None = None


class Buyer(Resource):
    """A company that buys. ``currency`` is what its orders are in when they name none."""

    id: ID
    name: str = Field(min_length=1, max_length=100)
    active: bool = True
    currency: CurrencyCode | None = None
    xp: Xp | None = None


class Inventory(Resource):
    """Stock of a product. Only an ``enabled`` inventory is tracked and enforced;
    ``order_can_exceed`` accepts orders beyond it."""

    enabled: bool = True
    quantity_available: int | None = None
    order_can_exceed: bool = False
    notification_point: int | None = None


class Product(Resource):
    id: ID
    name: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=2000)
    active: bool = True
    default_supplier_id: ID | None = None
    default_price_schedule_id: ID | None = None
    quantity_multiplier: int = Field(1, ge=1)
    returnable: bool = False
    taxable: bool = True
    inventory: Inventory | None = None
    xp: Xp | None = None


class PriceBreak(Resource):
    """From ``quantity`` units on, a unit costs ``price``, or ``sale_price`` during a sale."""

    quantity: int = Field(ge=1)
    price: NonNegativeMoney
    sale_price: NonNegativeMoney | None = None


class PriceSchedule(Resource):
    """Prices of a product by quantity. ``sale_start`` and ``sale_end`` bound the sale, either
    may be open; ``restricted_quantity`` allows only the quantities of its breaks;
    ``use_cumulative_quantity`` counts all lines of a product together."""

    id: ID
    name: str = Field(min_length=1, max_length=100)
    currency: CurrencyCode | None = None
    min_quantity: int = Field(1, ge=1)
    max_quantity: int | None = Field(None, ge=1)
    use_cumulative_quantity: bool = False
    restricted_quantity: bool = False
    price_breaks: list[PriceBreak] = Field(min_length=1, max_length=100)
    sale_start: Time | None = None
    sale_end: Time | None = None
    xp: Xp | None = None


class DiscountType(StrEnum):
    PERCENTAGE = "Percentage"
    AMOUNT = "Amount"


class Promotion(Resource):
    """A discount that a buyer asks for by ``code``.

    ``value`` is per cent for ``Percentage`` (``10`` = 10 %) and, for ``Amount``, money off the
    order, or off each matching line where ``line_item_level`` is set. ``product_ids`` narrows
    what counts (all lines where absent); ``minimum_subtotal`` is the smallest order subtotal.
    ``redemption_limit`` counts orders over all buyers, ``redemption_limit_per_user`` orders of
    one user (of the buyer where an order names no user). ``buyer_ids`` says who may use it
    where ``allow_all_buyers`` is off.

    ``value_expression`` may say what it takes off instead of ``discount_type`` and ``value``, and
    ``eligible_expression`` which orders, or lines, it is for: texts in the language of rule
    expressions, at most 400 characters each.
    """

    id: ID
    code: str = Field(min_length=1, max_length=100)
    name: str | None = Field(None, max_length=100)
    description: str | None = Field(None, max_length=2000)
    active: bool = True
    line_item_level: bool = False
    discount_type: DiscountType | None = None
    value: PositiveMoney | None = None
    eligible_expression: str | None = Field(None, min_length=1, max_length=400)
    value_expression: str | None = Field(None, min_length=1, max_length=400)
    minimum_subtotal: NonNegativeMoney | None = None
    product_ids: list[ID] | None = None
    start_date: Time | None = None
    expiration_date: Time | None = None
    redemption_limit: int | None = Field(None, ge=1)
    redemption_limit_per_user: int | None = Field(None, ge=1)
    can_combine: bool = True
    allow_all_buyers: bool = True
    buyer_ids: list[ID] | None = None
    priority: int | None = None
    xp: Xp | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Promotion":
        if (self.discount_type is None) != (self.value is None):
            raise ValueError("give DiscountType and Value together")
        if (self.value_expression is None) == (self.value is None):
            raise ValueError("give either ValueExpression or DiscountType and Value")
        if self.discount_type is DiscountType.PERCENTAGE and (self.value or 0) > 100:
            raise ValueError("a Percentage promotion takes off at most 100 per cent; lower Value")
        if self.start_date and self.expiration_date and self.expiration_date <= self.start_date:
            raise ValueError("ExpirationDate must be after StartDate")
        return self


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


class ApprovalRule(Resource):
    """Orders of ``buyer_id`` await approval if their total is above ``order_total_above``, or if
    ``rule_expression`` is true of them: a rule has one of the two. The expression is text in the
    language of rule expressions, at most 400 characters."""

    id: ID
    buyer_id: ID
    name: str | None = Field(None, max_length=100)
    description: str | None = Field(None, max_length=2000)
    approving_group_id: ID | None = None
    rule_expression: str | None = Field(None, min_length=1, max_length=400)
    order_total_above: NonNegativeMoney | None = None
    active: bool = True

    @model_validator(mode="after")
    def _one_condition(self) -> "ApprovalRule":
        if (self.rule_expression is None) == (self.order_total_above is None):
            raise ValueError("give either RuleExpression or OrderTotalAbove")
        return self


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
