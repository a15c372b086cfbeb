"""Card numbers, which are not to be kept: what looks like one is refused."""

import re
from itertools import accumulate
from typing import Annotated, Any

from pydantic import AfterValidator

from shared.contracts.base import LimitedXp

_SHORTEST, _LONGEST = 13, 19
_DIGITS = re.compile(r"\d+(?:[ -]\d+)*")


def has_card_number(value: Any) -> bool:
    """Whether there is a card number anywhere in a JSON ``value``, keys included: 13 to 19 digits,
    in groups with single spaces or dashes between or in one, that pass the Luhn check."""
    if isinstance(value, str):
        return any(_is_card_number(found[0]) for found in _DIGITS.finditer(value))
    if isinstance(value, dict):
        return any(has_card_number(part) for item in value.items() for part in item)
    if isinstance(value, list):
        return any(has_card_number(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return isinstance(value, int) and has_card_number(str(value))


def _is_card_number(text: str) -> bool:
    # A number may stand beside others: "4111 1111 1111 1111 12/29". Digits that nothing parts are
    # one number; part of it is none.
    groups = re.split("[ -]", text)
    for first in range(len(groups)):
        for digits in accumulate(groups[first:]):
            if _SHORTEST <= len(digits) <= _LONGEST and _passes_luhn(digits):
                return True
    return False


def _passes_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _without_card_number(value: Any) -> Any:
    if has_card_number(value):
        raise ValueError(
            "this looks like a card number, which Ordermesh does not keep; store the token that"
            " the card's processor gives for it"
        )
    return value


NoCardNumber = Annotated[str, AfterValidator(_without_card_number)]
"""A text in which no card number stands."""

CardFreeXp = Annotated[LimitedXp, AfterValidator(_without_card_number)]
"""Extended properties in which no card number stands."""
