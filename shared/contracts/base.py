"""The one base of everything that crosses a service's border.

Python names are snake_case; the wire and the documents in MongoDB have OrderCloud's PascalCase
(``ID``, ``DateSubmitted``, ``xp``). One alias generator makes one from the other.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Self, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticSerializationError, to_json

_UPPER = {"id": "ID", "ids": "IDs"}


@cache
def wire_name(name: str) -> str:
    """The wire's name of a Python field: ``from_company_id`` is ``FromCompanyID``."""
    if name == "xp":
        return name
    return "".join(_UPPER.get(part, part[:1].upper() + part[1:]) for part in name.split("_"))


_set = object.__setattr__


class Resource(BaseModel):
    """A frozen value with OrderCloud's wire names. Unknown fields are ignored."""

    model_config = ConfigDict(
        alias_generator=wire_name,
        populate_by_name=True,
        serialize_by_alias=True,
        frozen=True,
        extra="ignore",
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, for a third of the time: nothing in a frozen value has to be copied."""
        if deep:
            return super().model_copy(update=update, deep=True)
        changes = update or {}
        copy = self.__class__.__new__(self.__class__)
        _set(copy, "__dict__", {**self.__dict__, **changes})
        given = self.__pydantic_fields_set__
        _set(
            copy,
            "__pydantic_fields_set__",
            given if changes.keys() <= given else given | changes.keys(),
        )
        _set(copy, "__pydantic_extra__", None)
        _set(copy, "__pydantic_private__", None)
        return copy


def _utc_milliseconds(value: datetime) -> datetime:
    """UTC, cut to milliseconds: what BSON keeps, so that a stored time equals the sent one."""
    if value.tzinfo is UTC and not value.microsecond % 1000:
        return value
    try:
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time must lie within the years 1 to 9999 in UTC") from None
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


Time = Annotated[datetime, AfterValidator(_utc_milliseconds)]
"""A moment in UTC with millisecond precision; ISO 8601 on the wire."""

ID = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
"""What an ID may consist of: letters, digits, hyphen and underscore, at most 100 of them."""

READ_ONLY = Field(json_schema_extra={"readOnly": True})
"""Marks a field, through ``Annotated``, that the engine sets: ignored where a client sends it."""

WRITE_ONLY = Field(json_schema_extra={"writeOnly": True})
"""Marks a field, through ``Annotated``, that a client sends and no answer or event shows."""


@cache
def read_only_fields(model: type[Resource]) -> tuple[str, ...]:
    """The fields of ``model`` itself that are marked :data:`READ_ONLY`."""
    return _marked(model, "readOnly")


@cache
def write_only_fields(model: type[Resource]) -> tuple[str, ...]:
    """The fields of ``model`` itself that are marked :data:`WRITE_ONLY`."""
    return _marked(model, "writeOnly")


def _marked(model: type[Resource], mark: str) -> tuple[str, ...]:
    return tuple(
        name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get(mark)
    )


def nested_model(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model within ``annotation``, and whether it is a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for inner in get_args(annotation):
        model, many = nested_model(inner)
        if model is not None:
            return model, many or get_origin(annotation) in (list, tuple)
    return None, False


CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


def _storable(value: Any, depth: int = 0) -> None:
    if depth > 32:
        raise ValueError("xp is nested more than 32 levels deep; flatten it")
    if isinstance(value, dict):
        for key, inner in value.items():
            if "\0" in key:
                raise ValueError("an xp key has a NUL character; remove it")
            _storable(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _storable(inner, depth + 1)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("an xp number needs more than 64 bits; send it as a string")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("an xp number is not finite; send it as a string")


def _storable_xp(value: dict[str, Any]) -> dict[str, Any]:
    _storable(value)
    return value


Xp = Annotated[dict[str, Any], AfterValidator(_storable_xp)]
"""Extended properties: whatever the caller wants to keep with a resource, as far as MongoDB can
keep it."""

XP_BYTES = 8_000
"""The most that an ``xp`` of the HTTP API may have, as compact JSON in UTF-8."""


def limited_xp(value: dict[str, Any]) -> dict[str, Any]:
    """``value`` as it is. Raises ValueError where it has more than :data:`XP_BYTES` bytes."""
    try:
        size = len(to_json(value))
    except PydanticSerializationError:
        raise ValueError("xp has text that is no Unicode; send it as UTF-8") from None
    if size > XP_BYTES:
        raise ValueError(f"xp has {size} bytes and may have {XP_BYTES}; keep less with it")
    return value


LimitedXp = Annotated[Xp, AfterValidator(limited_xp)]
"""Extended properties of at most :data:`XP_BYTES` bytes. Resources that had an xp before there was
the limit are held to it by the HTTP API alone."""

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""How many of something: never negative, 31 bits."""

Integer = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
"""A whole number of 32 bits."""


class Error(Resource):
    """One reason for a refusal. ``error_code`` is what a client checks, ``message`` says what
    to do, ``data`` has the numbers and names."""

    error_code: str
    message: str
    data: dict[str, Any] | None = None


class Address(Resource):
    """A postal address. ``country`` is ISO 3166-1 alpha-2. ``latitude`` and ``longitude``, in
    degrees, are optional and let sourcing measure real distances."""

    id: ID | None = None
    company_name: str | None = Field(None, max_length=100)
    first_name: str | None = Field(None, max_length=100)
    last_name: str | None = Field(None, max_length=100)
    street1: str | None = Field(None, max_length=100)
    street2: str | None = Field(None, max_length=100)
    city: str | None = Field(None, max_length=100)
    state: str | None = Field(None, max_length=100)
    zip: str | None = Field(None, max_length=100)
    country: str | None = Field(None, max_length=2)
    phone: str | None = Field(None, max_length=100)
    address_name: str | None = Field(None, max_length=100)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    xp: Xp | None = None
