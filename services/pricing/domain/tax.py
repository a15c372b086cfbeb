"""Tax: the port that a tax provider fills, and a flat rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from shared.contracts.base import Address
from shared.money import ZERO, round_money


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """A line as a tax provider sees it: ``amount`` is what is left of it after all discounts,
    those of the whole order included."""

    product_id: str
    taxable: bool
    amount: Decimal
    ship_to: Address | None


class TaxProvider(Protocol):
    """Finds an order's tax."""

    def tax(self, lines: Sequence[TaxedLine], currency: str) -> Decimal:
        """The tax on ``lines``, in ``currency`` and rounded to it."""
        ...


@dataclass(frozen=True, slots=True)
class FlatTax:
    """``rate`` (0.07 is 7 %) on the sum of all taxable lines, rounded once."""

    rate: Decimal

    def tax(self, lines: Sequence[TaxedLine], currency: str) -> Decimal:
        if not self.rate:
            return ZERO
        base = sum((line.amount for line in lines if line.taxable), ZERO)
        return round_money(base * self.rate, currency)
