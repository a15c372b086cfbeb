"""Traces: what the engine asks of them (``port``), W3C's header (``traceparent``), and
OpenTelemetry behind it (``otel``, ``spans``, ``mongodb``), which
is imported only where traces are on."""
