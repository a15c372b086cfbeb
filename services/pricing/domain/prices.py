"""Unit prices and quantity rules of one price schedule."""

from datetime import datetime
from decimal import Decimal

from shared.contracts.base import Error
from shared.contracts.catalog import PriceBreak, PriceSchedule


def is_sale_time(schedule: PriceSchedule, now: datetime) -> bool:
    """Whether ``now`` is in the sale: both edges belong to it, either may be open. A schedule
    with neither has no sale."""
    return is_between(schedule.sale_start, schedule.sale_end, now)


def is_between(start: datetime | None, end: datetime | None, now: datetime) -> bool:
    """:func:`is_sale_time` of a sale from ``start`` to ``end``."""
    if start is None and end is None:
        return False
    return (start is None or start <= now) and (end is None or now <= end)


def price_break(schedule: PriceSchedule, quantity: int) -> PriceBreak | None:
    """The break with the highest quantity that ``quantity`` reaches; None below the lowest."""
    best: PriceBreak | None = None
    for candidate in schedule.price_breaks:
        if candidate.quantity <= quantity and (best is None or candidate.quantity > best.quantity):
            best = candidate
    return best


def unit_price(
    schedule: PriceSchedule, quantity: int, now: datetime
) -> tuple[Decimal, bool] | None:
    """What one unit costs when ``quantity`` are taken, and whether that is a sale price. None
    below the lowest break."""
    found = price_break(schedule, quantity)
    if found is None:
        return None
    if found.sale_price is not None and is_sale_time(schedule, now):
        return found.sale_price, True
    return found.price, False


def quantity_errors(
    schedule: PriceSchedule, product_id: str, quantity: int, line_ids: list[str], *, priced: bool
) -> list[Error]:
    """What speaks against taking ``quantity`` units: of one line, or of all lines of the product
    where the schedule counts them together. ``priced``: the schedule's prices are used, so one
    of its breaks must be reached."""
    rules = schedule.price_breaks
    minimum = schedule.min_quantity
    if priced:
        minimum = max(minimum, min(rule.quantity for rule in rules))
    data: dict[str, object] = {
        "ProductID": product_id,
        "PriceScheduleID": schedule.id,
        "LineItemIDs": line_ids,
        "Quantity": quantity,
    }
    errors = []
    if quantity < minimum:
        errors.append(
            Error(
                error_code=_code(schedule, "CannotBeLessThanMin"),
                message=f"Order at least {minimum} of product {product_id}, not {quantity}.",
                data={**data, "MinQuantity": minimum},
            )
        )
    if schedule.max_quantity is not None and quantity > schedule.max_quantity:
        errors.append(
            Error(
                error_code=_code(schedule, "CannotExceedMax"),
                message=(
                    f"Order at most {schedule.max_quantity} of product {product_id}, "
                    f"not {quantity}."
                ),
                data={**data, "MaxQuantity": schedule.max_quantity},
            )
        )
    if schedule.restricted_quantity:
        allowed = sorted({rule.quantity for rule in rules})
        if quantity not in allowed:
            errors.append(
                Error(
                    error_code=_code(schedule, "QuantityNotAllowed"),
                    message=(
                        f"Product {product_id} is sold in quantities of "
                        f"{', '.join(map(str, allowed))}, not {quantity}; choose one of them."
                    ),
                    data={**data, "AllowedQuantities": allowed},
                )
            )
    return errors


def _code(schedule: PriceSchedule, rule: str) -> str:
    return f"PriceSchedule.{'Cumulative' if schedule.use_cumulative_quantity else ''}{rule}"
