"""Prometheus metrics that all services share. Every label has a bounded set of values.

docs/monitoring.md lists them; it is generated from here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
)

# From ten milliseconds to a week.
# fmt: off
_SECONDS = (
    0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60,
    300, 1800, 3600, 21600, 86400, 604800,
)
# From one millisecond to half a minute: single calls and pauses.
_SHORT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# fmt: on
_COUNTS = (1, 2, 5, 10, 25, 50, 100, 200, 350, 500, 1000, 2000)

_DEAD_LETTER_REASONS = ("unreadable", "handler")
_CHANNELS = ("Email", "Webhook")
_OUTCOMES = ("delivered", "failed", "retried", "duplicate", "no_address")


@dataclass(frozen=True, slots=True)
class Description:
    """A metric as it is exposed: ``kind`` is counter, gauge, histogram or info."""

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


class Metrics:
    """The metrics of one process. Times are in seconds. ``descriptions`` has one of each."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self.descriptions: list[Description] = []
        # Processor time, memory, open files and start of this process, read when it is asked.
        ProcessCollector(registry=self.registry)
        self._of_batches()
        self._of_infrastructure()
        self._of_orders()
        self._of_fulfillment()
        self._of_http()

    def begin(self, service: str, topics: Iterable[str], stores: Iterable[str]) -> None:
        """Makes the series of a service that consumes ``topics`` and keeps ``stores``, with the
        value zero. Without that the first dead letter of a topic would be no increase of anything:
        its series would begin with it."""
        for topic in topics:
            self.consumed.labels(service, topic)
            self.duplicates.labels(service, topic)
            self.lag.labels(service, topic)
            for reason in _DEAD_LETTER_REASONS:
                self.dead_letters.labels(service, topic, reason)
        for kind in stores:
            self.outbox_depth.labels(service, kind)
            self.outbox_oldest.labels(service, kind)
        self.publish_retries.labels(service)
        self.lost_races.labels(service)
        if service == "notifications":
            for channel in _CHANNELS:
                self.notifications_pending.labels(channel)
                self.notifications_oldest.labels(channel)
                for outcome in _OUTCOMES:
                    self.notifications.labels(channel, outcome)

    def _of_batches(self) -> None:
        service = ["service"]
        self.build = self._info("build", "Version of what runs", ["version"])
        self.ready = self._gauge(
            "service_ready",
            "1 when the service has joined its group and consumes, or the API answers, else 0",
            service,
        )
        self.batch_size = self._histogram(
            "batch_messages", "Messages in a batch", service, buckets=_COUNTS
        )
        self.batch_seconds = self._histogram("batch_seconds", "From poll to commit", service)
        self.batch_age = self._gauge(
            "batch_age_seconds", "For how long the batch in hand has been; 0 without one", service
        )
        self.poll_age = self._gauge(
            "consumer_poll_age_seconds",
            "Since when Kafka has answered no poll; 0 with a batch in hand or no partitions",
            service,
        )
        self.partitions = self._gauge(
            "consumer_partitions", "Partitions that this process consumes", service
        )
        self.lag = self._gauge(
            "consumer_lag",
            "Records that are on the topic and not processed; the batch in hand counts",
            [*service, "topic"],
        )
        self.consumed = self._counter("messages_consumed", "Records taken", [*service, "topic"])
        self.published = self._counter(
            "messages_published", "Records acknowledged by Kafka", [*service, "topic", "type"]
        )
        self.publish_seconds = self._histogram(
            "publish_seconds",
            "From sending a batch's records to the last acknowledgement, all tries",
            service,
            buckets=_SHORT_SECONDS,
        )
        self.publish_retries = self._counter(
            "publish_retries", "Publishing had to be tried again", service
        )
        self.duplicates = self._counter(
            "duplicates_dropped", "Messages applied before", [*service, "topic"]
        )
        self.lost_races = self._counter(
            "lost_races", "Writes refused because another was first", service
        )
        self.rejected = self._counter(
            "commands_rejected", "Errors of refused commands", [*service, "code"]
        )
        self.dead_letters = self._counter(
            "dead_letters", "Records moved to the dead letters", [*service, "topic", "reason"]
        )
        self.dead_letters_open = self._gauge(
            "dead_letters_open",
            "Dead letters neither replayed nor discarded",
            [*service, "topic"],
        )
        self.rekeyed = self._counter(
            "commands_rekeyed", "Commands published again under their key", [*service, "topic"]
        )
        self.outbox_depth = self._gauge(
            "outbox_aggregates", "Aggregates with an outbox", [*service, "kind"]
        )
        self.outbox_oldest = self._gauge(
            "outbox_oldest_seconds",
            "Age of the oldest event in an outbox; a few seconds are the normal way",
            [*service, "kind"],
        )

    def _of_infrastructure(self) -> None:
        self.faults = self._counter(
            "infrastructure_faults",
            "Faults of Kafka or MongoDB waited out; `client` is kafka, mongodb or network",
            ["service", "client", "error"],
        )
        self.mongodb_primary = self._gauge(
            "mongodb_primary", "1 when the driver knows a primary to write to, else 0", []
        )
        self.mongodb_seconds = self._histogram(
            "mongodb_command_seconds",
            "Commands of the driver that were answered",
            ["command"],
            buckets=_SHORT_SECONDS,
        )
        self.mongodb_failures = self._counter(
            "mongodb_command_failures",
            "Commands of the driver that failed; `error` is the server's name for it or the"
            " driver's",
            ["command", "error"],
        )
        self.loop_delay = self._histogram(
            "event_loop_delay_seconds",
            "How much later than asked the process came to its next step",
            [],
            buckets=_SHORT_SECONDS,
        )

    def _of_orders(self) -> None:
        self.orders = self._counter(
            "order_transitions",
            "Orders entering a state; Rejected are refused ones",
            ["state", "channel"],
        )
        self.order_value = self._counter(
            "order_value", "Totals of the orders entering a state", ["state", "currency"]
        )
        self.orders_now = self._gauge("orders", "Orders in a state that is not final", ["state"])
        self.orders_aged = self._gauge(
            "orders_aged",
            "Orders that have not moved for longer than `age`; `state` Pricing and Promising are"
            " waiting for the pricing service",
            ["state", "age"],
        )
        self.forwarded_seconds = self._histogram(
            "order_forwarded_seconds",
            "From accepted, or approved where that was asked for, to forwarded",
            [],
        )
        self.shipped_seconds = self._histogram(
            "order_shipped_seconds", "From accepted to the first shipment under way", []
        )
        self.completed_seconds = self._histogram(
            "order_completed_seconds", "From accepted to completed", []
        )

    def _of_fulfillment(self) -> None:
        self.waiting_shipments = self._gauge(
            "shipments_waiting", "Shipments whose order is not known yet", []
        )
        self.held_lines = self._counter("lines_held", "Lines without a supplier", [])
        self.notifications = self._counter(
            "notifications",
            "Notifications by outcome; retried are attempts to be repeated",
            ["channel", "outcome"],
        )
        self.notifications_pending = self._gauge(
            "notifications_pending", "Notifications not delivered yet, up to 100,000", ["channel"]
        )
        self.notifications_oldest = self._gauge(
            "notifications_oldest_seconds",
            "Age of the oldest notification that is not delivered yet",
            ["channel"],
        )

    def _of_http(self) -> None:
        self.http_requests = self._counter(
            "http_requests", "Answered requests of the API", ["operation", "status"]
        )
        self.http_seconds = self._histogram(
            "http_request_seconds",
            "From a request's arrival to its answer",
            ["operation"],
            buckets=_SHORT_SECONDS,
        )

    def _named(self, name: str, kind: str, text: str, labels: Sequence[str]) -> str:
        name = f"ordermesh_{name}"
        exposed = {"counter": f"{name}_total", "info": f"{name}_info"}.get(kind, name)
        self.descriptions.append(Description(exposed, kind, tuple(labels), text))
        return name

    def _info(self, name: str, text: str, labels: list[str]) -> Info:
        return Info(self._named(name, "info", text, labels), text, registry=self.registry)

    def _counter(self, name: str, text: str, labels: list[str]) -> Counter:
        named = self._named(name, "counter", text, labels)
        return Counter(named, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: list[str]) -> Gauge:
        named = self._named(name, "gauge", text, labels)
        return Gauge(named, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, labels: list[str], buckets: tuple[float, ...] = _SECONDS
    ) -> Histogram:
        named = self._named(name, "histogram", text, labels)
        return Histogram(named, text, labels, registry=self.registry, buckets=buckets)
