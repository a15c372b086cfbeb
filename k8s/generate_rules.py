"""Wraps Prometheus' rule files into PrometheusRules for its operator.

Usage: python k8s/generate_rules.py (`make manifests`). Reads ops/prometheus/rules/*.yml and writes
k8s/components/monitoring/prometheus-rules.yaml. The rules are copied as they are written, so that
both say the same, comments included. Needs nothing but Python.
"""

import textwrap
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "ops" / "prometheus" / "rules"
TARGET = ROOT / "k8s" / "components" / "monitoring" / "prometheus-rules.yaml"

_HEAD = """\
# Made from ops/prometheus/rules/{source} by `make manifests`.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ordermesh-{name}
  labels:
    app.kubernetes.io/part-of: ordermesh
spec:
"""


def rule_files() -> list[Path]:
    """The rule files in the order of their names; the tests of the rules are none of them."""
    found = [*RULES.glob("*.yml"), *RULES.glob("*.yaml")]
    return sorted(path for path in found if "test" not in path.stem)


def render(files: Iterable[Path]) -> str:
    """One PrometheusRule for each file; one without groups where there are no files, because a
    kustomization cannot name an empty file."""
    documents = [
        _HEAD.format(source=path.name, name=path.stem.replace("_", "-").lower())
        + textwrap.indent(path.read_text().strip() + "\n", "  ")
        for path in files
    ]
    none = _HEAD.format(source="*", name="rules") + "  groups: []\n"
    return "---\n".join(documents or [none])


if __name__ == "__main__":
    TARGET.write_text(render(rule_files()))
