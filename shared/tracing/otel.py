"""Traces with OpenTelemetry, sent over OTLP in the background: a collector that is slow or down
holds up nothing, and costs the spans that it could not take."""

import asyncio
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from pymongo.monitoring import CommandListener

from shared.tracing.mongodb import MongoSpans
from shared.tracing.spans import OtelServiceTracing

log = structlog.get_logger()

_QUEUE = 8_192
_AT_ONCE = 512
_PAUSE_MS = 1_000
_EXPORT_SECONDS = 5.0
_FLUSH_SECONDS = 2.0
_MOST_LINKS = 10_000


def otlp_exporter(url: str) -> SpanExporter:
    """Sends to the collector at ``url``, OTLP over HTTP. ``OTEL_EXPORTER_OTLP_HEADERS`` adds
    headers, such as a key."""
    # It reports every try; what fails is told here, once.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
    return OTLPSpanExporter(f"{url.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS)


class OtelTracing:
    """The traces of one process. ``ratio`` (0 to 1) of the traces that begin here are recorded;
    those that began elsewhere are recorded as was decided there."""

    def __init__(
        self, exporter: SpanExporter, *, ratio: float, version: str = "", instance: str = ""
    ) -> None:
        self._ratio = ratio
        self._resource = {
            "service.namespace": "ordermesh",
            "service.version": version,
            "service.instance.id": instance or f"{socket.gethostname()}-{os.getpid()}",
        }
        self._processor = BatchSpanProcessor(
            _Watched(exporter),
            max_queue_size=_QUEUE,
            schedule_delay_millis=_PAUSE_MS,
            max_export_batch_size=_AT_ONCE,
        )

    def of(self, service: str) -> "OtelServiceTracing":
        provider = TracerProvider(
            # What is not to be recorded never gets as far as a sampler.
            sampler=ALWAYS_ON,
            resource=Resource.create({**self._resource, "service.name": service}),
            span_limits=SpanLimits(max_links=_MOST_LINKS),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(self._processor)
        return OtelServiceTracing(service, provider.get_tracer("ordermesh"), self._ratio)

    def mongodb(self) -> CommandListener:
        return MongoSpans()

    async def close(self) -> None:
        # Its own way of stopping blocks for as long as the collector does; the thread is a
        # daemon, so it holds up nothing that comes after this.
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def stop() -> None:
            self._processor.shutdown()  # type: ignore[no-untyped-call]
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=stop, name="traces-flush", daemon=True).start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), _FLUSH_SECONDS)


class _Watched(SpanExporter):
    """Tells once that the collector fails, and once that it works again, not for every try."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._inner.export(spans)
        failing = result is not SpanExportResult.SUCCESS
        if failing and not self._failing:
            log.warning("traces_not_exported", spans=len(spans))
        elif self._failing and not failing:
            log.info("traces_exported_again")
        self._failing = failing
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)
