"""Exact money: decimal amounts, one rounding rule.

Amounts are :class:`decimal.Decimal` in the major unit of a currency (``12.50`` is twelve
dollars fifty). Binary floats never enter a calculation. Every amount that the engine computes
is rounded once, half up, to the currency's number of decimals (ISO 4217 minor units).
"""

from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Annotated, Any

from bson.decimal128 import Decimal128
from pydantic import BeforeValidator, Field, PlainSerializer, SerializationInfo

from shared.mongo.codec import to_decimal, to_decimal128

# ISO 4217: the currencies whose minor unit is not 1/100.
# fmt: off
_NO_DECIMALS = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
)
_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_FOUR_DECIMALS = ("CLF", "UYW")
# fmt: on
_MINOR_UNITS = {
    **dict.fromkeys(_NO_DECIMALS, 0),
    **dict.fromkeys(_THREE_DECIMALS, 3),
    **dict.fromkeys(_FOUR_DECIMALS, 4),
}

ZERO = Decimal(0)


def _from_bson(value: Any) -> Any:
    return to_decimal(value) if type(value) is Decimal128 else value


def _serialize(value: Decimal, info: SerializationInfo) -> Any:
    return float(value) if info.mode_is_json() else to_decimal128(value)


Money = Annotated[Decimal, BeforeValidator(_from_bson), PlainSerializer(_serialize)]
"""An amount. In JSON a number, in Python mode (what goes to MongoDB) a Decimal128."""

# Fifteen significant digits are what survives every JSON reader that goes through IEEE doubles:
# eleven before the point and four after it. More are refused at the border instead of being
# damaged later.
MoneyInput = Annotated[Money, Field(max_digits=15, decimal_places=4)]
PositiveMoney = Annotated[MoneyInput, Field(gt=0)]
NonNegativeMoney = Annotated[MoneyInput, Field(ge=0)]


def decimals_of(currency: str) -> int:
    """Number of decimals of an ISO 4217 ``currency`` code; 2 where the code is unknown."""
    return _MINOR_UNITS.get(currency, 2)


@cache
def _quantum(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def round_money(amount: Decimal, currency: str) -> Decimal:
    """``amount`` rounded half up to the decimals of ``currency``: the one rounding rule."""
    return amount.quantize(_quantum(decimals_of(currency)), rounding=ROUND_HALF_UP)


def fits_currency(amount: Decimal, currency: str) -> bool:
    """Whether ``amount`` has no more decimals than ``currency`` can express."""
    return amount == round_money(amount, currency)
