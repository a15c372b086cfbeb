"""The ASGI application of the API: from a request to its operation and back.

Requests under ``/v1`` and ``/oauth`` are answered here, with nothing between the server and the
operation but CORS: at a few hundred microseconds a request, every layer counts. The pages beside
them, documentation, health and metrics, are FastAPI's.
"""

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.access import authorize
from shared.http.docs_page import docs_page
from shared.http.errors import ApiError, envelope, error
from shared.http.openapi import openapi_document
from shared.http.operations import Call, Operation
from shared.http.present import to_json
from shared.http.principal import Principal
from shared.http.routing import RouteTable
from shared.logs import told
from shared.messaging.faults import INFRASTRUCTURE_FAULTS
from shared.messaging.processor import Clock

log = structlog.get_logger()


class Authenticator(Protocol):
    """Turns an ``Authorization`` header into who calls; raises :class:`ApiError` 401."""

    async def verify(self, authorization: str | None) -> Principal: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may take: bytes of its body, and seconds."""

    body_bytes: int = 1_000_000
    seconds: float = 30.0


Count = Callable[[str, int, float], None]
"""Told of each answered request: operation, status, seconds."""

_SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
]
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] | None = None


class Disconnected(Exception):
    """The client is gone before its request was whole; nobody hears an answer."""


class Api:
    """An ASGI application that answers requests for ``operations``."""

    def __init__(
        self,
        operations: Sequence[Operation],
        authenticator: Authenticator,
        clock: Clock,
        limits: Limits,
        count: Count,
    ) -> None:
        self._routes = RouteTable(operations)
        self._authenticator = authenticator
        self._clock = clock
        self._limits = limits
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        time = asyncio.get_running_loop().time
        began = time()
        id = uuid.uuid4().hex
        try:
            name, answer = await self._answer(scope, receive, id)
        except Disconnected:
            return
        headers = [
            (b"content-length", str(len(answer.body)).encode()),
            (b"x-request-id", id.encode()),
            *_SECURITY_HEADERS,
        ]
        if answer.body:
            headers.append((b"content-type", b"application/json"))
        for key, value in (answer.headers or {}).items():
            headers.append((key.lower().encode(), value.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})
        self._count(name, answer.status, time() - began)

    async def _answer(self, scope: Scope, receive: Receive, id: str) -> tuple[str, _Answer]:
        """The operation's name and the answer, whatever happens."""
        name = "unknown"
        try:
            operation, path = self._find(scope)
            name = operation.name
            async with asyncio.timeout(self._limits.seconds):
                return name, await self._call(scope, receive, operation, path, id)
        except ApiError as problem:
            return name, _Answer(problem.status, to_json(problem.body()), problem.headers)
        except Disconnected:
            raise
        except TimeoutError:
            log.warning("request_timed_out", operation=name, log_id=id)
            return name, _later("It took too long; try again in a moment.", id)
        except INFRASTRUCTURE_FAULTS as problem:
            log.warning("request_failed", operation=name, log_id=id, error=told(problem))
            text = "The database cannot be reached just now; try again in a moment."
            return name, _later(text, id)
        except Exception:
            log.exception("request_defect", operation=name, log_id=id)
            text = f"Something went wrong here; name {id} to whoever runs this."
            return name, _Answer(500, to_json(envelope([error("ServerError", text, LogID=id)])))

    def _find(self, scope: Scope) -> tuple[Operation, dict[str, str]]:
        path, method = scope["path"], scope["method"]
        match = self._routes.find(path)
        if match is None:
            told_path = path[:200]
            raise ApiError(
                404,
                [
                    error(
                        "NotFound",
                        f"There is nothing at {told_path}; /openapi.json tells what there is.",
                        ObjectType="Route",
                        ObjectID=told_path,
                    )
                ],
            )
        found = match.of("GET" if method == "HEAD" else method)
        if found is None:
            allowed = ", ".join(sorted(match.operations))
            raise ApiError(
                405,
                [
                    error(
                        "Request.InvalidMethod",
                        f"{method} is not taken here; these are: {allowed}.",
                    )
                ],
                {"Allow": allowed},
            )
        return found

    async def _call(
        self,
        scope: Scope,
        receive: Receive,
        operation: Operation,
        path: dict[str, str],
        id: str,
    ) -> _Answer:
        headers = Headers(scope=scope)
        client = scope.get("client")
        call = Call(
            operation,
            path,
            scope["query_string"].decode("latin-1"),
            b"",
            id,
            self._clock(),
            client[0] if client else "",
            scope.get("state", {}).get("traceparent"),
            headers.get("content-type", "application/json"),
        )
        if not operation.public:
            authorization = headers.get("authorization")
            call.authenticated = await self._authenticator.verify(authorization)
            authorize(call)
        if scope["method"] in _WITH_BODY:
            call.body = await self._body(headers, receive)
        result = await operation.handler(call)
        body = b"" if operation.status == 204 else to_json(result)
        return _Answer(operation.status, body, call.headers)

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        most = self._limits.body_bytes
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise _too_large(most)
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            body += message.get("body", b"")
            if len(body) > most:
                raise _too_large(most)
            more = message.get("more_body", False)
        return body


def _too_large(most: int) -> ApiError:
    return ApiError(
        413,
        [
            error(
                "Request.InvalidRequestBody",
                f"The body has more than {most} bytes; send less at once.",
                MaxSize=most,
            )
        ],
    )


def _later(message: str, id: str) -> _Answer:
    told_error = error("Api.Offline", message, LogID=id)
    return _Answer(503, to_json(envelope([told_error])), {"Retry-After": "2"})


def api_app(
    operations: Iterable[Operation],
    authenticator: Authenticator,
    clock: Clock,
    *,
    limits: Limits | None = None,
    origins: Sequence[str] = ("*",),
    count: Count = lambda operation, status, seconds: None,
    pages: FastAPI | None = None,
) -> ASGIApp:
    """The application that serves ``operations``, ``/openapi.json`` and ``/docs``.

    Args:
        operations: what there is.
        authenticator: reads tokens.
        clock: the time in UTC.
        limits: what a request may take.
        origins: the web origins whose pages may call it; ``*`` for all.
        count: told of each answered request.
        pages: what answers every other path; the documentation is added to it.
    """
    every = list(operations)
    beside = pages or FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _add_documentation(beside, every)
    api = Api(every, authenticator, clock, limits or Limits(), count)
    to_pages = CORSMiddleware(
        api,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Request-ID"],
        max_age=600,
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"][:7].lower().startswith(_PREFIXES):
            await beside(scope, receive, send)
        elif any(name == b"origin" for name, _ in scope["headers"]):
            await to_pages(scope, receive, send)
        else:
            await api(scope, receive, send)

    return app


_PREFIXES = ("/v1/", "/oauth/")


def _add_documentation(pages: FastAPI, operations: Sequence[Operation]) -> None:
    document = to_json(openapi_document(operations))
    page = docs_page(operations)
    headers = {name.decode(): value.decode() for name, value in _SECURITY_HEADERS}

    @pages.get("/openapi.json")
    async def openapi() -> Response:
        """What there is, as OpenAPI 3.1."""
        return Response(document, media_type="application/json", headers=headers)

    @pages.get("/docs")
    async def docs() -> HTMLResponse:
        """The same, to be browsed."""
        return HTMLResponse(page, headers=headers)
