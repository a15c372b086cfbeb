"""HTTP requests as the beginning or a part of a trace: an ASGI middleware.

Routes that accept something put ``request.state.traceparent`` on the messages that follow from
it, and are then in one trace with them.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from shared.tracing.port import ServiceTracing
from shared.tracing.traceparent import accepted

UNTRACED_PATHS = frozenset({"/", "/healthz", "/readyz", "/metrics"})
"""What is asked every few seconds and tells nothing of any order."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class TracedRequests:
    """An ASGI application whose requests are traced. Without ``tracing`` the caller's trace is
    handed on as it came."""

    def __init__(self, app: Application, tracing: ServiceTracing | None) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED_PATHS:
            await self._app(scope, receive, send)
            return
        came = accepted(_header(scope, b"traceparent"))
        if self._tracing is None:
            scope.setdefault("state", {})["traceparent"] = came
            await self._app(scope, receive, send)
            return
        with self._tracing.request(scope["method"], came) as span:
            scope.setdefault("state", {})["traceparent"] = span.trace
            status = 500

            async def answer(message: MutableMapping[str, Any]) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            await self._app(scope, receive, answer)
            span.answered(getattr(scope.get("route"), "path", None), status)


def _header(scope: Scope, name: bytes) -> str | None:
    values = [value for key, value in scope["headers"] if key == name]
    # More than one is malformed, as if there were none.
    return values[0].decode("latin-1") if len(values) == 1 else None
