"""Prometheus metrics that all services share. Every label has a bounded set of values."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

# From ten milliseconds to a week.
# fmt: off
_SECONDS = (
    0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60,
    300, 1800, 3600, 21600, 86400, 604800,
)
# fmt: on
_COUNTS = (1, 2, 5, 10, 25, 50, 100, 200, 350, 500, 1000, 2000)


class Metrics:
    """The metrics of one process. Times are in seconds."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        service = ["service"]
        self.build = Info("ordermesh_build", "Version of what runs", registry=self.registry)
        self.batch_size = self._histogram(
            "batch_messages", "Messages in a batch", service, buckets=_COUNTS
        )
        self.batch_seconds = self._histogram("batch_seconds", "From poll to commit", service)
        self.consumed = self._counter("messages_consumed", "Records taken", [*service, "topic"])
        self.published = self._counter(
            "messages_published", "Records acknowledged by Kafka", [*service, "topic", "type"]
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
        self.faults = self._counter(
            "infrastructure_faults", "Faults of Kafka or MongoDB waited out", [*service, "error"]
        )
        self.lag = self._gauge("consumer_lag", "Records not consumed yet", [*service, "topic"])
        self.outbox_depth = self._gauge(
            "outbox_aggregates", "Aggregates with an outbox", [*service, "kind"]
        )
        self.orders = self._counter(
            "order_transitions", "Orders entering a state", ["state", "channel"]
        )
        self.orders_now = self._gauge("orders", "Orders in a state that is not final", ["state"])
        self.forwarded_seconds = self._histogram(
            "order_forwarded_seconds", "From accepted to forwarded", []
        )
        self.shipped_seconds = self._histogram(
            "order_shipped_seconds", "From accepted to the first shipment under way", []
        )
        self.completed_seconds = self._histogram(
            "order_completed_seconds", "From accepted to completed", []
        )
        self.waiting_shipments = self._gauge(
            "shipments_waiting", "Shipments whose order is not known yet", []
        )
        self.held_lines = self._counter("lines_held", "Lines without a supplier", [])
        self.notifications = self._counter(
            "notifications", "Notifications by outcome", ["channel", "outcome"]
        )
        self.notifications_pending = self._gauge(
            "notifications_pending", "Notifications not delivered yet", []
        )

    def _counter(self, name: str, text: str, labels: list[str]) -> Counter:
        return Counter(f"ordermesh_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: list[str]) -> Gauge:
        return Gauge(f"ordermesh_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, labels: list[str], buckets: tuple[float, ...] = _SECONDS
    ) -> Histogram:
        return Histogram(f"ordermesh_{name}", text, labels, registry=self.registry, buckets=buckets)
