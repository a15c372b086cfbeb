"""Structured logs on standard error: JSON in containers, readable on a terminal.

Log entries carry IDs of orders and messages, never names, addresses, payment references, secrets
or message bodies. What an exception says may quote any of these, so of exceptions the logs have
the kind and the place in the code: :func:`told` for faults of the infrastructure, and tracebacks
without the exceptions' texts.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, PyMongoError

from shared.tracing.traceparent import trace_id_of

# IDs as the contract has them, UUIDs, and the places of records; no spaces and no @.
_IDENTIFIER = re.compile(r"[A-Za-z0-9_.:/|@-]{1,256}")
_MAILBOX = re.compile(r"@(?!\d+\b)")
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@")
_WITHHELD = "(withheld)"
_LONGEST = 300


def identifier(text: str | None) -> str | None:
    """``text`` where it looks like an ID; whoever sends a message may call it anything."""
    if text is None or (_IDENTIFIER.fullmatch(text) and not _MAILBOX.search(text)):
        return text
    return _WITHHELD


def message_fields(
    topic: str, type: str | None, key: str | None, id: str | None, trace: str | None
) -> dict[str, str | None]:
    """The fields by which log lines are found that concern one message: ``key`` is the order's
    ID (of shipments' commands and events the shipment's), ``trace`` its ``traceparent``."""
    return {
        "topic": topic,
        "type": identifier(type),
        "key": identifier(key),
        "message_id": identifier(id),
        "trace_id": trace_id_of(trace),
    }


def told(error: BaseException) -> str:
    """A fault of the infrastructure as the logs may have it. MongoDB's answers quote documents,
    so of those there are only the codes."""
    kind = type(error).__name__
    if isinstance(error, BulkWriteError):
        details = error.details or {}
        faults = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
        return f"{kind}: codes {sorted({fault.get('code') for fault in faults})}"
    if isinstance(error, OperationFailure):
        return f"{kind}: code {error.code} {(error.details or {}).get('codeName', '')}".rstrip()
    if isinstance(error, ConnectionFailure | KafkaError | OSError):
        # Addresses and the system's own words.
        text = " ".join(str(error).partition(", Timeout:")[0].split())
        return f"{kind}: {without_credentials(text)[:_LONGEST]}" if text else kind
    if isinstance(error, PyMongoError):
        return kind
    return kind


def without_credentials(text: str) -> str:
    """``text`` with the users and passwords of its URLs taken out."""
    return _CREDENTIALS.sub("", text)


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


def _exceptions_without_texts(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replaces ``exc_info`` by where it was raised and by what kinds of exceptions."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    if isinstance(given, tuple):
        error = given[1]
    else:
        error = given if isinstance(given, BaseException) else sys.exc_info()[1]
    if error is not None:
        event["exception"] = _placed(error)
    return event


def _libraries_words(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The first line of what a library says: asyncio goes on with exceptions' texts."""
    event["event"] = without_credentials(str(event["event"]).partition("\n")[0])
    return event


def _placed(error: BaseException) -> str:
    """A traceback of ``error`` and what led to it: kinds, files and lines."""
    parts: list[str] = []
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        frames = traceback.extract_tb(following.__traceback__)
        kind = type(following)
        # The lines as they are in the code: it has no values.
        lines = [f"  {f.filename}:{f.lineno} in {f.name}: {f.line}" for f in frames]
        parts.append("\n".join([f"{kind.__module__}.{kind.__qualname__}", *lines]))
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)
    return "\nbecause of ".join(parts)


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last words of a process that ends by an exception, in the same form."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger().critical("crashed", exc_info=error)


def configure_logging(log_format: str, level: str, *, libraries: int = logging.WARNING) -> None:
    """Sets up structlog and routes the libraries' own logs through it, from level ``libraries``
    on.

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
        _exceptions_without_texts,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_libraries_words, *shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(_not_routine)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(libraries)
    logging.captureWarnings(True)
    sys.excepthook = _crashed
