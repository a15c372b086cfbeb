"""JSON Schemas of records' headers: CloudEvents 1.0 in Kafka, and what dead letters gain.

Source: CloudEvents 1.0.2 and its Kafka protocol binding.
"""

from typing import Any

from shared.messaging.decode import LONGEST_ID

_TEXT = {"type": "string"}
_TRACE = {"type": "string", "description": "W3C trace context; handed on to what follows."}

COMMAND: dict[str, Any] = {
    "title": "Headers of a command",
    "description": (
        "CloudEvents binary mode. All values are UTF-8 text; one that is null or something else"
        " makes the record unreadable, whichever header it is."
    ),
    "type": "object",
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_type": {"type": "string", "description": "What the body is."},
        "ce_source": {
            "type": "string",
            "maxLength": LONGEST_ID,
            "description": "Who sends: the same text every time. Strongly advised.",
        },
        "ce_id": {
            "type": "string",
            "maxLength": LONGEST_ID,
            "description": (
                "Which command: the same when it is sent again. Strongly advised. Without it the"
                " record's place stands in, and the sender's own retries are not recognised."
            ),
        },
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": _TEXT,
        "traceparent": _TRACE,
        "content-type": {"type": "string", "const": "application/json"},
    },
}

EVENT: dict[str, Any] = {
    "title": "Headers of an event",
    "description": (
        "CloudEvents binary mode. An event may come twice, with the same ce_source and ce_id."
        " More types may come to a topic: pass over a ce_type that you do not know."
    ),
    "type": "object",
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_type": {"type": "string", "description": "What happened."},
        "ce_source": {"type": "string", "description": "`/ordermesh/` and the service's name."},
        "ce_id": {"type": "string", "description": "The same each time an event is published."},
        "ce_time": {"type": "string", "format": "date-time", "description": "When, in UTC."},
        "traceparent": _TRACE,
        "content-type": {"type": "string", "const": "application/json"},
    },
    "required": [
        "ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time", "content-type",
    ],
}  # fmt: skip

STRUCTURED: dict[str, Any] = {
    "title": "Headers of a command in structured mode",
    "type": "object",
    "properties": {
        "content-type": {"type": "string", "pattern": r"^application/cloudevents\+json"}
    },
    "required": ["content-type"],
}

ENVELOPE: dict[str, Any] = {
    "title": "CloudEvent",
    "description": "A command in CloudEvents structured mode: attributes and body in one object.",
    "type": "object",
    "properties": {
        "specversion": {"type": "string", "const": "1.0"},
        "type": {"type": "string", "description": "As ce_type."},
        "source": {"type": "string", "maxLength": LONGEST_ID, "description": "As ce_source."},
        "id": {"type": "string", "maxLength": LONGEST_ID, "description": "As ce_id."},
        "time": {"type": "string", "format": "date-time"},
        "traceparent": _TRACE,
        "data": {"description": "The body."},
    },
    "required": ["data"],
}

DEAD_LETTER: dict[str, Any] = {
    "title": "Headers of a dead letter",
    "description": "The record's own headers as they came, and these.",
    "type": "object",
    "properties": {
        "dl_topic": {"type": "string", "description": "The topic that the record was on."},
        "dl_partition": {"type": "string", "pattern": r"^\d+$"},
        "dl_offset": {"type": "string", "pattern": r"^\d+$"},
        "dl_error": {
            "type": "string",
            "maxLength": 2000,
            "description": "Why it is here: fields and faults, never values.",
        },
        "dl_attempts": {"type": "string", "pattern": r"^\d+$", "description": "Times tried."},
        "dl_time": {"type": "string", "format": "date-time", "description": "When set aside."},
        "dl_omitted": {
            "type": "string",
            "description": "Only where the value was too large to be kept: says its size.",
        },
    },
    "required": [
        "dl_topic", "dl_partition", "dl_offset", "dl_error", "dl_attempts", "dl_time",
    ],
}  # fmt: skip
