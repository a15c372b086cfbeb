"""What a store remembers of what it wrote, in bounded memory."""

from collections import OrderedDict
from functools import cache
from typing import Any, Generic, TypeVar

from shared.contracts.base import Resource, nested_model

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


def share_given_fields(value: Any) -> None:
    """Lets all resources in ``value`` have the set of their fields that were given in common with
    all others of their model, as if every field had been given.

    Pydantic makes a set for each resource, which is two fifths of the memory of an order. It tells
    what a command carries; nobody asks it of a state.
    """
    if isinstance(value, Resource):
        given, nested = _shape(type(value))
        object.__setattr__(value, "__pydantic_fields_set__", given)
        for name in nested:
            share_given_fields(value.__dict__[name])
    elif isinstance(value, list):
        for each in value:
            share_given_fields(each)
    elif isinstance(value, dict):
        for each in value.values():
            share_given_fields(each)


@cache
def _shape(model: type[Resource]) -> tuple[set[str], tuple[str, ...]]:
    """The fields of ``model``, and those of them that have resources in them."""
    fields = model.model_fields
    return set(fields), tuple(
        name for name, field in fields.items() if nested_model(field.annotation)[0] is not None
    )
