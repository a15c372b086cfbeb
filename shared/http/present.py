"""Documents as answers: every field of the public model, absent ones as null.

What is stored was checked when it was written, so an answer is made from the document itself,
without building models: a read costs little more than the query.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
from bson.decimal128 import Decimal128
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from shared.contracts.base import nested_model
from shared.mongo.codec import to_decimal


class Presenter:
    """Makes answers of one public model."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._defaults: dict[str, Any] = {}
        self._nested: list[tuple[str, Presenter, bool]] = []
        for name, field in model.model_fields.items():
            if is_write_only(field):
                continue
            alias = wire_alias(name, field)
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            self._defaults[alias] = to_jsonable_python(default)
            inner, many = nested_model(field.annotation)
            if inner is not None:
                self._nested.append((alias, presenter_of(inner), many))

    def __call__(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """The answer that shows ``state``: its fields that the model has, and null for others."""
        defaults = self._defaults
        if state.keys() <= defaults.keys():
            shown = {**defaults, **state}
        else:
            shown = {name: state.get(name, default) for name, default in defaults.items()}
        for name, present, many in self._nested:
            value = shown[name]
            if isinstance(value, list) and many:
                shown[name] = [present(each) for each in value]
            elif isinstance(value, dict) and not many:
                shown[name] = present(value)
        return shown


@cache
def presenter_of(model: type[BaseModel]) -> Presenter:
    return Presenter(model)


def wire_alias(name: str, field: FieldInfo) -> str:
    return field.serialization_alias or field.alias or name


def wire_of(model: type[BaseModel], name: str) -> str:
    """The wire's name of a model's field."""
    return wire_alias(name, model.model_fields[name])


def is_write_only(field: FieldInfo) -> bool:
    return _marked(field, "writeOnly")


def is_read_only(field: FieldInfo) -> bool:
    return _marked(field, "readOnly")


def _marked(field: FieldInfo, mark: str) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get(mark))


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, Decimal128):
        return float(to_decimal(value))
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def to_json(value: Any) -> bytes:
    """JSON as the API answers: times in UTC with offset and milliseconds, amounts as numbers."""
    return orjson.dumps(
        value, default=_encode, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
    )
