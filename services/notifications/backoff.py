"""How long to wait before trying again."""

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling waits with jitter: half to the whole of ``first`` x 2^(n-1) seconds, never more
    than ``longest``."""

    first: float = 1.0
    longest: float = 300.0

    def wait(self, tries: int) -> timedelta:
        """The wait after ``tries`` tries (from 1) that failed."""
        whole = min(self.longest, self.first * 2.0 ** min(tries - 1, 40))
        return timedelta(seconds=whole * random.uniform(0.5, 1.0))
