"""What is going on in this task: the span that others are made under."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Tracer, set_span_in_context

from shared.tracing.port import Attributes


@dataclass(frozen=True, slots=True)
class Scope:
    """A span that has not ended, and what makes its children."""

    tracer: Tracer
    span: Span

    def child(self, name: str, kind: SpanKind, attributes: Attributes) -> Span:
        """A span under this one; whoever asks for it ends it."""
        under = set_span_in_context(self.span, Context())
        return self.tracer.start_span(name, context=under, kind=kind, attributes=dict(attributes))


current: ContextVar[Scope | None] = ContextVar("ordermesh_trace_scope", default=None)
"""None: nothing that is recorded."""


@contextmanager
def entered(scope: Scope | None) -> Iterator[None]:
    token = current.set(scope)
    try:
        yield
    finally:
        current.reset(token)
