"""Structured logs on standard error: JSON in containers, readable on a terminal.

Log entries carry IDs of orders and messages, never names, addresses, payment references or
message bodies.
"""

import logging
import sys

import structlog


def _not_routine(record: logging.LogRecord) -> bool:
    """False for what aiokafka reports as an error while a new group's coordinator is chosen; it
    asks again by itself."""
    return not (
        record.name == "aiokafka.consumer.group_coordinator"
        and (
            "GroupCoordinatorNotAvailable" in record.getMessage()
            or "Marking the coordinator dead" in record.getMessage()
        )
    )


def configure_logging(log_format: str, level: str) -> None:
    """Sets up structlog and routes the libraries' own logs through it at WARNING.

    ``log_format`` is ``json``, ``console``, or ``auto``: console when standard error is a
    terminal.
    """
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not console:
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(_not_routine)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
