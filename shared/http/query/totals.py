"""How many documents there are: counted, or remembered for a moment where that is costly."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import bson

_MOST_REMEMBERED = 1_000

TotalKey = tuple[str, bytes]


def total_key(collection: str, matching: dict[str, Any]) -> TotalKey:
    """What stands for the documents of ``collection`` (its full name) that are ``matching``."""
    return collection, bson.encode(matching)


class Totals:
    """Remembers large totals, of ``least`` documents and more, for ``seconds``.

    Counting takes time in proportion to what is counted, and a client that pages through many
    documents asks for their number on each page. Smaller totals are always counted. While one
    request counts anew, others go on with what was known.
    """

    def __init__(
        self,
        *,
        least: int = 500,
        seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._least = least
        self._seconds = seconds
        self._clock = clock
        self._known: OrderedDict[TotalKey, tuple[float, int]] = OrderedDict()

    def known(self, key: TotalKey) -> int | None:
        """How many there are; None where the caller has to count, and to note what it counted."""
        found = self._known.get(key)
        if found is None:
            return None
        now = self._clock()
        until, total = found
        if now < until:
            return total
        self._known[key] = (now + self._seconds, total)
        return None

    def note(self, key: TotalKey, total: int) -> None:
        """There are ``total`` of them now."""
        if total >= self._least:
            self._known[key] = (self._clock() + self._seconds, total)
            self._known.move_to_end(key)
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.pop(key, None)
