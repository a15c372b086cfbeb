"""The business: a person new to it sees in ten seconds whether orders flow."""

from ops.dashboards.model import BLUE, GREEN, RED, YELLOW, Board, Panel, Query, quantiles, rate

_TRANSITIONS = "ordermesh_order_transitions_total"
_LATE = "ordermesh:forwarded_late:ratio_rate1h"

BOARD = Board(
    "ordermesh-orders",
    "Ordermesh: orders",
    "Do orders flow, how fast, and what stands in their way.",
    rows=[
        (
            "At a glance",
            [
                Panel(
                    "Do orders flow?",
                    "FLOWING: orders were forwarded in the last minute. IDLE: there are none to"
                    " forward. STUCK: orders wait and do not move, or a service is down: look at"
                    " the alerts.",
                    "none",
                    [Query("ordermesh:orders_flow:state")],
                    kind="stat",
                    width=6,
                    height=6,
                    words={-1: ("STUCK", RED), 0: ("IDLE", BLUE), 1: ("FLOWING", GREEN)},
                ),
                Panel(
                    "Accepted",
                    "Orders that were submitted, or approved where that is asked for.",
                    "reqps",
                    [Query("ordermesh:orders_accepted:rate5m")],
                    kind="stat",
                    width=3,
                    height=6,
                ),
                Panel(
                    "Forwarded",
                    "Orders whose parts went to their suppliers. Over some minutes as many as"
                    " were accepted.",
                    "reqps",
                    [Query("ordermesh:orders_forwarded:rate5m")],
                    kind="stat",
                    width=3,
                    height=6,
                ),
                Panel(
                    "In time",
                    "Share of the accepted orders of the last hour that were forwarded within"
                    " 60 s. The objective is 99.9 %.",
                    "percentunit",
                    [Query(f"1 - {_LATE}")],
                    kind="stat",
                    width=4,
                    height=6,
                    thresholds=[(0, RED), (0.99, YELLOW), (0.999, GREEN)],
                ),
                Panel(
                    "Stuck",
                    "Orders that have waited for pricing for more than a minute. More than none is"
                    " a fault.",
                    "short",
                    [Query('sum(ordermesh:orders_aged:max{state=~"Pricing|Promising", age="1m"})')],
                    kind="stat",
                    width=4,
                    height=6,
                    thresholds=[(1, RED)],
                ),
                Panel(
                    "Alerts",
                    "Alerts of Ordermesh that are firing. Each has a page under docs/runbooks.",
                    "short",
                    [
                        Query(
                            'count(ALERTS{alertname=~"Ordermesh.*", alertstate="firing"})'
                            " or vector(0)"
                        )
                    ],
                    kind="stat",
                    width=4,
                    height=6,
                    thresholds=[(1, RED)],
                ),
            ],
        ),
        (
            "Flow",
            [
                Panel(
                    "Orders by state",
                    "Orders entering a state, each second. Open: accepted. Rejected: refused.",
                    "reqps",
                    [rate(_TRANSITIONS, "state")],
                ),
                Panel(
                    "Accepted and refused, by channel",
                    "The channel is the ce_source that placed the order.",
                    "reqps",
                    [rate(_TRANSITIONS, "channel, state", '{state=~"Open|Rejected"}')],
                    stacked=True,
                ),
                Panel(
                    "Time to forward",
                    "From accepted to forwarded. The objective is within 60 s, the usual well"
                    " under one.",
                    "s",
                    quantiles("ordermesh_order_forwarded_seconds"),
                    width=8,
                    thresholds=[(60, RED)],
                ),
                Panel(
                    "Time to ship",
                    "From accepted to the first shipment under way: mostly the suppliers' time.",
                    "s",
                    quantiles("ordermesh_order_shipped_seconds"),
                    width=8,
                ),
                Panel(
                    "Time to complete",
                    "From accepted to everything under way: mostly the suppliers' time.",
                    "s",
                    quantiles("ordermesh_order_completed_seconds"),
                    width=8,
                ),
            ],
        ),
        (
            "Standing still",
            [
                Panel(
                    "Orders that are not final",
                    "How many orders are in a state that something or somebody has to end.",
                    "short",
                    [Query("max by (state) (ordermesh_orders)", "{{state}}")],
                ),
                Panel(
                    "Orders without a change, by state and age",
                    "Pricing and Promising should take under a second. AwaitingApproval waits for"
                    " a person, Open for the suppliers.",
                    "short",
                    [Query("ordermesh:orders_aged:max", "{{state}} for {{age}}")],
                    kind="bargauge",
                ),
            ],
        ),
        (
            "Refused, and value",
            [
                Panel(
                    "Commands refused, by reason",
                    "Error codes of docs/messages.md. A new one, or many of one, is a channel that"
                    " sends wrong data.",
                    "reqps",
                    [rate("ordermesh_commands_rejected_total", "code", fault="refused commands")],
                    stacked=True,
                ),
                Panel(
                    "Value accepted in an hour, by currency",
                    "Totals of the orders accepted in the last hour.",
                    "short",
                    [
                        Query(
                            "sum by (currency)"
                            ' (increase(ordermesh_order_value_total{state="Open"}[1h]))',
                            "{{currency}}",
                        )
                    ],
                ),
            ],
        ),
    ],
)
