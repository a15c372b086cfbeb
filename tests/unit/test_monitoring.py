"""What operators get is whole: pages are current, alerts have runbooks, metrics exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.dashboards import BOARDS
from ops.dashboards.__main__ import FOLDER
from ops.dashboards.model import Board, rendered
from ops.monitoring import PAGE, page
from shared.metrics import Metrics
from tests.operations.faults import FAULTS
from tests.support.prometheus import OPS, RULES, alerts, panel_queries

ROOT = OPS.parent
RUNBOOKS = ROOT / "docs" / "runbooks"
HEADINGS = [
    "What it means",
    "What it touches",
    "What to look at",
    "What to do",
    "When it is over",
]

_boards = pytest.mark.parametrize("board", BOARDS, ids=[board.uid for board in BOARDS])


def _names(expr: str) -> set[str]:
    """The metrics of Ordermesh that an expression names."""
    return set(re.findall(r"\bordermesh_\w+", expr))


def _exposed() -> set[str]:
    names = set()
    for metric in Metrics().descriptions:
        names.add(metric.name)
        if metric.kind == "histogram":
            names |= {f"{metric.name}_{part}" for part in ("bucket", "sum", "count")}
    return names


def _recorded() -> dict[str, str]:
    groups = yaml.safe_load((RULES / "recording.yml").read_text())["groups"]
    return {rule["record"]: rule["expr"] for group in groups for rule in group["rules"]}


def _expressions() -> Iterator[tuple[str, str]]:
    yield from ((title, query.expr) for title, query in panel_queries())
    yield from ((alert.name, alert.expr) for alert in alerts())
    yield from _recorded().items()


@_boards
def test_a_dashboard_is_what_its_description_says(board: Board) -> None:
    assert (FOLDER / f"{board.uid}.json").read_text() == rendered(board), "run `make dashboards`"


def test_there_is_no_dashboard_without_a_description() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {board.uid for board in BOARDS}


@_boards
def test_every_panel_says_what_it_shows_and_in_what_unit(board: Board) -> None:
    panels = [x for x in json.loads(rendered(board))["panels"] if x["type"] != "row"]

    for panel in panels:
        assert panel["title"], panel
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
    assert len({panel["title"] for panel in panels}) == len(panels)


@_boards
def test_panels_do_not_lie_on_each_other(board: Board) -> None:
    taken: set[tuple[int, int]] = set()

    for panel in json.loads(rendered(board))["panels"]:
        at: dict[str, Any] = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_the_page_of_metrics_is_current() -> None:
    assert PAGE.read_text() == page(), "run `make dashboards`"


def test_queries_name_metrics_and_recorded_rules_that_there_are() -> None:
    exposed, recorded = _exposed(), _recorded()

    for title, expr in _expressions():
        assert _names(expr) <= exposed, title
        assert set(re.findall(r"\bordermesh:[\w:]+", expr)) <= recorded.keys(), title


def test_every_metric_is_on_a_dashboard_or_in_a_rule() -> None:
    named = set().union(*(_names(expr) for _, expr in _expressions()))

    forgotten = [
        metric.name
        for metric in Metrics().descriptions
        if not any(name.startswith(metric.name) for name in named)
    ]

    assert forgotten == []


def test_every_alert_has_a_severity_a_summary_and_a_page_with_everything_on_it() -> None:
    for alert in alerts():
        assert alert.labels["severity"] in ("critical", "warning"), alert.name
        assert alert.annotations["summary"]
        assert alert.annotations["description"]
        assert alert.annotations["runbook_url"] == f"docs/runbooks/{alert.name}.md"
        text = (ROOT / alert.annotations["runbook_url"]).read_text()
        assert text.startswith(f"# {alert.name}\n")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
        assert "```sh" in text, f"{alert.name}: no commands"


def test_no_page_is_of_an_alert_that_there_is_not_and_all_that_they_refer_to_exist() -> None:
    names = {alert.name for alert in alerts()}
    titles = {panel.title for board in BOARDS for panel in board.panels()}

    assert {path.stem for path in RUNBOOKS.iterdir()} == names
    for path in RUNBOOKS.iterdir():
        text = path.read_text()
        assert set(re.findall(r"\bOrdermesh[A-Z]\w+", text)) <= names, path.name
        # Panels are named in italics, by their title as it is shown.
        named = set(re.findall(r"(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)", text))
        assert named <= titles, path.name


def test_every_alert_and_every_panel_that_needs_a_fault_has_a_night_of_its_own() -> None:
    caused = {name for fault in FAULTS for name, _ in fault.alerts}
    nights = {fault.name for fault in FAULTS}

    assert caused == {alert.name for alert in alerts()}
    for title, query in panel_queries():
        assert not query.fault or query.fault in nights, title


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "config", str(OPS / "prometheus" / "prometheus.yml")],
        ["check", "config", str(OPS / "prometheus" / "local.yml")],
        ["check", "rules", *sorted(map(str, RULES.glob("*.yml")))],
        ["test", "rules", str(OPS / "prometheus" / "tests" / "alerts.yml")],
    ],
    ids=["config", "config of one machine", "rules", "tests of the rules"],
)
def test_promtool_finds_nothing_wrong(arguments: list[str], tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: on Debian and Ubuntu, apt-get install prometheus")

    done = subprocess.run(
        [promtool, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout + done.stderr
