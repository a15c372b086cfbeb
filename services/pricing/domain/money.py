"""Spreading an amount over shares so that the cents add up."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from functools import cache

from shared.money import ZERO, decimals_of


@cache
def largest_amount(currency: str) -> Decimal:
    """The first amount of ``currency`` that has more than the 15 significant digits that every
    JSON reader keeps."""
    return Decimal(10) ** (15 - decimals_of(currency))


def spread(amount: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """``amount`` split in proportion to ``weights`` (none negative), each part in whole minor
    units of ``currency`` and all of them adding up to ``amount``.

    Largest remainder (Hamilton): what rounding down leaves goes, a minor unit each, to the shares
    that lost most by it; equal losses go to the earlier share. Without any weight the first share
    has it all. Raises ValueError for an amount without shares.
    """
    if not weights:
        raise ValueError("an amount cannot be spread over no shares")
    total = sum(weights, ZERO)
    if not total:
        return [amount, *([ZERO] * (len(weights) - 1))]
    unit = Decimal(1).scaleb(-decimals_of(currency))
    exact = [amount * weight / total for weight in weights]
    parts = [share.quantize(unit, rounding=ROUND_DOWN) for share in exact]
    left = int((amount - sum(parts, ZERO)) / unit)
    by_loss = sorted(range(len(parts)), key=lambda index: parts[index] - exact[index])
    for index in by_loss[:left]:
        parts[index] += unit
    return parts
