"""How two measurements compare that were taken together, several times."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

ROUNDS = 8
_T_95 = 2.365
"""Student's t for 95 % of the mean of :data:`ROUNDS` values, two-sided."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A mean of ratios, and between what it lies with 95 % confidence."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> "Ratio":
        """Of the first to the second of each of :data:`ROUNDS` pairs: their geometric mean."""
        logarithms = [math.log(first / second) for first, second in pairs]
        mean, spread = fmean(logarithms), _T_95 * stdev(logarithms) / math.sqrt(len(pairs))
        low, middle, high = (round(math.exp(mean + by), 3) for by in (-spread, 0, spread))
        return cls(middle, low, high)

    def __str__(self) -> str:
        return f"{self.mean:.2f} ({self.low:.2f} to {self.high:.2f})"
