"""Consumers and their batches: is each keeping up."""

from ops.dashboards.model import RED, YELLOW, Board, Panel, Query, quantiles, rate

_OF = '{service=~"$service"}'

BOARD = Board(
    "ordermesh-consumers",
    "Ordermesh: consumers and batches",
    "Lag by topic and group, and what a batch takes. A service's group is ordermesh-<service>.",
    by_service=True,
    rows=[
        (
            "Keeping up",
            [
                Panel(
                    "Lag by group and topic",
                    "Records on a topic that its group has not processed, the batch in hand among"
                    " them.",
                    "short",
                    [Query(f"ordermesh:consumer_lag:sum{_OF}", "{{service}} {{topic}}")],
                    thresholds=[(1000, YELLOW)],
                ),
                Panel(
                    "Growth of the lag",
                    "Records a second by which more come than are processed; below zero it catches"
                    " up. Over one minute.",
                    "short",
                    [
                        Query(
                            f"deriv(ordermesh:consumer_lag:sum{_OF}[1m])",
                            "{{service}} {{topic}}",
                        )
                    ],
                ),
                Panel(
                    "Time to catch up",
                    "How long what waits would take at the pace of the last minutes.",
                    "s",
                    [
                        Query(
                            f"ordermesh:consumer_lag:sum{_OF} / (sum by (service, topic)"
                            f" (rate(ordermesh_messages_consumed_total{_OF}[5m])) > 0)",
                            "{{service}} {{topic}}",
                        )
                    ],
                    thresholds=[(600, RED)],
                ),
                Panel(
                    "Records taken",
                    "Records of all types, each second, those that the service skips among them.",
                    "reqps",
                    [rate("ordermesh_messages_consumed_total", "service, topic", _OF)],
                ),
            ],
        ),
        (
            "Alive",
            [
                Panel(
                    "Since the last answered poll",
                    "For how long Kafka has answered no poll. 0 while a batch is in hand.",
                    "s",
                    [
                        Query(
                            f"ordermesh_consumer_poll_age_seconds{_OF}", "{{service}} {{instance}}"
                        )
                    ],
                    width=8,
                    thresholds=[(60, RED)],
                ),
                Panel(
                    "Age of the batch in hand",
                    "Grows while a batch waits for MongoDB or Kafka. Under a second is usual.",
                    "s",
                    [Query(f"ordermesh_batch_age_seconds{_OF}", "{{service}} {{instance}}")],
                    width=8,
                    thresholds=[(60, RED)],
                ),
                Panel(
                    "Ready, and its partitions",
                    "1 for each service that consumes, and how many partitions it has. More"
                    " instances than partitions are idle.",
                    "short",
                    [
                        Query(f"ordermesh_service_ready{_OF}", "{{service}} {{instance}} ready"),
                        Query(
                            f"ordermesh_consumer_partitions{_OF}",
                            "{{service}} {{instance}} partitions",
                        ),
                    ],
                    width=8,
                ),
            ],
        ),
        (
            "Batches",
            [
                Panel(
                    "Duration of a batch",
                    "From poll to commit. Tens of milliseconds, some hundreds when it catches up.",
                    "s",
                    quantiles("ordermesh_batch_seconds", "service", _OF),
                    thresholds=[(10, YELLOW)],
                ),
                Panel(
                    "Size of a batch",
                    "Messages in a batch. At 500 a service is at its limit and catches up.",
                    "short",
                    quantiles("ordermesh_batch_messages", "service", _OF),
                ),
                Panel(
                    "Batches",
                    "Batches committed, each second.",
                    "reqps",
                    [rate("ordermesh_batch_seconds_count", "service", _OF)],
                    width=8,
                ),
                Panel(
                    "Duplicates",
                    "Messages that were applied before and are dropped. Many after a restart, few"
                    " otherwise.",
                    "reqps",
                    [rate("ordermesh_duplicates_dropped_total", "service, topic", _OF)],
                    width=8,
                ),
                Panel(
                    "Lost races",
                    "Documents that somebody else wrote first; they are folded again.",
                    "reqps",
                    [rate("ordermesh_lost_races_total", "service", _OF)],
                    width=8,
                ),
            ],
        ),
    ],
)
