"""Decimals in BSON: exact, and quick for what money looks like.

PyMongo converts a Decimal128 through a decimal context and a string. Money has few digits, so
its 128-bit form (IEEE 754-2008, binary integer significand) is one shift away.
"""

import struct
from datetime import UTC
from decimal import Decimal
from typing import Any

from bson.codec_options import CodecOptions
from bson.decimal128 import Decimal128

_PACK = struct.Struct("<QQ")
_BIAS = 6176
_SIGN = 1 << 63
_MOST_KNOWN = 20_000
_LARGE = 0x6000000000000000  # infinities, NaNs and significands of over 113 bits


_known: dict[str, Decimal128] = {}
"""Amounts seen lately. An order is written several times with the same amounts in it."""


def to_decimal128(value: Decimal) -> Decimal128:
    text = str(value)
    known = _known.get(text)
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        known = _known[text] = _encode(text, value)
    return known


def _encode(text: str, value: Decimal) -> Decimal128:
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if len(digits) > 18 or not digits.lstrip("-").isdigit():
        return Decimal128(value)
    significand = int(digits)
    high = (_BIAS - len(fraction)) << 49
    if text.startswith("-"):
        return Decimal128.from_bid(_PACK.pack(-significand, high | _SIGN))
    return Decimal128.from_bid(_PACK.pack(significand, high))


def to_decimal(value: Decimal128) -> Decimal:
    low, high = _PACK.unpack(value.bid)
    if high & _LARGE == _LARGE or high & 0x1FFFFFFFFFFFF:
        return value.to_decimal()
    amount = Decimal(low).scaleb(((high & ~_SIGN) >> 49) - _BIAS)
    return amount.copy_negate() if high & _SIGN else amount


CODEC: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)
"""How every document is read and written: times in UTC."""
