"""Readable data for the tests of pricing. Every builder gives something valid."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.pricing.domain.order import PricedOrder, price_order
from services.pricing.domain.reference import Reference, Terms
from services.pricing.domain.shipping import FlatShipping
from services.pricing.domain.tax import FlatTax
from shared.contracts.base import Error
from shared.contracts.catalog import (
    DiscountType,
    PriceBreak,
    PriceSchedule,
    Product,
    Promotion,
    Supplier,
)
from shared.contracts.orders import LineItemDraft, PriceOrder, Pricing
from tests.support.fakes import START


def money(text: str | int) -> Decimal:
    return Decimal(text)


def schedule(*breaks: tuple[int, str] | tuple[int, str, str], **fields: Any) -> PriceSchedule:
    """A schedule named ``ps`` of (quantity, price) or (quantity, price, sale price); 10.00 from
    the first unit on where none is given."""
    return PriceSchedule(
        **{
            "id": "ps",
            "name": "Prices",
            "price_breaks": [
                PriceBreak(
                    quantity=given[0],
                    price=money(given[1]),
                    sale_price=money(given[2]) if len(given) == 3 else None,
                )
                for given in breaks or [(1, "10.00")]
            ],
            **fields,
        }
    )


def product(id: str = "mug", **fields: Any) -> Product:
    """A product priced by ``ps``."""
    return Product(**{"id": id, "name": id, "default_price_schedule_id": "ps", **fields})


def promotion(code: str = "TEN", value: str = "10", **fields: Any) -> Promotion:
    """Ten per cent off the order."""
    return Promotion(
        **{
            "id": f"id-{code}",
            "code": code,
            "discount_type": DiscountType.PERCENTAGE,
            "value": money(value),
            **fields,
        }
    )


def amount_off(code: str, value: str, **fields: Any) -> Promotion:
    return promotion(code, value, discount_type=DiscountType.AMOUNT, **fields)


def line(product_id: str = "mug", quantity: int = 1, **fields: Any) -> LineItemDraft:
    return LineItemDraft(**{"product_id": product_id, "quantity": quantity, **fields})


def request(*lines: LineItemDraft, **fields: Any) -> PriceOrder:
    """A request of buyer ``acme``; its lines get the IDs L1, L2, …"""
    return PriceOrder(
        **{
            "order_id": "O-1",
            "buyer_id": "acme",
            "line_items": [
                given if given.id else given.model_copy(update={"id": f"L{at}"})
                for at, given in enumerate(lines or [line()], 1)
            ],
            **fields,
        }
    )


def reference(
    *,
    products: Sequence[Product] = (),
    schedules: Sequence[PriceSchedule] = (),
    promotions: Sequence[Promotion] = (),
    suppliers: Sequence[Supplier] = (),
) -> Reference:
    """A mug, a cup and their price where nothing else is given."""
    return Reference(
        {each.id: each for each in products or [product("mug"), product("cup")]},
        {each.id: each for each in schedules or [schedule()]},
        {each.code: each for each in promotions},
        {each.id: each for each in suppliers},
    )


def terms(*, tax: str = "0", shipping: dict[str, str] | None = None) -> Terms:
    """No tax and free shipping where nothing else is given."""
    rates = {name: money(cost) for name, cost in (shipping or {}).items()}
    return Terms("marketplace", "USD", FlatShipping(rates), FlatTax(money(tax)))


def price(
    given: PriceOrder | None = None,
    *,
    on: Terms | None = None,
    now: datetime = START,
    **catalogue: Any,
) -> PricedOrder:
    return price_order(given or request(), reference(**catalogue), on or terms(), now)


def priced(*args: Any, **kwargs: Any) -> Pricing:
    """The pricing of an order that nothing speaks against."""
    result = price(*args, **kwargs)
    assert result.errors == []
    assert result.pricing is not None
    return result.pricing


def errors(*args: Any, **kwargs: Any) -> list[Error]:
    return price(*args, **kwargs).errors


def codes(*args: Any, **kwargs: Any) -> list[str]:
    return [error.error_code for error in errors(*args, **kwargs)]


def refusal(*args: Any, **kwargs: Any) -> Error:
    """The one error of an order."""
    [error] = errors(*args, **kwargs)
    return error
