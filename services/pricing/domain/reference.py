"""What an order is priced against."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.pricing.domain.shipping import ShippingProvider
from services.pricing.domain.tax import TaxProvider
from shared.contracts.catalog import PriceSchedule, Product, Promotion, Supplier
from shared.contracts.orders import LineItemProduct


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all orders of a deployment. ``marketplace_id`` is the marketplace's owner,
    who is always a valid supplier; ``currency`` is used where nothing else names one."""

    marketplace_id: str
    currency: str
    shipping: ShippingProvider
    tax: TaxProvider


@dataclass(frozen=True, slots=True)
class Reference:
    """Catalogue and parties by ID, promotions by code: all that a batch of orders names, as far
    as it exists."""

    products: Mapping[str, Product]
    schedules: Mapping[str, PriceSchedule]
    promotions: Mapping[str, Promotion]
    suppliers: Mapping[str, Supplier]
    _snapshots: dict[str, LineItemProduct] = field(default_factory=dict)

    def snapshot(self, product: Product) -> LineItemProduct:
        """What lines keep of ``product``; made once for all lines of a batch."""
        known = self._snapshots.get(product.id)
        if known is None:
            known = self._snapshots[product.id] = LineItemProduct(
                id=product.id,
                name=product.name,
                description=product.description,
                returnable=product.returnable,
                quantity_multiplier=product.quantity_multiplier,
                default_supplier_id=product.default_supplier_id,
                xp=product.xp,
            )
        return known
