"""When two values are equal, and which comes first.

Only two numbers, two texts, two dates or two truth values can be compared, and a date with a text
that writes one (ISO 8601, as ``xp`` keeps dates). Whatever else is compared, null above all, every
relation is false, ``<>`` too. Texts are compared without regard to case.
"""

import operator
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from shared.expressions.syntax import Relation
from shared.expressions.values import Value

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compared(relation: Relation, left: Value, right: Value, pattern: bool = False) -> bool:
    """Whether ``relation`` holds. With ``pattern``, ``right`` was written in the expression: for
    ``=`` and ``<>``, each ``*`` in it stands for any characters or none."""
    if isinstance(left, bool) or isinstance(right, bool):
        if not (isinstance(left, bool) and isinstance(right, bool)):
            return False
        return (left == right) == (relation == "=") if relation in ("=", "<>") else False
    pair = _comparable(left, right)
    if pair is None:
        return False
    one, other = pair
    if relation in ("=", "<>"):
        if pattern and isinstance(one, str) and isinstance(other, str):
            equal = matches(one, other)
        else:
            equal = one == other
        return equal == (relation == "=")
    return _ORDER[relation](one, other)


def matches(text: str, pattern: str) -> bool:
    """Whether ``text`` is ``pattern``, in which each ``*`` stands for any characters or none. Both
    in the same case. Each part is looked for once, so it takes no time to speak of."""
    first, *middle = pattern.split("*")
    if not middle:
        return text == pattern
    last = middle.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first):
        return False
    if not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        place = text.find(part, place, end)
        if place < 0:
            return False
        place += len(part)
    return True


def _comparable(
    left: Value, right: Value
) -> tuple[Decimal, Decimal] | tuple[str, str] | tuple[datetime, datetime] | None:
    match left, right:
        case (Decimal(), Decimal()):
            return left, right
        case (str(), str()):
            return left.casefold(), right.casefold()
        case (datetime(), datetime()):
            return left, right
        case (datetime(), str()):
            moment = _moment(right)
            return None if moment is None else (left, moment)
        case (str(), datetime()):
            moment = _moment(left)
            return None if moment is None else (moment, right)
    return None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
