"""Records as JSON Lines: CloudEvents 1.0 in structured JSON, one a line. Pure.

Source: CloudEvents JSON format 1.0.2; ``partitionkey`` is its partitioning extension. Where a
record stands is told by the extensions ``kafkatopic``, ``kafkapartition`` and ``kafkaoffset``, when
Kafka took it by ``kafkatime``; all other headers are extensions too, without their underscores.
"""

import json
import re
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from shared.messaging.decode import Record, place_of

_STRUCTURED = "application/cloudevents+json"
_UNNAMED = re.compile(r"[^a-z0-9]")


def as_line(record: Record) -> str:
    """``record`` as one line of JSON, without the line's end.

    A record that is no CloudEvent, or no JSON, is told too: what the format demands and the record
    lacks is made of its place, and a value that is not JSON is in ``data_base64``.
    """
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    event = _structured(headers, record.value)
    if event is None:
        event = _binary(headers, record.value)
    event.setdefault("specversion", "1.0")
    event.setdefault("id", place_of(record))
    event.setdefault("source", f"/kafka/{record.topic}")
    event.setdefault("type", "Untyped")
    if record.key is not None:
        event["partitionkey"] = record.key.decode(errors="replace")
    event["kafkatopic"] = record.topic
    event["kafkapartition"] = record.partition
    event["kafkaoffset"] = record.offset
    event["kafkatime"] = _time(record.timestamp)
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _structured(headers: dict[str, str], value: bytes | None) -> dict[str, Any] | None:
    """The event that the value itself is, in structured mode; with what headers were added."""
    if not headers.get("content-type", "").startswith(_STRUCTURED) or value is None:
        return None
    try:
        event = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    added = {n: v for n, v in headers.items() if n.startswith(("dl_", "om_"))}
    return {**event, **_attributes(added)}


def _binary(headers: dict[str, str], value: bytes | None) -> dict[str, Any]:
    event = _attributes(headers)
    if value is None:
        return event
    try:
        event["data"] = json.loads(value)
    except (ValueError, RecursionError):
        event["data_base64"] = b64encode(value).decode()
    return event


def _attributes(headers: dict[str, str]) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for name, text in headers.items():
        if name == "content-type":
            attributes["datacontenttype"] = text
            continue
        plain = _UNNAMED.sub("", name.removeprefix("ce_").lower())
        # Never the name of what the record itself says, nor none at all.
        if plain and plain not in ("data", "database64", "partitionkey"):
            attributes.setdefault(plain, text)
    return attributes


def _time(milliseconds: int) -> str | None:
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
