"""What an expression is computed from."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from shared.expressions.errors import EvaluationError

Value: TypeAlias = Decimal | str | bool | datetime | Mapping[str, Any] | Sequence[Any] | None
"""What an expression can come to; null for what is absent, an object or a list only of ``xp``."""


@dataclass(frozen=True, slots=True)
class Values:
    """What an expression is about: an order, its lines, one of them, a return, each with the
    wire's names; amounts are Decimals. ``approved`` are the IDs of satisfied approval rules.
    ``categories`` has by product ID the categories that it is assigned to, ``parent_categories``
    these and all above them; None where nobody knows, which is not the same as no category."""

    order: Mapping[str, Any] | None = None
    items: Sequence[Mapping[str, Any]] = ()
    item: Mapping[str, Any] | None = None
    orderreturn: Mapping[str, Any] | None = None
    approved: Collection[str] = ()
    categories: Mapping[str, Collection[str]] | None = None
    parent_categories: Mapping[str, Collection[str]] | None = None


def plain(raw: object) -> Value:
    """``raw`` as expressions compute with it: numbers are Decimals, times are in UTC. Raises
    EvaluationError for what is no JSON and no such value."""
    match raw:
        case None | bool() | str() | Mapping() | list() | tuple():
            return raw
        case int():
            return Decimal(raw)
        case float() if math.isfinite(raw):
            # As it is written: 0.1 is a tenth.
            return Decimal(repr(raw))
        case Decimal() if raw.is_finite():
            return raw
        case datetime():
            return raw if raw.tzinfo is not None else raw.replace(tzinfo=UTC)
    raise EvaluationError(f"a value of {type(raw).__name__} cannot be computed with")


def member(raw: object, name: str) -> object:
    """The field ``name`` of ``raw``, in whatever case it is written; None where it is absent or
    ``raw`` is no object."""
    if not isinstance(raw, Mapping):
        return None
    if name in raw:
        return raw[name]
    folded = name.casefold()
    for key, value in raw.items():
        if isinstance(key, str) and key.casefold() == folded:
            return value
    return None
