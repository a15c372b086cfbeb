"""MongoDB's commands as spans of the batch that they are for: loading and writing."""

from typing import Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from shared.tracing.scope import current


class MongoSpans(CommandListener):
    """Tells which command took how long on which collection, nothing of what was in it. The
    driver calls it in the task that runs the command."""

    def __init__(self) -> None:
        self._open: dict[int, Span] = {}

    def started(self, event: CommandStartedEvent) -> None:
        scope = current.get()
        if scope is None:
            return
        name, database = event.command_name, event.database_name
        collection: Any = event.command.get("collection" if name == "getMore" else name)
        attributes = {
            "db.system.name": "mongodb",
            "db.operation.name": name,
            "db.namespace": database,
        }
        if isinstance(collection, str):
            attributes["db.collection.name"] = collection
        self._open[event.request_id] = scope.child(
            f"{name} {collection}" if isinstance(collection, str) else name,
            SpanKind.CLIENT,
            attributes,
        )

    def succeeded(self, event: CommandSucceededEvent) -> None:
        span = self._open.pop(event.request_id, None)
        if span is not None:
            span.end()

    def failed(self, event: CommandFailedEvent) -> None:
        span = self._open.pop(event.request_id, None)
        if span is not None:
            # The failure's text may quote a document.
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("error.type", str(event.failure.get("codeName", "failure")))
            span.end()
