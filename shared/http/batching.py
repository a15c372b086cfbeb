"""Asking once for what many ask for at the same time.

Under load most of what a request costs is the round trip to the database, so those that wait at
the same time share one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

V = TypeVar("V")

Load = Callable[[list[str]], Awaitable[Mapping[str, V]]]


class Batched(Generic[V]):
    """Looks up by keys. What is found is never older than the moment at which it was asked for:
    whoever comes while a query is under way waits for the next."""

    def __init__(self, load: Load[V]) -> None:
        self._load = load
        self._waiting: list[tuple[Collection[str], asyncio.Future[Mapping[str, V]]]] = []
        self._loading: asyncio.Task[None] | None = None

    async def of(self, keys: Collection[str]) -> Mapping[str, V]:
        """What there is under ``keys``, and perhaps under others; not to be changed, for others
        read it too. Raises what the lookup raises."""
        asked: asyncio.Future[Mapping[str, V]] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, asked))
        if self._loading is None:
            self._loading = asyncio.create_task(self._run())
        return await asked

    async def _run(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            try:
                found = await self._load(list({key for keys, _ in waiting for key in keys}))
            except Exception as error:
                # Whoever asked hears of it, and this goes on for others.
                for _, asked in waiting:
                    if not asked.done():
                        asked.set_exception(error)
                continue
            for _, asked in waiting:
                # One who was cancelled no longer waits.
                if not asked.done():
                    asked.set_result(found)
        self._loading = None
