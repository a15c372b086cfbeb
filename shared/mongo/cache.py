"""What a store remembers of what it wrote, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from shared.contracts.base import Resource

V = TypeVar("V")


class Cache(Generic[V]):
    """Values by ID, up to ``limit`` bytes of the documents that they stand for; what was put in
    longest ago goes first. A value that is larger than that is not kept."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._kept: OrderedDict[str, tuple[V, int]] = OrderedDict()

    def get(self, id: str) -> V | None:
        kept = self._kept.get(id)
        return None if kept is None else kept[0]

    def put(self, id: str, value: V, bytes: int) -> None:
        """Keeps ``value``, whose document has so many bytes, instead of what was kept."""
        self.drop(id)
        if bytes > self._limit:
            return
        self._kept[id] = (value, bytes)
        self._bytes += bytes
        while self._bytes > self._limit:
            _, (_, gone) = self._kept.popitem(last=False)
            self._bytes -= gone

    def drop(self, id: str) -> None:
        kept = self._kept.pop(id, None)
        if kept is not None:
            self._bytes -= kept[1]


def share_given_fields(resource: Resource) -> None:
    """Lets ``resource``, and all resources in it, have the set of its fields that were given in
    common with all others of its model, as if every field had been given.

    Pydantic makes a set for each value, which is two fifths of the memory of an order. It tells
    what a command carries; nobody asks it of a state.
    """
    _sharing(type(resource))(resource)


_Share = Callable[[Any], None]


@cache
def _sharing(model: type[Resource]) -> _Share:
    given = set(model.model_fields)
    inner = [
        (name, share_value)
        for name, field in model.model_fields.items()
        if (share_value := _share_in(field.annotation)) is not None
    ]

    def share(resource: Resource) -> None:
        object.__setattr__(resource, "__pydantic_fields_set__", given)
        values = resource.__dict__
        for name, share_value in inner:
            value = values[name]
            if value is not None:
                share_value(value)

    return share


def _share_in(annotation: Any) -> _Share | None:
    """How the resources in a value of ``annotation`` come by their common sets; None: it has
    none."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _share_in(arguments[0])
    if origin in (Union, UnionType):
        kinds = [each for each in arguments if each is not NoneType]
        return _share_in(kinds[0]) if len(kinds) == 1 else None
    if origin is list:
        return _for_each(_share_in(arguments[0]), list.__iter__)
    if origin is dict:
        return _for_each(_share_in(arguments[1]), dict.values)
    if isinstance(annotation, type) and issubclass(annotation, Resource):
        return _sharing(annotation)
    return None


def _for_each(share: _Share | None, values: Callable[[Any], Iterable[Any]]) -> _Share | None:
    if share is None:
        return None

    def share_all(several: Any) -> None:
        for value in values(several):
            share(value)

    return share_all
