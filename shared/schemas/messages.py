"""The JSON Schema of every message type, with what else its contract says."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from shared.contracts.base import wire_name
from shared.contracts.flows import Direction, consumers, direction, producers, summary
from shared.contracts.registry import MessageType, message_types
from shared.schemas.wire import wire_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
CONTRACT = "x-ordermesh"
"""Keyword with what a JSON Schema has no words for: topic, type, direction, key, who sends, who
reads."""


def schema_name(topic: str, type: str) -> str:
    """What a message's schema is called: ``orders.commands.PlaceOrder``."""
    return f"{topic}.{type}"


@cache
def message_schema(type: MessageType[Any]) -> dict[str, Any]:
    """The JSON Schema of the body of ``type``. Not to be changed by the caller."""
    way = direction(type.topic)
    schema = wire_schema(type.body, event=way is not Direction.COMMAND)
    about = schema.pop("description", None)
    said = summary(type)
    return {
        "$schema": DIALECT,
        "$id": f"urn:ordermesh:{schema_name(type.topic, type.name)}",
        "title": type.name,
        "description": f"{said} {about}" if about and about != said else said,
        CONTRACT: {
            "topic": type.topic,
            "type": type.name,
            "direction": way.value,
            "public": way is not Direction.INTERNAL,
            "key": list(key_fields(type)),
            "producers": list(producers(type)),
            "consumers": list(consumers(type)),
        },
        **{key: value for key, value in schema.items() if key != "title"},
    }


def message_schemas() -> dict[str, dict[str, Any]]:
    """The schemas of all messages by name, sorted."""
    schemas = {
        schema_name(topic, name): message_schema(type)
        for (topic, name), type in message_types().items()
    }
    return dict(sorted(schemas.items()))


def key_fields(type: MessageType[Any]) -> tuple[str, ...]:
    """The fields that give the record's key, as paths on the wire; the first that is there
    counts: ``("OrderID", "ID")``. Of ``BuyerID/ID`` the values are joined in the same way."""
    paths = (str(type.key(_Field("", there=there))) for there in (True, False))
    return tuple(dict.fromkeys(paths))


@dataclass(frozen=True, slots=True)
class _Field:
    """Stands in for a body while a key function runs, and remembers what it was asked for."""

    path: str
    there: bool

    def __getattr__(self, name: str) -> "_Field":
        path = f"{self.path}.{wire_name(name)}" if self.path else wire_name(name)
        return _Field(path, self.there)

    def __bool__(self) -> bool:
        return self.there

    def __str__(self) -> str:
        return self.path
