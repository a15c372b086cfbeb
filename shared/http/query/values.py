"""Values of a filter, read as the type of their field."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any

from shared.http.query.fields import Field, Kind
from shared.mongo.codec import to_decimal128

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d+)?\s*(Z|[+ -]?\d{2}:?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_US = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))? ?(AM|PM)?)?",
    re.ASCII | re.IGNORECASE,
)
_DAY = timedelta(days=1)

MOST_PAGE = 999_999_999


class WrongType(ValueError):
    """A value is not of its field's type; the message is what is expected."""


EXPECTED = {
    Kind.TEXT: "text",
    Kind.WHOLE: "a whole number",
    Kind.DECIMAL: "a number",
    Kind.FLOAT: "a number",
    Kind.BOOL: "true or false",
    Kind.TIME: "a time, such as 2021-02-23, 2021-02-23T20:39:03Z or 2/23/2021",
    Kind.OBJECT: "* (present), !* (absent), or a filter on one of its fields",
    Kind.UNTYPED: "text, a number, true or false",
}


def expected(field: Field) -> str:
    """What a filter on ``field`` takes, in words."""
    if field.kind is Kind.CHOICE:
        return f"one of {', '.join(field.choices)}"
    return EXPECTED[field.kind]


def read(field: Field, text: str) -> Any:
    """``text`` as ``field`` stores it. Raises ``WrongType``."""
    value: Any = None
    match field.kind:
        case Kind.TEXT | Kind.UNTYPED:
            return text
        case Kind.CHOICE:
            return _choice(field, text)
        case Kind.WHOLE:
            value = whole(text)
        case Kind.DECIMAL:
            value = decimal(text)
        case Kind.FLOAT:
            value = _float(text)
        case Kind.BOOL:
            value = _bool(text)
        case Kind.TIME:
            value = time(text)
        case Kind.OBJECT:
            pass
    if value is None:
        raise WrongType(expected(field))
    return value


def readings(text: str) -> list[Any]:
    """All that ``text`` can be in xp, where nothing says which type a value has."""
    found: list[Any] = [text]
    for value in (number(text), _bool(text)):
        if value is not None:
            found.append(value)
    return found


def number(text: str) -> int | float | None:
    """``text`` as JSON numbers are stored: whole where it is and 64 bits hold it."""
    value = whole(text)
    return value if value is not None else _float(text)


def whole(text: str) -> int | None:
    if not _WHOLE.fullmatch(text):
        return None
    value = int(text)
    return value if -(2**63) <= value < 2**63 else None


def _float(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) != float("inf") else None


def decimal(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return to_decimal128(Decimal(text))
    except DecimalException:
        return None


def _bool(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _choice(field: Field, text: str) -> str:
    """By name in any case, or by position, as .NET clients send it."""
    for choice in field.choices:
        if choice.lower() == text.lower():
            return choice
    position = whole(text)
    if position is None or not 0 <= position < len(field.choices):
        raise WrongType(expected(field))
    return field.choices[position]


def time(text: str) -> datetime | None:
    """A time in UTC, from ISO 8601 or ``month/day/year``; without an offset it is in UTC."""
    text = text.strip()
    try:
        value = _iso(text) or _us(text)
        return value.astimezone(UTC) if value else None
    except (ValueError, OverflowError):
        return None


def day(text: str) -> tuple[datetime, datetime | None] | None:
    """Where ``text`` is a date alone: when that day begins and when it is over (None: never)."""
    text = text.strip()
    iso, us = _ISO.fullmatch(text), _US.fullmatch(text)
    if not (iso and not iso[2]) and not (us and not us[4]):
        return None
    begin = time(text)
    if begin is None:
        return None
    try:
        return begin, begin + _DAY
    except OverflowError:
        return begin, None


def _iso(text: str) -> datetime | None:
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    date, clock, fraction, offset = found.groups()
    if clock is None:
        return datetime.fromisoformat(date).replace(tzinfo=UTC)
    if offset is None or offset in "Zz":
        offset = "+00:00"
    # An offset's plus that was not encoded has become a space.
    offset = offset.replace(" ", "+")
    if offset[0] not in "+-":
        offset = "+" + offset
    return datetime.fromisoformat(f"{date}T{clock}{(fraction or '')[:7]}{offset}")


def _us(text: str) -> datetime | None:
    found = _US.fullmatch(text)
    if found is None:
        return None
    month, date, year, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    if found[7]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[7].upper() == "PM" else 0)
    return datetime(year, month, date, hour, minute, second, tzinfo=UTC)
