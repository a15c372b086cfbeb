"""Dead letters and refusals: what was sent and could not be done."""

from ops.dashboards.model import RED, YELLOW, Board, Panel, Query, rate

BOARD = Board(
    "ordermesh-dead-letters",
    "Ordermesh: dead letters and refusals",
    "Dead letters cannot be read or break their handler. Refused commands are readable and against"
    " the rules.",
    rows=[
        (
            "Dead letters",
            [
                Panel(
                    "Open",
                    "Neither replayed nor discarded: `ordermesh dead-letters list` shows them.",
                    "short",
                    [Query("sum(ordermesh_dead_letters_open)")],
                    kind="stat",
                    width=4,
                    thresholds=[(1, YELLOW), (100, RED)],
                ),
                Panel(
                    "In the last hour",
                    "Records set aside. Each is a command or an event that somebody sent in vain.",
                    "short",
                    [Query("sum(increase(ordermesh_dead_letters_total[1h]))")],
                    kind="stat",
                    width=4,
                    thresholds=[(1, YELLOW), (100, RED)],
                ),
                Panel(
                    "By topic and reason",
                    "unreadable: not what its type asks for, the producer's fault. handler: it"
                    " broke the service, which is a defect of Ordermesh.",
                    "reqps",
                    [rate("ordermesh_dead_letters_total", "topic, reason")],
                    width=10,
                ),
                Panel(
                    "Share of what comes",
                    "Of the records of a topic, how many a service sets aside.",
                    "percentunit",
                    [
                        Query(
                            "sum by (service, topic)"
                            " (rate(ordermesh_dead_letters_total[$__rate_interval]))"
                            " / (sum by (service, topic)"
                            " (rate(ordermesh_messages_consumed_total[$__rate_interval])) > 0)",
                            "{{service}} {{topic}}",
                        )
                    ],
                    width=6,
                    thresholds=[(0.05, RED)],
                ),
            ],
        ),
        (
            "Refused commands",
            [
                Panel(
                    "Refused, by code",
                    "Errors of commands.rejected. A code that jumps is a channel that sends wrong"
                    " data or a catalogue that changed.",
                    "reqps",
                    [
                        rate(
                            "ordermesh_commands_rejected_total",
                            "service, code",
                            fault="refused commands",
                        )
                    ],
                ),
                Panel(
                    "Share of orders refused, by channel",
                    "Of the orders that a channel places, how many are refused.",
                    "percentunit",
                    [
                        Query(
                            "sum by (channel) (rate(ordermesh_order_transitions_total"
                            '{state="Rejected"}[$__rate_interval]))'
                            " / (sum by (channel) (rate(ordermesh_order_transitions_total"
                            '{state=~"Open|AwaitingApproval|Rejected"}[$__rate_interval])) > 0)',
                            "{{channel}}",
                            fault="refused commands",
                        )
                    ],
                    thresholds=[(0.2, RED)],
                ),
                Panel(
                    "Published again under their key",
                    "Commands that came without the right key. They are taken, a little later.",
                    "reqps",
                    [
                        rate(
                            "ordermesh_commands_rekeyed_total",
                            "service, topic",
                            fault="commands without a key",
                        )
                    ],
                ),
            ],
        ),
    ],
)
