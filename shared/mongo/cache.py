"""What a store remembers of what it wrote, in bounded memory."""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """Values by ID, up to ``limit`` bytes of the documents that they stand for; what was put in
    longest ago goes first. A value that is larger than that is not kept."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._bytes = 0
        self._kept: OrderedDict[str, tuple[V, int]] = OrderedDict()

    def get(self, id: str) -> V | None:
        kept = self._kept.get(id)
        return None if kept is None else kept[0]

    def put(self, id: str, value: V, bytes: int) -> None:
        """Keeps ``value``, whose document has so many bytes, instead of what was kept."""
        self.drop(id)
        if bytes > self.limit:
            return
        self._kept[id] = (value, bytes)
        self._bytes += bytes
        while self._bytes > self.limit:
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= gone

    def drop(self, id: str) -> None:
        kept = self._kept.pop(id, None)
        if kept is not None:
            self._bytes -= kept[1]
