"""Shipments and forwarding."""

from ops.dashboards.model import RED, YELLOW, Board, Panel, Query, quantiles, rate

BOARD = Board(
    "ordermesh-fulfillment",
    "Ordermesh: forwarding and shipments",
    "From the accepted order to the supplier's shipment.",
    rows=[
        (
            "Forwarding",
            [
                Panel(
                    "Accepted and forwarded",
                    "The two lines lie on each other. A gap that stays is orders that do not move.",
                    "reqps",
                    [
                        rate(
                            "ordermesh_order_transitions_total",
                            "state",
                            '{state="Open"}',
                            legend="accepted",
                        ),
                        Query(
                            "sum(rate(ordermesh_order_forwarded_seconds_count[$__rate_interval]))",
                            "forwarded",
                        ),
                    ],
                ),
                Panel(
                    "Time to forward",
                    "From accepted to forwarded. The objective is within 60 s for 99.9 %.",
                    "s",
                    quantiles("ordermesh_order_forwarded_seconds"),
                    thresholds=[(60, RED)],
                ),
                Panel(
                    "Objective: share late",
                    "Of the orders accepted, how many were not forwarded within 60 s, over windows."
                    " Above 0.1 % the month's allowance shrinks too fast.",
                    "percentunit",
                    [
                        Query(f"ordermesh:forwarded_late:ratio_rate{window}", window)
                        for window in ("5m", "30m", "1h", "6h", "3d")
                    ],
                    thresholds=[(0.001, YELLOW), (0.0144, RED)],
                ),
                Panel(
                    "Lines held",
                    "Lines without a supplier, in an hour. Each waits for AssignSupplier.",
                    "short",
                    [Query("sum(increase(ordermesh_lines_held_total[1h]))", "lines")],
                    thresholds=[(1, YELLOW)],
                ),
            ],
        ),
        (
            "Shipments",
            [
                Panel(
                    "Shipment events",
                    "What becomes of shipments, each second.",
                    "reqps",
                    [rate("ordermesh_messages_published_total", "type", '{service="shipments"}')],
                ),
                Panel(
                    "Waiting for their order",
                    "Shipments whose order is not known yet. They wait for a day, then they are"
                    " refused; beyond 100,000 new ones are refused at once.",
                    "short",
                    [Query("max(ordermesh_shipments_waiting)", "shipments")],
                    thresholds=[(1, YELLOW), (80_000, RED)],
                ),
                Panel(
                    "Time to ship",
                    "From accepted to the first shipment under way.",
                    "s",
                    quantiles("ordermesh_order_shipped_seconds"),
                ),
                Panel(
                    "Time to complete",
                    "From accepted to everything under way.",
                    "s",
                    quantiles("ordermesh_order_completed_seconds"),
                ),
            ],
        ),
    ],
)
