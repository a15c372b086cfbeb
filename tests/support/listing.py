"""A model to list, and what a filter means: said once more, in memory, without MongoDB.

The reference knows printable ASCII only. There the collation (ICU's English, strength 2) compares
letters without their case, and all characters in the order of ``_ICU_ORDER``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Annotated, Any
from urllib.parse import quote

from bson.decimal128 import Decimal128

from shared.contracts.base import ID, WRITE_ONLY, Resource, Time, Xp
from shared.http.query import ListShape
from shared.money import Money

_ICU_ORDER = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"


class Status(StrEnum):
    OPEN = "Open"
    COMPLETED = "Completed"
    CANCELED = "Canceled"


class Size(Resource):
    width: int | None = None
    label: str | None = None


class Thing(Resource):
    id: ID
    name: str | None = None
    status: Status | None = None
    quantity: int | None = None
    price: Money | None = None
    weight: float | None = None
    active: bool | None = None
    date_created: Time | None = None
    tags: list[str] | None = None
    size: Size | None = None
    sizes: list[Size] | None = None
    secret: Annotated[str | None, WRITE_ONLY] = None
    xp: Xp | None = None


SHAPE = ListShape(
    Thing,
    searchable=("Name", "ID", "Quantity"),
    sortable=("Name", "ID", "Price", "DateCreated", "Quantity", "Size.Width"),
    default_sort=("Name", "ID"),
    parameters=frozenset({"buyerID"}),
    search_types=True,
)


@dataclass(frozen=True)
class Alternative:
    """One value of a filter. ``parts``: the text around its wildcards."""

    negative: bool
    operator: str
    parts: tuple[str, ...]

    def written(self) -> str:
        text = "*".join(re.sub(r"([\\|*!<>=])", r"\\\1", part) for part in self.parts)
        return ("!" if self.negative else "") + self.operator.removeprefix("=") + text


@dataclass(frozen=True)
class Filter:
    """One parameter: names of fields, and alternatives for their values."""

    fields: tuple[str, ...]
    alternatives: tuple[Alternative, ...]

    def written(self) -> str:
        values = "|".join(one.written() for one in self.alternatives)
        return f"{'|'.join(self.fields)}={quote(values, safe='')}"

    def matches(self, state: dict[str, Any]) -> bool:
        pairs = [(name, one) for name in self.fields for one in self.alternatives]
        wanted = [_holds(state, *pair) for pair in pairs if not _excludes(pair[1])]
        excluded = [_holds(state, *pair) for pair in pairs if _excludes(pair[1])]
        return all(excluded) and (not wanted or any(wanted))


def _excludes(one: Alternative) -> bool:
    return one.negative and one.parts != ("", "")


def _holds(state: dict[str, Any], name: str, one: Alternative) -> bool:
    values = _values(state, name)
    if one.parts == ("", ""):
        return any(value is not None for value in values) != one.negative
    test = _test(name, one)
    if one.operator == "=":
        return any(map(test, values)) != one.negative
    return any(map(test, values))


def _values(state: dict[str, Any], name: str) -> list[Any]:
    values: list[Any] = [state]
    for segment in name.split("."):
        values = [value.get(segment) for value in values if isinstance(value, dict)]
        values = [item for value in values for item in _items(value)]
    return values


def _items(value: Any) -> list[Any]:
    """A list counts as each of its items; an empty one is something that is there."""
    return value if isinstance(value, list) and value else [value]


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "="}


def _test(name: str, one: Alternative) -> Callable[[Any], bool]:
    if len(one.parts) > 1:
        pattern = re.compile(".*".join(map(re.escape, one.parts)), re.IGNORECASE | re.DOTALL)
        return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))
    (text,) = one.parts
    operator = _OPPOSITE[one.operator] if one.negative else one.operator
    compare = _COMPARE[operator]
    if name == "DateCreated" and operator == "=" and len(text) == 10:
        begin = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return lambda value: value is not None and begin <= value < begin + timedelta(days=1)
    readings = _readings(name, text)
    if operator != "=" and name.startswith("xp."):
        numbers = [one for one in readings if _kind(one) is Decimal]
        readings = numbers or [text]
    return lambda value: any(
        _kind(value) is _kind(reading) and compare(_comparable(value), _comparable(reading))
        for reading in readings
    )


def _readings(name: str, text: str) -> list[Any]:
    if name.startswith("xp."):
        truth = [text.lower() == "true"] if text.lower() in ("true", "false") else []
        number = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text)
        return [text, *truth, *([Decimal(str(float(text)))] if number else [])]
    if name in ("Quantity", "Price", "Weight", "Size.Width", "Sizes.Width"):
        return [Decimal(text)]
    if name == "Active":
        return [text.lower() == "true"]
    if name == "DateCreated":
        return [datetime.fromisoformat(text).replace(tzinfo=UTC)]
    if name == "Status" and text.isdigit():
        return [list(Status)[int(text)]]
    return [text]


def _kind(value: Any) -> type:
    if isinstance(value, bool):
        return bool
    if isinstance(value, int | float | Decimal | Decimal128):
        return Decimal
    return str if isinstance(value, str) else type(value)


def _comparable(value: Any) -> Any:
    if isinstance(value, str):
        return [_ICU_ORDER.index(character) for character in value.lower()]
    return Decimal(str(value)) if isinstance(value, float | Decimal128) else value


WORDS = ("", "a", "A", "b", "ab", "Ab", "aB", "b a", "a*", "!a", "a|b", "<1", "\\", "1", "2.5")
NUMBERS = (0, 1, 2, 2.5, -1)
TIMES = ("2021-02-23", "2021-02-24", "2021-02-23T20:39:03", "2021-02-22T23:59:59")


def things(count: int, seed: int = 1) -> list[Thing]:
    """Things with values from few, so that filters find some and leave some out."""
    random = Random(seed)

    def maybe(values: Sequence[Any]) -> Any:
        return random.choice([None, *values])

    def loose() -> Any:
        one = random.choice([None, True, False, *NUMBERS, *WORDS])
        # MongoDB takes a list with null in it for absent as well as present, so there is none here.
        return random.choice([one, one, one, [one or False, random.choice(WORDS)]])

    def size() -> Size:
        return Size(width=maybe((1, 2, 3)), label=maybe(WORDS))

    return [
        Thing(
            id=f"t{number}",
            name=maybe(WORDS),
            status=maybe(list(Status)),
            quantity=maybe((0, 1, 2, 3)),
            price=maybe((Decimal(1), Decimal("2.50"), Decimal(-1))),
            weight=maybe((0.0, 1.0, 2.5)),
            active=maybe((True, False)),
            date_created=maybe([datetime.fromisoformat(one).replace(tzinfo=UTC) for one in TIMES]),
            tags=maybe([[], ["a"], ["a", "Ab"], ["b", "1"]]),
            size=maybe([size()]),
            sizes=maybe([[size(), size()]]),
            xp=maybe(
                [
                    {"a": loose()},
                    {"a": loose(), "n": {"m": loose()}},
                    {"s": random.choice([True, 1, 2.5, "a", "B", None])},
                ]
            ),
        )
        for number in range(count)
    ]
