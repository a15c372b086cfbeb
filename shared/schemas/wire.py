"""JSON Schema (2020-12) of a model, as the model is on the wire.

Pydantic's own generator describes what its validators take. The contract promises less in commands
(money is a number, though text is taken too) and more in events: what is null is left out, so no
field is null, and every field that has a default is there.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from shared.contracts.access import XpThingType
from shared.contracts.assortment import PriceMarkupType
from shared.contracts.base import Resource, wire_name
from shared.contracts.catalog import DiscountType, LocationType, SourcingStrategy
from shared.contracts.orders import PaymentType
from shared.contracts.roles import Role

OPEN_ENUM = "x-extensible-enum"
"""Keyword of a text whose known values are listed and may become more."""

DECIMAL_PLACES = "x-decimal-places"
"""Keyword of a number: most digits after the point."""

_OPEN = frozenset(
    {
        PaymentType,
        DiscountType,
        LocationType,
        SourcingStrategy,
        PriceMarkupType,
        Role,
        XpThingType,
    }
)
"""Enumerations that may grow in events: a consumer must expect values that it does not know."""

_MONEY = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_WORD = re.compile(r"``([a-z][a-z0-9]*(?:_[a-z0-9]+)*)``")


def wire_schema(model: type[Resource], *, event: bool) -> dict[str, Any]:
    """The JSON Schema of ``model`` in a command or in an event, with its parts in ``$defs``.

    The constraints that a model has across its fields are not in it; its description tells them.
    """
    mode: JsonSchemaMode = "serialization" if event else "validation"
    schema = model.model_json_schema(schema_generator=_WireSchema, mode=mode)
    names = _field_names(model)
    tidied: dict[str, Any] = _tidy(schema, event=event, names=names)
    return tidied


class _WireSchema(GenerateJsonSchema):
    """Pydantic's generator with what the wire does differently."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"type": "number"}

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}

    def ser_schema(self, schema: Any) -> JsonSchemaValue | None:
        # Money's serializer says nothing of what it makes, which is a number.
        if schema.get("return_schema", {}).get("type") == "any":
            return None
        return super().ser_schema(schema)

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        if self.mode == "serialization":
            return self.generate_inner(schema["schema"])
        return super().nullable_schema(schema)

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        if self.mode == "serialization":
            return not _nullable(field["schema"])
        return super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        described = super().enum_schema(schema)
        described.pop("title", None)
        if self.mode == "serialization" and schema["cls"] in _OPEN:
            described[OPEN_ENUM] = described.pop("enum")
        return described


def _nullable(schema: Mapping[str, Any]) -> bool:
    while schema["type"] != "nullable":
        inner = schema.get("schema")
        if inner is None:
            return False
        schema = inner
    return True


def _field_names(model: type[Resource]) -> frozenset[str]:
    """The Python names of all fields of ``model`` and its parts."""
    names: set[str] = set()
    seen: set[type[Resource]] = set()
    left = [model]
    while left:
        current = left.pop()
        if current in seen:
            continue
        seen.add(current)
        names.update(current.model_fields)
        for field in current.model_fields.values():
            left.extend(_models_in(field.annotation))
    return frozenset(names)


def _models_in(annotation: Any) -> list[type[Resource]]:
    if isinstance(annotation, type) and issubclass(annotation, Resource):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


def _tidy(node: Any, *, event: bool, names: frozenset[str]) -> Any:
    if isinstance(node, list):
        return [_tidy(inner, event=event, names=names) for inner in node]
    if not isinstance(node, dict):
        return node
    tidy: dict[str, Any] = {
        key: {name: _tidy(part, event=event, names=names) for name, part in value.items()}
        if key in ("properties", "$defs")
        else value
        if key in ("default", "enum", OPEN_ENUM)
        else _tidy(value, event=event, names=names)
        for key, value in node.items()
        # In commands null means the same as leaving it out; in events nothing is left to default.
        if not (key == "default" and (event or value is None))
        # A consumer writes nothing.
        and not (key == "readOnly" and event)
    }
    if isinstance(tidy.get("description"), str):
        tidy["description"] = _on_the_wire(tidy["description"], names)
    return _bounded(tidy)


def _bounded(node: dict[str, Any]) -> dict[str, Any]:
    """``node`` with a decimal's constraints in JSON Schema's words."""
    for ours, theirs in _MONEY.items():
        if ours in node:
            node[theirs] = _number(node.pop(ours))
    if "max_digits" in node:
        whole = node.pop("max_digits") - node["decimal_places"]
        # Pydantic counts the digits before the point and those after it each by themselves.
        largest = Decimal(10) ** whole - Decimal(1).scaleb(-node["decimal_places"])
        node.setdefault("maximum", _number(largest))
        node[DECIMAL_PLACES] = node.pop("decimal_places")
    # What a reader looks for first comes first, the parts last.
    head: dict[str, Any] = {
        key: node[key] for key in ("title", "description", "type") if key in node
    }
    tail: dict[str, Any] = {
        key: node[key] for key in ("properties", "required", "$defs") if key in node
    }
    middle = {key: value for key, value in node.items() if key not in tail}
    return {**head, **middle, **tail}


def _number(value: Any) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


def _on_the_wire(text: str, names: frozenset[str]) -> str:
    """A docstring as a description: one line a paragraph, fields by their names on the wire."""

    def named(word: re.Match[str]) -> str:
        name = word[1]
        return f"`{wire_name(name) if name in names else name}`"

    text = _WORD.sub(named, text).replace("``", "`")
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
