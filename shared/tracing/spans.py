"""The spans of one service: of its batches and messages, of what it does to the outside and of the
HTTP requests that it answers.

A message's span is a child of whatever sent the message. A batch's span stands in a trace of its
own, because its messages belong to many; it and its messages' spans link to each other. The spans
of what is done for the whole batch (queries, publishing, the commit) are the batch's children.
"""

import contextlib
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import Token
from dataclasses import dataclass
from typing import Any, Self

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from shared.messaging.faults import INFRASTRUCTURE_FAULTS
from shared.messaging.message import Message
from shared.messaging.outbox import OutboxEntry
from shared.messaging.publisher import Outgoing, Publisher
from shared.tracing.attributes import of_message
from shared.tracing.port import UNTRACED, Attempt, Attributes, BatchTrace, FindParents, Request
from shared.tracing.scope import Scope, current, entered
from shared.tracing.traceparent import Parent, is_sampled, unsampled


class OtelServiceTracing:
    """The traces of one service."""

    def __init__(self, service: str, tracer: Tracer, ratio: float) -> None:
        self._service = service
        self._tracer = tracer
        self._ratio = ratio
        self._parents: FindParents | None = None

    def adopt_by(self, parents: FindParents) -> None:
        self._parents = parents

    async def begin(self, messages: Sequence[Message[Any]]) -> BatchTrace:
        await self._adopt(messages)
        sampled = []
        for message in messages:
            if message.trace is None:
                if random.random() >= self._ratio:
                    message.trace = unsampled()
                    continue
            elif not is_sampled(message.trace):
                continue
            sampled.append(message)
        if not sampled:
            return UNTRACED
        return _OtelBatch(self._service, self._tracer, sampled, len(messages))

    async def _adopt(self, messages: Sequence[Message[Any]]) -> None:
        """Gives messages that came without a trace that of the order which they are about."""
        orphans = [message for message in messages if message.trace is None]
        if not orphans or self._parents is None:
            return
        try:
            found = await self._parents(orphans)
        except INFRASTRUCTURE_FAULTS:
            # The batch itself will run into it and wait; a trace is not worth waiting for.
            return
        for message in orphans:
            message.trace = found.get(message.identity)

    @contextmanager
    def attempt(self, name: str, trace: str | None, attributes: Attributes) -> Iterator[Attempt]:
        if trace is None or not is_sampled(trace):
            # Whatever batch this task was begun in, it is no part of that.
            with entered(None):
                yield _Unrecorded(trace)
            return
        span = self._tracer.start_span(
            name, context=_under(trace), kind=SpanKind.CLIENT, attributes=dict(attributes)
        )
        with _recorded(span), entered(Scope(self._tracer, span)):
            yield _OtelAttempt(span)

    @contextmanager
    def request(self, method: str, trace: str | None) -> Iterator[Request]:
        if trace is None and random.random() >= self._ratio:
            trace = unsampled()
        if trace is not None and not is_sampled(trace):
            yield _Unrecorded(trace)
            return
        span = self._tracer.start_span(
            method,
            context=Context() if trace is None else _under(trace),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method},
        )
        with _recorded(span), entered(Scope(self._tracer, span)):
            yield _OtelRequest(span, method)

    def publishing(self, publisher: Publisher) -> Publisher:
        return _TracedPublisher(publisher)


class _OtelBatch:
    def __init__(
        self, service: str, tracer: Tracer, messages: Sequence[Message[Any]], size: int
    ) -> None:
        self._tracer = tracer
        self._span = tracer.start_span(
            f"{service} batch",
            context=Context(),
            kind=SpanKind.CONSUMER,
            attributes={"messaging.system": "kafka", "messaging.batch.message_count": size},
        )
        self._token: Token[Scope | None] | None = None
        link = Link(self._span.get_span_context())
        self._messages: dict[int, Span] = {}
        for message in messages:
            parent = message.trace
            span = tracer.start_span(
                f"process {message.type.name}",
                context=Context() if parent is None else _under(parent),
                kind=SpanKind.CONSUMER,
                attributes=of_message(service, message),
                links=(link,),
            )
            message.trace = _traceparent(span)
            self._span.add_link(span.get_span_context())
            self._messages[id(message)] = span

    def __enter__(self) -> Self:
        self._token = current.set(Scope(self._tracer, self._span))
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._token is not None:
            current.reset(self._token)
        spans = [*self._messages.values(), self._span]
        for span in spans:
            if kind is not None:
                _fail(span, kind.__name__)
            span.end()

    def failed(self, message: Message[Any], error: str) -> None:
        span = self._messages.get(id(message))
        if span is not None:
            _fail(span, error)
            span.set_attribute("ordermesh.dead_letter", value=True)

    def phase(self, name: str) -> AbstractContextManager[object]:
        return _child(name, SpanKind.INTERNAL, {})


@contextmanager
def _child(name: str, kind: SpanKind, attributes: Attributes) -> Iterator[None]:
    """A span under the batch or attempt that is going on; none where there is none."""
    scope = current.get()
    if scope is None:
        yield
        return
    with _recorded(scope.child(name, kind, attributes)):
        yield


@contextmanager
def _recorded(span: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        _fail(span, type(error).__name__)
        raise
    finally:
        span.end()


def _fail(span: Span, error: str) -> None:
    span.set_status(Status(StatusCode.ERROR))
    span.set_attribute("error.type", error)


def _under(trace: str) -> Context:
    parent = Parent.parse(trace)
    context = SpanContext(
        parent.trace_id, parent.span_id, is_remote=True, trace_flags=TraceFlags(parent.flags)
    )
    return set_span_in_context(NonRecordingSpan(context), Context())


def _traceparent(span: Span) -> str:
    context = span.get_span_context()
    return str(Parent(context.trace_id, context.span_id, int(context.trace_flags)))


@dataclass(frozen=True, slots=True)
class _Unrecorded:
    trace: str | None

    def failed(self, error: str) -> None:
        pass

    def answered(self, route: str | None, status: int) -> None:
        pass


class _OtelAttempt:
    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def trace(self) -> str | None:
        return _traceparent(self._span)

    def failed(self, error: str) -> None:
        _fail(self._span, error)


class _OtelRequest(_OtelAttempt):
    def __init__(self, span: Span, method: str) -> None:
        super().__init__(span)
        self._method = method

    def answered(self, route: str | None, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)
        if route is not None:
            self._span.update_name(f"{self._method} {route}")
            self._span.set_attribute("http.route", route)
        if status >= 500:
            _fail(self._span, str(status))


class _TracedPublisher:
    """A publisher whose calls within a batch are spans."""

    def __init__(self, inner: Publisher) -> None:
        self._inner = inner

    async def publish(self, entries: Iterable[OutboxEntry]) -> None:
        entries = list(entries)
        with self._span(len(entries)):
            await self._inner.publish(entries)

    async def send(self, records: Sequence[Outgoing]) -> None:
        with self._span(len(records)):
            await self._inner.send(records)

    def is_published(self, entry_id: str) -> bool:
        return self._inner.is_published(entry_id)

    async def told_by_others(self, entries: Iterable[OutboxEntry]) -> set[str]:
        return await self._inner.told_by_others(entries)

    def _span(self, count: int) -> AbstractContextManager[object]:
        if not count:
            return contextlib.nullcontext()
        return _child(
            "publish",
            SpanKind.PRODUCER,
            {"messaging.system": "kafka", "messaging.batch.message_count": count},
        )
