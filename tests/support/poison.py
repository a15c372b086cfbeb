"""Records that no retry can help, one of every kind."""

import json
from uuid import uuid4

from tests.support.outside import Body, Headers

SOURCE = "poisoner"

Poison = tuple[bytes | None, Headers]
"""A record's value and its headers."""


def headers(type: str, **more: bytes | None) -> Headers:
    """The headers of a command, as the contract has them, and ``more``."""
    named: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_type": type.encode(),
        "ce_source": SOURCE.encode(),
        "ce_id": uuid4().hex.encode(),
        "content-type": b"application/json",
        **more,
    }
    return list(named.items())


def poisons(type: str, good: Body, *, foreign: str = "SaveProduct") -> dict[str, Poison]:
    """Every kind of record that can never be applied, by what is wrong with it. ``good`` is the
    body of a good command, so that nothing but its fault speaks against it; ``foreign`` is a type
    of another topic."""
    value = json.dumps(good).encode()
    large = json.dumps({**good, "Padding": "x" * 1_000_001}).encode()
    return {
        "not JSON": (b"{" + value, headers(type)),
        "not UTF-8": (b'{"ID": "\xff\xfe"}', headers(type)),
        "no object": (b"[]", headers(type)),
        "empty": (b"", headers(type)),
        "of another schema": (b'{"ID": {"not": "a name"}}', headers(type)),
        "a null header": (value, headers(type, weird=None)),
        "a header that is not UTF-8": (value, headers(type, weird=b"\xff")),
        "a tombstone": (None, headers(type)),
        "no ce_type": (value, [x for x in headers(type) if x[0] != "ce_type"]),
        "an unknown type": (value, headers("MakeCoffee")),
        "a type of another topic": (value, headers(foreign)),
        "too large": (large, headers(type)),
        "structured, not JSON": (
            b"{", [("content-type", b"application/cloudevents+json; charset=utf-8")],
        ),
        "structured, no data": (
            json.dumps({"specversion": "1.0", "type": type, "id": "1"}).encode(),
            [("content-type", b"application/cloudevents+json")],
        ),
    }  # fmt: skip
