"""The HTTP API: what is asked, how it is answered, and how fast."""

from ops.dashboards.model import RED, YELLOW, Board, Panel, Query, quantiles, rate

_COUNTER = "ordermesh_http_requests_total"
_SECONDS = "ordermesh_http_request_seconds"

BOARD = Board(
    "ordermesh-api",
    "Ordermesh: the HTTP API",
    "Requests under /v1 and /oauth. Each write is announced from the outbox of its document, see"
    " outbox and publishing.",
    rows=[
        (
            "Requests",
            [
                Panel(
                    "Answers, by status",
                    "401 and 403: tokens that are missing, over or lack a role. 503: MongoDB cannot"
                    " be reached, or a request took too long.",
                    "reqps",
                    [rate(_COUNTER, "status")],
                    stacked=True,
                ),
                Panel(
                    "Operations asked most",
                    "The ten operations with the most requests; unknown are paths that are not"
                    " there.",
                    "reqps",
                    [
                        Query(
                            f"topk(10, sum by (operation) (rate({_COUNTER}[$__rate_interval])))",
                            "{{operation}}",
                        )
                    ],
                ),
                Panel(
                    "Share answered with 5xx",
                    "Of the requests of 5 minutes. More than 5 %: OrdermeshApiFailing.",
                    "percentunit",
                    [Query("ordermesh:http_5xx:ratio_rate5m", "5xx")],
                    thresholds=[(0.01, YELLOW), (0.05, RED)],
                ),
                Panel(
                    "Answered with 5xx, by operation",
                    "500: a defect, with its ID in the log. 503: it waits for MongoDB, for a"
                    " place to hash a password, or took too long.",
                    "reqps",
                    [
                        rate(
                            _COUNTER,
                            "operation, status",
                            where='{status=~"5.."}',
                            fault="mongod stopped",
                        )
                    ],
                ),
            ],
        ),
        (
            "Time",
            [
                Panel(
                    "Time to answer",
                    "From a request's arrival to its answer, all operations.",
                    "s",
                    quantiles(_SECONDS),
                    thresholds=[(1, RED)],
                ),
                Panel(
                    "Slowest operations",
                    "99 of 100 requests are faster; the ten slowest. Logins hash a password,"
                    " which takes some 20 ms of a processor.",
                    "s",
                    [
                        Query(
                            "topk(10, histogram_quantile(0.99, sum by (le, operation)"
                            f" (rate({_SECONDS}_bucket[$__rate_interval]))))",
                            "{{operation}}",
                        )
                    ],
                    thresholds=[(1, RED)],
                ),
            ],
        ),
    ],
)
