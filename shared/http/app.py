"""The ASGI application of the API: from a request to its operation and back.

FastAPI carries it (middleware, documentation); one route takes every request under ``/v1`` and
``/oauth`` and finds its operation in the table, because paths are matched in any case.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class Api:
    """Answers requests for ``operations``."""

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

    async def answer(self, request: Request) -> Response:
        """The answer to ``request``, whatever happens."""
        id = uuid.uuid4().hex
        began = asyncio.get_running_loop().time()
        name = "unknown"
        try:
            operation, path = self._find(request)
            name = operation.name
            async with asyncio.timeout(self._limits.seconds):
                response = await self._call(request, operation, path, id)
        except ApiError as problem:
            response = Response(
                to_json(problem.body()), problem.status, problem.headers, "application/json"
            )
        except TimeoutError:
            log.warning("request_timed_out", operation=name, log_id=id)
            response = _failed(
                503, "Api.Offline", "It took too long; try again in a moment.", id, retry=True
            )
        except INFRASTRUCTURE_FAULTS as problem:
            log.warning("request_failed", operation=name, log_id=id, error=told(problem))
            response = _failed(
                503,
                "Api.Offline",
                "The database cannot be reached just now; try again in a moment.",
                id,
                retry=True,
            )
        except Exception:
            log.exception("request_defect", operation=name, log_id=id)
            response = _failed(
                500,
                "ServerError",
                f"Something went wrong here; name {id} to whoever runs this.",
                id,
            )
        response.headers["X-Request-ID"] = id
        seconds = asyncio.get_running_loop().time() - began
        self._count(name, response.status_code, seconds)
        return response

    def _find(self, request: Request) -> tuple[Operation, dict[str, str]]:
        match = self._routes.find(request.url.path)
        if match is None:
            raise ApiError(
                404,
                [
                    error(
                        "NotFound",
                        f"There is nothing at {request.url.path[:200]}; /openapi.json tells what"
                        " there is.",
                        ObjectType="Route",
                        ObjectID=request.url.path[:200],
                    )
                ],
            )
        found = match.of(request.method)
        if found is None:
            allowed = ", ".join(sorted(match.operations))
            raise ApiError(
                405,
                [
                    error(
                        "Request.InvalidMethod",
                        f"{request.method} is not taken here; these are: {allowed}.",
                    )
                ],
                {"Allow": allowed},
            )
        return found

    async def _call(
        self, request: Request, operation: Operation, path: dict[str, str], id: str
    ) -> Response:
        call = Call(
            operation,
            path,
            request.url.query,
            b"",
            id,
            self._clock(),
            request.client.host if request.client else "",
            getattr(request.state, "traceparent", None),
            request.headers.get("content-type", "application/json"),
        )
        if not operation.public:
            call.authenticated = await self._authenticator.verify(
                request.headers.get("authorization")
            )
            authorize(call)
        if request.method in ("POST", "PUT", "PATCH"):
            call.body = await self._body(request)
        result = await operation.handler(call)
        if operation.status == 204:
            return Response(status_code=204, headers=call.headers)
        return Response(to_json(result), operation.status, call.headers, "application/json")

    async def _body(self, request: Request) -> bytes:
        most = self._limits.body_bytes
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise _too_large(most)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise _too_large(most)
        return bytes(body)


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


def _failed(status: int, code: str, message: str, id: str, *, retry: bool = False) -> Response:
    return JSONResponse(
        envelope([error(code, message, LogID=id)]),
        status,
        headers={"Retry-After": "2"} if retry else {},
    )


class SecurityHeaders:
    """Adds to every answer what keeps a browser from guessing, framing and keeping it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_SECURITY_HEADERS]
            await send(message)

        await self._app(scope, receive, answer if scope["type"] == "http" else send)


def api_app(
    operations: Iterable[Operation],
    authenticator: Authenticator,
    clock: Clock,
    *,
    limits: Limits | None = None,
    origins: Sequence[str] = ("*",),
    count: Count = lambda operation, status, seconds: None,
) -> FastAPI:
    """The application that serves ``operations``, ``/openapi.json`` and ``/docs``.

    Args:
        operations: what there is.
        authenticator: reads tokens.
        clock: the time in UTC.
        limits: what a request may take.
        origins: the web origins whose pages may call it; ``*`` for all.
        count: told of each answered request.
    """
    every = list(operations)
    app = FastAPI(title="Ordermesh", docs_url=None, redoc_url=None, openapi_url=None)
    api = Api(every, authenticator, clock, limits or Limits(), count)
    document = to_json(openapi_document(every))
    documented = docs_page(every)

    @app.get("/openapi.json")
    async def openapi() -> Response:
        """What there is, as OpenAPI 3.1."""
        return Response(document, media_type="application/json")

    @app.get("/docs")
    async def docs() -> HTMLResponse:
        """The same, to be browsed."""
        return HTMLResponse(documented)

    answer: Callable[[Request], Awaitable[Response]] = api.answer
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
    for prefix in ("/v1", "/oauth"):
        app.router.add_route(f"{prefix}/{{rest:path}}", answer, methods=methods)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Request-ID"],
        max_age=600,
    )
    app.add_middleware(SecurityHeaders)
    return app
