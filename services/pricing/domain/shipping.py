"""Shipping: the port that a rate provider fills, a flat rate, and what an order's parts cost.

A part is what one supplier sends. Its estimate has the supplier's ID; the lines of the
marketplace's owner and those without a supplier are one part under the owner's ID. A ship method's
ID is its name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from shared.contracts.base import Error
from shared.contracts.orders import ShipMethodSelection
from shared.money import ZERO, round_money


@dataclass(frozen=True, slots=True)
class ShippedLine:
    """A line as shipping sees it. ``override`` is what a channel says the line's shipping costs;
    it replaces the estimate for this line."""

    part_id: str
    product_id: str
    quantity: int
    override: Decimal | None


class ShippingProvider(Protocol):
    """Finds what ship methods a part can go by."""

    def methods(
        self, part_id: str, lines: Sequence[ShippedLine], currency: str
    ) -> Mapping[str, Decimal]:
        """Cost by ship method for the lines of one part, in ``currency``. Empty: no estimate,
        the part ships for nothing."""
        ...


@dataclass(frozen=True, slots=True)
class FlatShipping:
    """The same ``rates`` (cost by ship method) for every part, rounded to the currency."""

    rates: Mapping[str, Decimal]

    def methods(
        self, part_id: str, lines: Sequence[ShippedLine], currency: str
    ) -> Mapping[str, Decimal]:
        return {name: round_money(cost, currency) for name, cost in self.rates.items()}


def shipping_cost(
    lines: Sequence[ShippedLine],
    selections: Iterable[ShipMethodSelection],
    provider: ShippingProvider,
    currency: str,
) -> tuple[Decimal, list[Error]]:
    """What shipping an order costs: overrides, and an estimate for every part that has a line
    without one. The cheapest method is taken where none is selected."""
    cost = sum((line.override for line in lines if line.override is not None), ZERO)
    parts: dict[str, list[ShippedLine]] = {}
    for line in lines:
        estimated = parts.setdefault(line.part_id, [])
        if line.override is None:
            estimated.append(line)
    selected = {choice.ship_estimate_id: choice.ship_method_id for choice in selections}
    errors = [
        _no_such_estimate(part_id, sorted(parts)) for part_id in selected if part_id not in parts
    ]
    for part_id, estimated in parts.items():
        if not estimated:
            continue
        methods = provider.methods(part_id, estimated, currency)
        method = selected.get(part_id)
        if method is None:
            cost += min(methods.values(), default=ZERO)
        elif method in methods:
            cost += methods[method]
        else:
            errors.append(_no_such_method(part_id, method, sorted(methods)))
    return cost, errors


def _no_such_estimate(part_id: str, known: list[str]) -> Error:
    return Error(
        error_code="IntegrationEvent.MustHaveShipEstimates",
        message=f"The order has no ship estimate {part_id}; select one of {', '.join(known)}.",
        data={"ShipEstimateID": part_id, "ShipEstimateIDs": known},
    )


def _no_such_method(part_id: str, method: str, known: list[str]) -> Error:
    return Error(
        error_code="IntegrationEvent.MustHaveShipEstimates",
        message=(
            f"Ship estimate {part_id} has no method {method}; "
            f"select one of {', '.join(known) or 'none'}."
        ),
        data={"ShipEstimateID": part_id, "ShipMethodID": method, "ShipMethodIDs": known},
    )
