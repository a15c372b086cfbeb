"""The AsyncAPI 3.0 document of all topics.

Payloads are in AsyncAPI's own schema format, a superset of JSON Schema draft 7, which every tool
reads; ``messages`` has the same in 2020-12. What AsyncAPI has no words for is in ``x-ordermesh``.
Source: AsyncAPI 3.0.0 and its Kafka bindings 0.5.0.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from shared.contracts.flows import (
    OUTSIDE,
    TOPIC_DESCRIPTIONS,
    Direction,
    consumers,
    direction,
    producers,
    set_aside_by,
    summary,
    types_of,
)
from shared.contracts.registry import MessageType, message_types
from shared.messaging.topics import Topic, declared_topics
from shared.schemas import headers
from shared.schemas.messages import CONTRACT, key_fields, message_schema, schema_name

_BINDING = "0.5.0"
_DEAD_LETTERS = ".dead-letters"
_KEYS = (
    "What has one key is applied in order, as long as one key always goes to one partition."
    " Java's clients and aiokafka choose it with murmur2; librdkafka does only with"
    " partitioner=murmur2_random."
)
_ABOUT = f"""Ordermesh over Kafka: commands in, events out.

The envelope is CloudEvents 1.0 in Kafka's binary mode: the value is the JSON body, the headers \
carry the attributes. Commands are also taken in structured mode.

{_KEYS} How many partitions a topic has is the deployment's choice (3 by default).

Duplicates are recognised by (`ce_source`, `ce_id`). A command ends in an event, in a \
`CommandRejected`, or, if it cannot be read at all, in its topic's dead letters.

Channels and messages with the tag `internal` are between the services: no public contract."""

Part = dict[str, Any]


def asyncapi_document() -> Part:
    """The whole document, as JSON takes it."""
    topics = declared_topics()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Ordermesh",
            "version": version("ordermesh"),
            "description": _ABOUT,
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The deployment's Kafka.",
                "variables": {
                    "bootstrap": {
                        "default": "127.0.0.1:9092",
                        "description": "Bootstrap servers; ORDERMESH_KAFKA of the deployment.",
                    }
                },
            }
        },
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": dict(_operations(topics)),
        "components": {"messages": dict(_messages(topics)), "schemas": dict(_schemas())},
    }


# --- channels -------------------------------------------------------------------------------


def _channel(topic: Topic) -> Part:
    settings = topic.config()
    names = [name for name, _ in _messages([topic])]
    return {
        "address": topic.name,
        "description": f"{_description(topic.name)} {_KEYS}",
        "messages": {
            name.removeprefix(f"{topic.name}."): {"$ref": f"#/components/messages/{name}"}
            for name in names
        },
        "tags": _tags(topic.name),
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": [settings.get("cleanup.policy", "delete")],
                    "retention.ms": int(settings["retention.ms"]),
                    "max.message.bytes": int(settings["max.message.bytes"]),
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _description(topic: str) -> str:
    if topic.endswith(_DEAD_LETTERS):
        source = topic.removesuffix(_DEAD_LETTERS)
        return f"Records of {source} that cannot be applied, unchanged, with the reason."
    return TOPIC_DESCRIPTIONS[topic]


def _tags(topic: str) -> list[Part]:
    source = topic.removesuffix(_DEAD_LETTERS)
    names = [direction(source).value] if source == topic else ["dead-letters"]
    if direction(source) is Direction.INTERNAL and source != topic:
        names.append(Direction.INTERNAL.value)
    return [{"name": name} for name in names]


# --- operations -----------------------------------------------------------------------------


def _operations(topics: Iterable[Topic]) -> Iterable[tuple[str, Part]]:
    """What each service receives and sends, one operation for each service and topic."""
    for topic in topics:
        name = topic.name
        if name.endswith(_DEAD_LETTERS):
            for service in set_aside_by(name.removesuffix(_DEAD_LETTERS)):
                yield _operation("send", service, name, ["DeadLetter"])
            continue
        types = types_of(name)
        structured = direction(name) is Direction.COMMAND
        for service in _services(consumers(type) for type in types):
            read = [type.name for type in types if service in consumers(type)]
            forms = [*read, *(f"{each}.structured" for each in read if structured)]
            yield _operation("receive", service, name, forms)
        for service in _services(producers(type) for type in types):
            sent = [type.name for type in types if service in producers(type)]
            yield _operation("send", service, name, sent)


def _services(of: Iterable[tuple[str, ...]]) -> list[str]:
    return sorted({service for services in of for service in services} - {OUTSIDE})


def _operation(action: str, service: str, topic: str, messages: list[str]) -> tuple[str, Part]:
    described: Part = {
        "action": action,
        "summary": f"{service} {action}s {topic}",
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{name}"} for name in messages],
        "tags": [{"name": service}],
    }
    if action == "receive":
        group = {"type": "string", "const": f"ordermesh-{service}"}
        described["bindings"] = {"kafka": {"groupId": group, "bindingVersion": _BINDING}}
    return f"{service}.{action}s.{topic}", described


# --- messages -------------------------------------------------------------------------------


def _messages(topics: Iterable[Topic]) -> Iterable[tuple[str, Part]]:
    for topic in topics:
        if topic.name.endswith(_DEAD_LETTERS):
            yield f"{topic.name}.DeadLetter", _dead_letter(topic.name)
            continue
        types = types_of(topic.name)
        for type in types:
            yield schema_name(topic.name, type.name), _message(type, only=len(types) == 1)
        if direction(topic.name) is Direction.COMMAND:
            for type in types:
                yield f"{schema_name(topic.name, type.name)}.structured", _structured(type)


def _message(type: MessageType[Any], *, only: bool) -> Part:
    command = direction(type.topic) is Direction.COMMAND
    own: Part = {"properties": {"ce_type": {"const": type.name}}}
    # Where a topic has one type, a command need not name it.
    if command and not only:
        own["required"] = ["ce_type"]
    return {
        "name": type.name,
        "title": type.name,
        "summary": summary(type),
        "contentType": "application/json",
        "headers": {"allOf": [_ref(f"headers.{'command' if command else 'event'}"), own]},
        "payload": _ref(schema_name(type.topic, type.name)),
        **_rest(type),
    }


def _structured(type: MessageType[Any]) -> Part:
    own = {
        "properties": {
            "type": {"const": type.name},
            "data": _ref(schema_name(type.topic, type.name)),
        }
    }
    return {
        "name": type.name,
        "title": f"{type.name} in structured mode",
        "summary": summary(type),
        "contentType": "application/cloudevents+json",
        "headers": _ref("headers.structured"),
        "payload": {"allOf": [_ref("cloudevent"), own]},
        **_rest(type),
    }


def _rest(type: MessageType[Any]) -> Part:
    fields = ", else ".join(f"`{field}`" for field in key_fields(type))
    joined = ", joined by slashes; what is absent is empty" if "/" in fields else ""
    key = {"type": "string", "description": f"The body's {fields}{joined}."}
    return {
        "tags": _tags(type.topic),
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
        CONTRACT: message_schema(type)[CONTRACT],
    }


def _dead_letter(topic: str) -> Part:
    key = {"type": "string", "description": "The record's own, as it came; may be absent."}
    return {
        "name": "DeadLetter",
        "title": "Dead letter",
        "summary": _description(topic),
        "headers": _ref("headers.dead-letter"),
        "payload": {"description": "The record's own value, as it came: any bytes, or none."},
        "tags": _tags(topic),
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
        CONTRACT: {
            "topic": topic,
            "producers": list(set_aside_by(topic.removesuffix(_DEAD_LETTERS))),
            "consumers": [OUTSIDE],
        },
    }


# --- schemas --------------------------------------------------------------------------------


def _schemas() -> Iterable[tuple[str, Part]]:
    yield "headers.command", headers.COMMAND
    yield "headers.event", headers.EVENT
    yield "headers.structured", headers.STRUCTURED
    yield "headers.dead-letter", headers.DEAD_LETTER
    yield "cloudevent", headers.ENVELOPE
    parts: dict[str, Part] = {}
    for type in message_types().values():
        # A part looks different in commands and events.
        way = "command" if direction(type.topic) is Direction.COMMAND else "event"
        schema = message_schema(type)
        for name, part in schema.get("$defs", {}).items():
            parts[f"{way}.{name}"] = _moved(part, way)
        left = {k: v for k, v in schema.items() if k not in ("$schema", "$id", "$defs", CONTRACT)}
        yield schema_name(type.topic, type.name), _moved(left, way)
    yield from sorted(parts.items())


def _moved(node: Any, way: str) -> Any:
    """``node`` with its references to parts of its own schema led to the components."""
    if isinstance(node, list):
        return [_moved(inner, way) for inner in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        return _ref(f"{way}.{node['$ref'].removeprefix('#/$defs/')}")
    return {key: _moved(inner, way) for key, inner in node.items()}


def _ref(name: str) -> Part:
    return {"$ref": f"#/components/schemas/{name}"}
