"""Buyer orders: the commands that make them, the resources, the events that follow."""

from enum import StrEnum
from typing import Any

from pydantic import Field, field_validator

from shared.contracts.base import ID, Address, CurrencyCode, Error, Resource, Time, Xp
from shared.money import ZERO, Money, NonNegativeMoney


class OrderStatus(StrEnum):
    """OrderCloud's order states."""

    UNSUBMITTED = "Unsubmitted"
    AWAITING_APPROVAL = "AwaitingApproval"
    DECLINED = "Declined"
    OPEN = "Open"
    COMPLETED = "Completed"
    CANCELED = "Canceled"


class PaymentType(StrEnum):
    PURCHASE_ORDER = "PurchaseOrder"
    CREDIT_CARD = "CreditCard"
    SPENDING_ACCOUNT = "SpendingAccount"


class OrderUser(Resource):
    """Who placed an order. ``email`` is where the buyer's notifications go."""

    id: ID | None = None
    username: str | None = Field(None, max_length=100)
    first_name: str | None = Field(None, max_length=100)
    last_name: str | None = Field(None, max_length=100)
    email: str | None = Field(None, max_length=200)
    phone: str | None = Field(None, max_length=100)
    xp: Xp | None = None


class ShipMethodSelection(Resource):
    ship_estimate_id: str = Field(max_length=100)
    ship_method_id: str = Field(max_length=100)


class Payment(Resource):
    """A payment given with an order. ``amount`` is in the order's currency; null means whatever
    the other payments leave open."""

    id: ID | None = None
    type: PaymentType
    amount: NonNegativeMoney | None = None
    accepted: bool = True
    description: str | None = Field(None, max_length=2000)
    xp: Xp | None = None


# --- commands -------------------------------------------------------------------------------


class OrderDraft(Resource):
    """An order as a caller gives it."""

    id: ID
    from_company_id: ID
    from_user: OrderUser | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    currency: CurrencyCode | None = None
    comments: str | None = Field(None, max_length=2000)
    xp: Xp | None = None

    @field_validator("from_user", mode="before", json_schema_input_type=ID | OrderUser | None)
    @classmethod
    def _user_id_alone(cls, value: Any) -> Any:
        """A user may be named by ID alone: ``"FromUser": "ada"``."""
        return {"ID": value} if isinstance(value, str) else value


class LineItemDraft(Resource):
    """A line as a caller gives it. ``unit_price`` and ``shipping_cost`` override what pricing
    would find; ``shipping_cost`` is for the whole line."""

    id: ID | None = None
    product_id: ID
    quantity: int = 1
    unit_price: NonNegativeMoney | None = None
    supplier_id: ID | None = None
    shipping_cost: NonNegativeMoney | None = None
    shipping_address: Address | None = None
    xp: Xp | None = None


class PlaceOrder(Resource):
    """Create, calculate and submit an order in one."""

    order: OrderDraft
    line_items: list[LineItemDraft] = Field(default_factory=list, max_length=5000)
    payments: list[Payment] | None = Field(None, max_length=100)
    promotions: list[str] | None = Field(None, max_length=100)
    ship_method_selections: list[ShipMethodSelection] | None = Field(None, max_length=1000)


class ApproveOrder(Resource):
    order_id: ID
    comments: str | None = Field(None, max_length=2000)
    approving_user: str | None = Field(None, max_length=100)


class DeclineOrder(ApproveOrder):
    pass


class CancelOrder(ApproveOrder):
    pass


# --- resources ------------------------------------------------------------------------------


class LineItemProduct(Resource):
    """What a line keeps of its product, as it was when the order was priced."""

    id: ID
    name: str | None = None
    description: str | None = None
    returnable: bool | None = None
    quantity_multiplier: int | None = None
    default_supplier_id: ID | None = None
    xp: Xp | None = None


class LineSource(Resource):
    """From which warehouse or store how many units of a line were promised."""

    location_id: ID
    quantity: int


class LineItem(Resource):
    """A priced line. ``line_subtotal`` = ``unit_price`` x ``quantity``; ``line_total`` =
    ``line_subtotal`` - ``promotion_discount``; ``shipping_cost`` is the line's own, where a
    channel gave one. ``quantity_shipped`` counts distinct shipment items."""

    id: ID
    product_id: ID
    quantity: int
    quantity_shipped: int = 0
    unit_price: Money | None = None
    price_overridden: bool = False
    is_on_sale: bool = False
    price_schedule_id: ID | None = None
    line_subtotal: Money = ZERO
    promotion_discount: Money = ZERO
    line_total: Money = ZERO
    shipping_cost: Money | None = None
    supplier_id: ID | None = None
    shipping_address: Address | None = None
    sources: list[LineSource] | None = None
    product: LineItemProduct | None = None
    xp: Xp | None = None


class OrderPromotion(Resource):
    """A promotion as applied; ``amount`` is the discount, positive. ``line_item_id`` is set for
    one that applies to a line."""

    id: ID
    code: str
    amount: Money
    line_item_id: ID | None = None
    line_item_level: bool = False
    name: str | None = None


class Order(Resource):
    """A buyer's order. ``total`` = ``subtotal`` + ``tax_cost`` + ``shipping_cost`` -
    ``promotion_discount``, all in ``currency``. ``date_created`` is when Kafka acknowledged the
    command."""

    id: ID
    from_company_id: ID
    from_user: OrderUser | None = None
    to_company_id: ID | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    comments: str | None = None
    currency: str
    status: OrderStatus
    is_submitted: bool = False
    line_item_count: int = 0
    date_created: Time
    date_submitted: Time | None = None
    date_approved: Time | None = None
    date_declined: Time | None = None
    date_canceled: Time | None = None
    date_completed: Time | None = None
    last_updated: Time
    subtotal: Money = ZERO
    shipping_cost: Money = ZERO
    shipping_cost_overridden: bool = False
    tax_cost: Money = ZERO
    promotion_discount: Money = ZERO
    total: Money = ZERO
    xp: Xp | None = None


class ShipmentNotice(Resource):
    """What an order's event says of the shipment that caused it."""

    id: ID
    shipper: str | None = None
    tracking_number: str | None = None
    date_shipped: Time | None = None


class OrderEvent(Resource):
    """The body of every event on ``orders.events``: the whole order after the change."""

    order: Order
    line_items: list[LineItem]
    payments: list[Payment] = Field(default_factory=list)
    promotions: list[OrderPromotion] = Field(default_factory=list)
    comments: str | None = None
    approving_user: str | None = None
    shipment: ShipmentNotice | None = None


# --- refusals -------------------------------------------------------------------------------


class CommandReference(Resource):
    """Which command was refused: its topic, type, ``ce_id`` and ``ce_source``."""

    topic: str
    type: str
    id: str
    source: str


class CommandRejected(Resource):
    command: CommandReference
    order_id: str | None = None
    errors: list[Error]


# --- between checkout and pricing (no public contract) ----------------------------------------


class PriceOrder(Resource):
    """Asks pricing to price an order and, if nothing speaks against it, to promise its stock.

    ``payments_total``: what the payments cover; null = on account. ``approval_above``: an order
    whose total exceeds it is priced but not promised, because it awaits approval. ``hold`` says
    that checkout already found errors: price and collect pricing's errors, promise nothing.
    ``priced`` carries the lines of an order that was priced before and only needs its promise.
    ``order`` is what is known of the order itself, where it asks for promotions: their expressions
    may name any of it.
    """

    order_id: ID
    buyer_id: ID
    user_id: str | None = None
    currency: CurrencyCode | None = None
    shipping_address: Address | None = None
    line_items: list[LineItemDraft]
    promotions: list[str] = Field(default_factory=list)
    ship_method_selections: list[ShipMethodSelection] = Field(default_factory=list)
    payments_total: Money | None = None
    approval_above: Money | None = None
    hold: bool = False
    order: Order | None = None
    priced: "Pricing | None" = None


class Pricing(Resource):
    """What pricing found: amounts in ``currency``."""

    currency: str
    line_items: list[LineItem]
    promotions: list[OrderPromotion] = Field(default_factory=list)
    subtotal: Money
    shipping_cost: Money
    shipping_cost_overridden: bool = False
    tax_cost: Money
    promotion_discount: Money
    total: Money


class OrderPriced(Resource):
    """Pricing's answer. With ``errors`` nothing is promised. ``promised`` tells whether stock and
    redemptions are held for the order. ``request_id`` is the ``ce_id`` of the request."""

    order_id: ID
    request_id: str
    pricing: Pricing | None = None
    promised: bool = False
    errors: list[Error] = Field(default_factory=list)


class ReleaseOrder(Resource):
    """Gives back what was promised to an order."""

    order_id: ID


PriceOrder.model_rebuild()
