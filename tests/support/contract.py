"""The generated contract as a validator sees it."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.protocols import Validator

from shared.schemas.messages import message_schemas
from tests.support.outside import Body


@cache
def validator(topic: str, type: str) -> Validator:
    """The validator of a message's body. KeyError where there is no such message."""
    schema = message_schemas()[f"{topic}.{type}"]
    return Draft202012Validator(schema, format_checker=FormatChecker())


def faults(topic: str, type: str, body: Body) -> list[str]:
    """What of ``body`` is not as the message's schema says."""
    return [
        f"{topic}.{type} {error.json_path}: {error.message}"
        for error in validator(topic, type).iter_errors(body)
    ]


def header_faults(schema: dict[str, Any], headers: dict[str, str]) -> list[str]:
    """What of a record's headers is not as ``schema`` says."""
    Draft202012Validator.check_schema(schema)
    found = Draft202012Validator(schema).iter_errors(json.loads(json.dumps(headers)))
    return [f"{error.json_path}: {error.message}" for error in found]
