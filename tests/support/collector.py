"""An OTLP collector: takes spans over HTTP, in protobuf, and keeps them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.receivers import HttpReceiver, http_receiver

_PATH = "/v1/traces"


@dataclass(frozen=True, slots=True)
class Reported:
    """A span as it arrived; IDs in hexadecimal digits, ``parent`` empty for a root. ``links``
    are (trace, span). Times are in nanoseconds since 1970."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[tuple[str, str], ...]
    attributes: dict[str, str | int | bool]
    failed: bool
    started: int
    ended: int


@dataclass
class Collector:
    """``receiver`` has the raw requests."""

    receiver: HttpReceiver

    @property
    def url(self) -> str:
        return self.receiver.url("")

    @property
    def requests(self) -> int:
        return len(self.receiver.at(_PATH))

    def raw(self) -> bytes:
        """Everything that arrived, as bytes."""
        return b"".join(request.body for request in self.receiver.at(_PATH))

    def spans(self) -> list[Reported]:
        """All spans so far."""
        return [
            _span(str(_value(resource.resource.attributes, "service.name")), span)
            for request in self.receiver.at(_PATH)
            for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def trace_of(self, name: str, **attributes: str) -> str | None:
        """The trace of the first span of that name with these attributes (dots as ``__``)."""
        wanted = {key.replace("__", "."): value for key, value in attributes.items()}.items()
        found = (s for s in self.spans() if s.name == name and wanted <= s.attributes.items())
        return next((span.trace for span in found), None)

    def trace(self, id: str) -> list[Reported]:
        """The spans of one trace so far."""
        return [span for span in self.spans() if span.trace == id]

    async def until(
        self, condition: Callable[[], bool], otherwise: Callable[[], str], limit: float = 10.0
    ) -> None:
        """Waits for more spans until ``condition``; AssertionError after ``limit`` seconds."""
        try:
            async with asyncio.timeout(limit):
                while not condition():
                    await self.receiver.wait_for(self.requests + 1, _PATH, limit)
        except TimeoutError:
            raise AssertionError(f"after {limit} s: {otherwise()}") from None


def _value(attributes: Any, name: str) -> object:
    return _plain(attributes).get(name)


def _plain(attributes: Any) -> dict[str, str | int | bool]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def _span(service: str, span: Any) -> Reported:
    return Reported(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        tuple((x.trace_id.hex(), x.span_id.hex()) for x in span.links),
        _plain(span.attributes),
        span.status.code == 2,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
    )


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """A collector on a free loopback port."""
    async with http_receiver() as receiver:
        yield Collector(receiver)
