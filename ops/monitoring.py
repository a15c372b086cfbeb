"""docs/monitoring.md, written from the code: ``python -m ops.monitoring``."""

from pathlib import Path

from shared.metrics import Metrics

PAGE = Path(__file__).parents[1] / "docs" / "monitoring.md"

_HEAD = """# Monitoring

<!-- Written by `make dashboards` from shared/metrics.py; what is changed here by hand is lost. -->

Each service process serves its metrics at `/metrics` of its metrics address (`--metrics`,
`ORDERMESH_METRICS`), and the HTTP API on the port of its requests, where `/targets` tells where all
of them are, in the form of Prometheus's HTTP service discovery. With Debian's package, for a
deployment that was started with `ordermesh up --http 127.0.0.1:8080`:

```sh
prometheus --config.file=ops/prometheus/local.yml --storage.tsdb.path=data/prometheus
```

- Dashboards for Grafana: `ops/grafana/dashboards`, written from `ops/dashboards` and provisioned by
  `ops/grafana/provisioning`.
- Recording and alert rules: `ops/prometheus/rules`; their tests for `promtool test rules`:
  `ops/prometheus/tests`.
- Configuration for containers: `ops/prometheus/prometheus.yml`; for one machine:
  `ops/prometheus/local.yml`.
- A page for each alert: [runbooks](runbooks/).
- Which fault shows where, and how fast: [operations.md](operations.md).

The services name themselves in the label `service`. A discovery that sets a label of that name too
(a ServiceMonitor does) needs `honor_labels: true` (`honorLabels`). `instance` should be something
that a person recognises: a host, a pod. Several services in one process share the metrics that
have no `service`.

No label is unbounded. `operation` is one of the API's, by its name in the SDK, and `unknown` for
what is none. `channel` (of orders) and `currency` are what callers name: the first 20 that
a process sees have their own, the others are `other`. 10,000 orders make no more series than 100
(`make series`). Gauges that are read from the database (orders, outboxes, waiting shipments,
pending notifications) are the same in every instance of a service: take their `max`, not their
`sum`.

Times are in seconds, counters end in `_total`. A histogram has `_bucket`, `_sum` and `_count`.
An order is accepted when Kafka has taken its command.

| metric | kind | labels | meaning |
|---|---|---|---|
"""

_TAIL = """
Of each process, read by prometheus_client from /proc: `process_cpu_seconds_total`,
`process_resident_memory_bytes`, `process_virtual_memory_bytes`, `process_start_time_seconds`,
`process_open_fds`, `process_max_fds`.
"""


def page() -> str:
    """The page as it should be."""
    rows = "".join(
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)}"
        f" | {metric.text} |\n"
        for metric in Metrics().descriptions
    )
    return _HEAD + rows + _TAIL


if __name__ == "__main__":
    PAGE.write_text(page())
