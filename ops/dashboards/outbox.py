"""Outboxes and publishing: does what was decided reach Kafka."""

from ops.dashboards.model import RED, YELLOW, Board, Panel, Query, quantiles, rate

_OF = '{service=~"$service"}'

BOARD = Board(
    "ordermesh-outbox",
    "Ordermesh: outbox and publishing",
    "Events are written with the change that causes them, then published, then cleared.",
    by_service=True,
    rows=[
        (
            "Outboxes",
            [
                Panel(
                    "Age of the oldest event",
                    "A few seconds are usual: what is published is cleared with the next write or"
                    " after four seconds. More than a minute: it is not published.",
                    "s",
                    [Query(f"ordermesh:outbox_oldest_seconds:max{_OF}", "{{service}} {{kind}}")],
                    thresholds=[(60, RED)],
                ),
                Panel(
                    "Depth",
                    "Documents with an outbox that is not cleared yet. Follows the load; grows"
                    " without it when Kafka takes nothing.",
                    "short",
                    [
                        Query(
                            f"max by (service, kind) (ordermesh_outbox_aggregates{_OF})",
                            "{{service}} {{kind}}",
                        )
                    ],
                ),
            ],
        ),
        (
            "Publishing",
            [
                Panel(
                    "Published, by type",
                    "Records that Kafka acknowledged, each second.",
                    "reqps",
                    [rate("ordermesh_messages_published_total", "topic, type", _OF)],
                ),
                Panel(
                    "Time to publish",
                    "From sending a batch's records to the last acknowledgement, all tries.",
                    "s",
                    quantiles("ordermesh_publish_seconds", "service", _OF),
                    thresholds=[(1, YELLOW), (10, RED)],
                ),
                Panel(
                    "Tries repeated",
                    "Kafka did not acknowledge, and the records are sent again until it does.",
                    "reqps",
                    [rate("ordermesh_publish_retries_total", "service", _OF)],
                    thresholds=[(0.01, YELLOW)],
                ),
                Panel(
                    "Kafka's refusals, by error",
                    "NotEnoughReplicas: too few copies are in step. KafkaTimeoutError: the broker"
                    " does not answer. TopicAuthorizationFailed: a right is missing.",
                    "reqps",
                    [
                        rate(
                            "ordermesh_infrastructure_faults_total",
                            "service, error",
                            '{service=~"$service", client="kafka"}',
                            fault="kafka refuses writes",
                        )
                    ],
                ),
            ],
        ),
    ],
)
