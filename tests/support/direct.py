"""Requests to an ASGI application without a client between: a hundred cost what ten do else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Request:
    """``headers`` come with the call."""

    method: str
    path: str
    query: bytes = b""
    body: bytes = b""


def request(method: str, path: str, query: Mapping[str, str], body: Any) -> Request:
    """``body`` is sent as JSON; None sends none."""
    content = b"" if body is None else json.dumps(body).encode()
    return Request(method, path, urlencode(query).encode(), content)


@dataclass(frozen=True)
class Answer:
    """Header names are in lower case."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @cached_property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


async def ask(app: ASGIApp, asked: Request, headers: Mapping[str, str]) -> Answer:
    """What ``app`` answers."""
    told: list[Message] = []
    given = {"content-type": "application/json", "content-length": str(len(asked.body)), **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": asked.path,
        "raw_path": asked.path.encode(),
        "root_path": "",
        "query_string": asked.query,
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("api", 80),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    await app(scope, receive, send)
    start, *rest = told
    shown = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], shown, b"".join(each.get("body", b"") for each in rest))
