"""Turns: who would change the same thing waits for whoever came before, instead of racing.

A change that is read, decided and written over the version that was read loses when another is
faster. Of hundreds at once most would lose again and again. Within a process they take turns;
between processes the version decides, as ever.
"""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """The turns of one kind of thing. Kept only for those that somebody waits for."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, key: str) -> asyncio.Lock:
        """What to enter around a change of ``key``; those who wait enter in the order they came."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock
