"""Notifications: mail and webhooks."""

from ops.dashboards.model import RED, YELLOW, Board, Panel, Query, rate

_COUNTER = "ordermesh_notifications_total"

BOARD = Board(
    "ordermesh-notifications",
    "Ordermesh: notifications",
    "Who has to know is told: by mail and by signed webhooks, with retries for a day.",
    rows=[
        (
            "Outcomes",
            [
                Panel(
                    "By channel and outcome",
                    "retried: the target did not take it now. failed: given up, or refused for"
                    " good. no_address: an order without a mailbox.",
                    "reqps",
                    [rate(_COUNTER, "channel, outcome")],
                ),
                Panel(
                    "Share of attempts that fail",
                    "One dead target among many shows as a few percent, a dead mail server as all.",
                    "percentunit",
                    [
                        Query(
                            f'sum by (channel) (rate({_COUNTER}{{outcome=~"failed|retried"}}'
                            "[$__rate_interval])) / (sum by (channel)"
                            f' (rate({_COUNTER}{{outcome=~"delivered|failed|retried"}}'
                            "[$__rate_interval])) > 0)",
                            "{{channel}}",
                        )
                    ],
                    thresholds=[(0.05, RED)],
                ),
            ],
        ),
        (
            "Queue",
            [
                Panel(
                    "Not delivered yet",
                    "Pending notifications, counted up to 100,000.",
                    "short",
                    [Query("max by (channel) (ordermesh_notifications_pending)", "{{channel}}")],
                ),
                Panel(
                    "Age of the oldest",
                    "A target that is down keeps its notifications here until it is back, for a"
                    " day.",
                    "s",
                    [
                        Query(
                            "max by (channel) (ordermesh_notifications_oldest_seconds)",
                            "{{channel}}",
                        )
                    ],
                    thresholds=[(600, YELLOW), (43_200, RED)],
                ),
                Panel(
                    "Given up in an hour",
                    "Notifications that failed for good; each is a NotificationFailed on"
                    " notifications.events.",
                    "short",
                    [
                        Query(
                            f'sum by (channel) (increase({_COUNTER}{{outcome="failed"}}[1h]))',
                            "{{channel}}",
                        )
                    ],
                    thresholds=[(1, YELLOW)],
                ),
            ],
        ),
    ],
)
