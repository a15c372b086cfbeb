"""Page keys: where a page ended, so that the next begins there without counting up to it.

A key has the sort values of the last document. It comes back from a client, so it is read as any
other input: it can name no field and no operator, only values, and its sort is the asked one.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from bson.decimal128 import Decimal128

from shared.http.query.values import MOST_PAGE, decimal, time

Sort = Sequence[tuple[str, int]]
Condition = dict[str, Any]

_LONGEST = 8_000  # characters; a URL has to hold it
_UNTYPED = "state.xp."

# The types in xp, in MongoDB's order. Comparing stays within one of them.
_TYPES = ("number", "string", "object", "bool")


class InvalidKey(ValueError):
    """A page key that no list gave for this sort."""


@dataclass(frozen=True)
class PageKey:
    """The sort ``values`` of the last document before page number ``page``."""

    values: tuple[Any, ...]
    page: int


def key_after(state: Any, sort: Sort, page: int) -> str | None:
    """The key of page number ``page``, which begins after the document with this ``state``. None
    where a value has no place of its own in the order (lists and objects in xp), or is too long
    for a URL."""
    values = [_at(state, path) for path, _ in sort]
    try:
        packed = [_packed(value) for value in values]
    except InvalidKey:
        return None
    raw = orjson.dumps({"s": _signature(sort), "v": packed, "p": page})
    key = urlsafe_b64encode(raw).decode().rstrip("=")
    return key if len(key) <= _LONGEST else None


def read_key(key: str, sort: Sort) -> PageKey:
    """What ``key`` says, for this ``sort``. Raises ``InvalidKey``."""
    if len(key) > _LONGEST:
        raise InvalidKey
    try:
        said = orjson.loads(urlsafe_b64decode(key.encode() + b"=" * (-len(key) % 4)))
    except ValueError:
        raise InvalidKey from None
    if not isinstance(said, dict) or said.get("s") != _signature(sort):
        raise InvalidKey
    values, page = said.get("v"), said.get("p")
    if not isinstance(values, list) or len(values) != len(sort):
        raise InvalidKey
    if type(page) is not int or not 1 <= page <= MOST_PAGE:
        raise InvalidKey
    return PageKey(tuple(_unpacked(value) for value in values), page)


def after(values: Sequence[Any], sort: Sort) -> Condition:
    """Matches the documents that come after one with these ``values`` in the order of ``sort``."""
    branches: list[Condition] = []
    same: list[Condition] = []
    for value, (path, direction) in zip(values, sort, strict=True):
        branches += [{"$and": [*same, beyond]} for beyond in _beyond(path, value, direction)]
        same.append({path: {"$eq": value}})
    rest: Condition = {"$or": branches or [{"state.ID": {"$in": []}}]}
    # With bounds of its own the first field lets an index begin at the right place.
    path, direction = sort[0]
    if values[0] is None:
        return rest
    if direction < 0:
        return {"$and": [{path: {"$not": {"$gt": values[0]}}}, rest]}
    if path.startswith(_UNTYPED):
        return {"$and": [{path: {"$not": {"$lt": values[0]}}}, rest]}
    return {"$and": [{path: {"$gte": values[0]}}, rest]}


def _beyond(path: str, value: Any, direction: int) -> list[Condition]:
    """Alternatives for ``path`` to be after ``value``; absent and null come before all else."""
    if value is None:
        return [{path: {"$ne": None}}] if direction > 0 else []
    found: list[Condition] = [{path: {"$gt" if direction > 0 else "$lt": value}}]
    if path.startswith(_UNTYPED):
        at = _rank(value)
        types = _TYPES[at + 1 :] if direction > 0 else _TYPES[:at]
        if types:
            found.append({path: {"$type": list(types)}})
    if direction < 0:
        found.append({path: {"$eq": None}})
    return found


def _rank(value: Any) -> int:
    return 3 if isinstance(value, bool) else 1 if isinstance(value, str) else 0


def _signature(sort: Sort) -> str:
    return ",".join(f"{'!' if direction < 0 else ''}{path}" for path, direction in sort)


def _at(state: Any, path: str) -> Any:
    value: Any = state
    for name in path.split(".")[1:]:
        if isinstance(value, list):
            return value
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _packed(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return {"t": value.isoformat()}
        case Decimal128():
            return {"d": str(value)}
    raise InvalidKey


def _unpacked(value: Any) -> Any:
    match value:
        case int() if not -(2**63) <= value < 2**63:
            raise InvalidKey
        case None | bool() | int() | float() | str():
            return value
        case {"t": str(text)} if (moment := time(text)) is not None:
            return moment
        case {"d": str(text)} if (amount := decimal(text)) is not None:
            return amount
    raise InvalidKey
