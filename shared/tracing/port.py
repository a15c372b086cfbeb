"""What the engine asks of traces. Off by default: then there is no tracing at all, only a None
where a batch begins, and what records is not imported."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, Self

from pymongo.monitoring import CommandListener

from shared.messaging.message import Message
from shared.messaging.publisher import Publisher
from shared.settings import Settings

Attributes = Mapping[str, str | int]

FindParents = Callable[[Sequence[Message[Any]]], Awaitable[Mapping[str, str]]]
"""The ``traceparent`` that messages without one continue, by the messages' identity: that of the
order which they are about. Messages it has none for begin a trace of their own. May raise the
infrastructure's faults."""


class BatchTrace(Protocol):
    """The spans of one batch: entered before it is processed, left when it is committed."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None: ...

    def failed(self, message: Message[Any], error: str) -> None:
        """``message`` went to the dead letters; ``error`` is the kind, nothing of the content."""
        ...

    def phase(self, name: str) -> AbstractContextManager[object]:
        """A part of the batch's way."""
        ...


class Attempt(Protocol):
    """One thing done to the outside. ``trace`` is what continues it."""

    @property
    def trace(self) -> str | None: ...

    def failed(self, error: str) -> None:
        """It did not work; ``error`` is the kind, nothing of the content."""
        ...


class Request(Protocol):
    """One HTTP request that is being answered. ``trace`` is what continues it."""

    @property
    def trace(self) -> str | None: ...

    def answered(self, route: str | None, status: int) -> None:
        """``route`` is the path's pattern, never the path itself."""
        ...


class ServiceTracing(Protocol):
    """The traces of one service."""

    def adopt_by(self, parents: FindParents) -> None:
        """Asks ``parents`` for the trace of messages that come without one."""
        ...

    async def begin(self, messages: Sequence[Message[Any]]) -> BatchTrace:
        """Opens a span for each message that is sampled, and one for the batch. Sets the trace
        of every message: what follows from it continues there."""
        ...

    def attempt(
        self, name: str, trace: str | None, attributes: Attributes
    ) -> AbstractContextManager[Attempt]:
        """A span of something done to the outside, under ``trace``; none where that is none."""
        ...

    def request(self, method: str, trace: str | None) -> AbstractContextManager[Request]:
        """A span of an HTTP request, under the caller's ``trace`` or as a new one."""
        ...

    def publishing(self, publisher: Publisher) -> Publisher:
        """``publisher``, with a span for each call within a batch."""
        ...


class Tracing(Protocol):
    """The traces of one process."""

    def of(self, service: str) -> ServiceTracing: ...

    def mongodb(self) -> CommandListener:
        """To be given to the MongoDB client: a span for each command within a batch."""
        ...

    async def close(self) -> None:
        """Sends what is left, for two seconds at most."""
        ...


class TracingUnavailable(RuntimeError):
    """Traces are asked for and cannot be had; the message says what to do."""


class _Untraced:
    """A batch that nobody records."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        pass

    def failed(self, message: Message[Any], error: str) -> None:
        pass

    def phase(self, name: str) -> AbstractContextManager[object]:
        return nullcontext()


UNTRACED: BatchTrace = _Untraced()
"""Stateless, so one is enough."""


def start_tracing(settings: Settings, version: str) -> Tracing | None:
    """The process's traces as ``settings`` ask for them; None when they do not.

    Raises :class:`TracingUnavailable` without the packages of the extra ``tracing``, and when
    the setting is no URL.
    """
    if not settings.otlp:
        return None
    if not settings.otlp.startswith(("http://", "https://")):
        # Not repeated: it may carry a password.
        raise TracingUnavailable(
            "ORDERMESH_OTLP is not understood; set it to http://HOST:4318 or https://…, or to"
            " nothing for no traces."
        )
    try:
        from shared.tracing.otel import OtelTracing, otlp_exporter
    except ImportError as error:
        raise TracingUnavailable(
            "ORDERMESH_OTLP asks for traces, and the packages that send them are not installed:"
            " pip install 'ordermesh[tracing]', or unset ORDERMESH_OTLP."
        ) from error
    return OtelTracing(
        otlp_exporter(settings.otlp),
        ratio=settings.trace_ratio,
        version=version,
        instance=settings.instance_id,
    )
