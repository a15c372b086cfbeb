"""What MongoDB's driver tells of itself: whether there is a primary, and how its commands do.

The driver calls these once for each command, and a batch has a handful of commands.
"""

from typing import Any

from pymongo import monitoring

from shared.metrics import Metrics

_OTHER = "other"
_COMMANDS = frozenset(
    ("find", "getMore", "insert", "update", "delete", "aggregate", "createIndexes", _OTHER)
)


def listeners(metrics: Metrics) -> list[Any]:
    """The ``event_listeners`` of a client whose process has these ``metrics``."""
    return [_Topology(metrics), _Commands(metrics)]


class _Topology(monitoring.TopologyListener):
    """Keeps :attr:`Metrics.mongodb_primary`."""

    def __init__(self, metrics: Metrics) -> None:
        self._primary = metrics.mongodb_primary

    def opened(self, event: monitoring.TopologyOpenedEvent) -> None:
        self._primary.set(0)

    def description_changed(self, event: monitoring.TopologyDescriptionChangedEvent) -> None:
        self._primary.set(1 if event.new_description.has_writable_server() else 0)

    def closed(self, event: monitoring.TopologyClosedEvent) -> None:
        self._primary.set(0)


class _Commands(monitoring.CommandListener):
    """Keeps times and failures of commands."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        for command in _COMMANDS:
            metrics.mongodb_seconds.labels(command)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Nothing is to be done yet."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        seconds = event.duration_micros / 1_000_000
        self._metrics.mongodb_seconds.labels(_name(event.command_name)).observe(seconds)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        failure = event.failure
        error = failure.get("codeName") or failure.get("errtype") or "unnamed"
        self._metrics.mongodb_failures.labels(_name(event.command_name), str(error)).inc()


def _name(command: str) -> str:
    return command if command in _COMMANDS else _OTHER
