"""What a change of a state changes in its document.

A state is a tree of frozen values, and a change shares all that it left alone with what was before,
so comparing the two costs little where nothing happened. A large document of which a few fields
change is then written as these few fields.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from shared.contracts.base import Resource
from shared.mongo.codec import to_decimal128

Changes = tuple[dict[str, Any], list[str]]
"""Values by path, as BSON takes them, and the paths of what is gone."""

_MISSING = object()


def changes(before: Resource, after: Resource, path: str) -> Changes:
    """What to set and what to remove in a document that has ``before`` at ``path``, so that it
    has ``after``."""
    found: Changes = ({}, [])
    _compare_models(before, after, path, found)
    return found


def as_bson(value: Any) -> Any:
    """A value of a state as it is stored."""
    if isinstance(value, Resource):
        return value.model_dump(exclude_none=True)
    if isinstance(value, Decimal):
        return to_decimal128(value)
    if isinstance(value, list | tuple):
        return [as_bson(item) for item in value]
    if isinstance(value, dict):
        return {key: as_bson(item) for key, item in value.items()}
    return value


def _compare(before: Any, after: Any, path: str, found: Changes) -> None:
    if before is after:
        return
    if after is None:
        found[1].append(path)
    elif isinstance(after, Resource) and type(before) is type(after):
        _compare_models(before, after, path, found)
    elif isinstance(after, list) and isinstance(before, list) and _alike(before, after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            _compare(old, new, f"{path}.{index}", found)
    elif _of_models(before) and _of_models(after):
        _compare_maps(before, after, path, found)
    elif before != after:
        found[0][path] = as_bson(after)


def _compare_models(before: Resource, after: Resource, path: str, found: Changes) -> None:
    old, new = before.__dict__, after.__dict__
    for name, alias in _fields(type(after)):
        if old[name] is not new[name]:
            _compare(old[name], new[name], f"{path}.{alias}", found)


def _compare_maps(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str, found: Changes
) -> None:
    for key, value in after.items():
        old = before.get(key, _MISSING)
        if old is _MISSING:
            found[0][f"{path}.{key}"] = as_bson(value)
        else:
            _compare(old, value, f"{path}.{key}", found)
    found[1].extend(f"{path}.{key}" for key in before if key not in after)


def _alike(before: Sequence[Any], after: Sequence[Any]) -> bool:
    """Whether to compare two lists item by item: where most differs the whole is cheaper."""
    if len(before) != len(after) or not after:
        return False
    same = sum(old is new for old, new in zip(before, after, strict=True))
    return isinstance(after[0], Resource) and (len(after) <= 4 or same * 2 >= len(after))


def _of_models(values: Any) -> bool:
    """Whether it is a map of models under keys that can be part of a path."""
    return isinstance(values, dict) and all(
        isinstance(value, Resource) and key and "." not in key and not key.startswith("$")
        for key, value in values.items()
    )


@cache
def _fields(model: type[Resource]) -> tuple[tuple[str, str], ...]:
    """Names and stored names of a model's fields."""
    return tuple(
        (name, field.serialization_alias or field.alias or name)
        for name, field in model.model_fields.items()
    )
