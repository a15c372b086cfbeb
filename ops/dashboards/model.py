"""What a dashboard is made of, and Grafana's JSON of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"

Threshold = tuple[float, str]
"""From this value on, this colour; below the first one it is green."""

_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Query:
    """``expr`` is PromQL; ``legend`` names its series from their labels. ``fault`` is what has to
    happen before it returns anything, where that is not the everyday."""

    expr: str
    legend: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """``unit`` is Grafana's name of one: s, percentunit, short, reqps, bytes. ``words`` are shown
    instead of a number, each with its colour."""

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    kind: str = "timeseries"
    width: int = 12
    height: int = 8
    thresholds: Sequence[Threshold] = ()
    stacked: bool = False
    words: Mapping[int, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard: rows of panels, each under its heading. ``by_service`` offers a choice of
    services, which the queries name as ``$service``."""

    uid: str
    title: str
    description: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    by_service: bool = False

    def panels(self) -> list[Panel]:
        return [panel for _, panels in self.rows for panel in panels]


def rendered(board: Board) -> str:
    """The file that Grafana reads."""
    return json.dumps(_document(board), indent=2, ensure_ascii=False) + "\n"


def _document(board: Board) -> dict[str, Any]:
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["ordermesh"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "graphTooltip": 1,
        "links": [
            {
                "type": "dashboards",
                "title": "Ordermesh",
                "tags": ["ordermesh"],
                "asDropdown": True,
                "keepTime": True,
            }
        ],
        "annotations": {"list": [_alerts_on_the_time_axis()]},
        "templating": {"list": _variables(board)},
        "panels": _placed(board.rows),
    }


def _alerts_on_the_time_axis() -> dict[str, Any]:
    return {
        "name": "Alerts",
        "datasource": _DATASOURCE,
        "enable": True,
        "iconColor": RED,
        "expr": 'ALERTS{alertname=~"Ordermesh.*", alertstate="firing"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{service}}{{instance}}{{channel}}",
    }


def _variables(board: Board) -> list[dict[str, Any]]:
    variables: list[dict[str, Any]] = [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    ]
    if board.by_service:
        variables.append(
            {
                "name": "service",
                "label": "Service",
                "type": "query",
                "datasource": _DATASOURCE,
                "query": "label_values(ordermesh_service_ready, service)",
                "refresh": 2,
                "multi": True,
                "includeAll": True,
                "allValue": ".*",
                "current": {"text": "All", "value": "$__all"},
            }
        )
    return variables


def _placed(rows: Sequence[tuple[str, Sequence[Panel]]]) -> list[dict[str, Any]]:
    placed: list[dict[str, Any]] = []
    top = 0
    for heading, panels in rows:
        position = {"x": 0, "y": top, "w": _COLUMNS, "h": 1}
        placed.append({"id": len(placed) + 1, "type": "row", "title": heading, "gridPos": position})
        top += 1
        left = height = 0
        for panel in panels:
            if left + panel.width > _COLUMNS:
                top, left, height = top + height, 0, 0
            position = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            placed.append({"id": len(placed) + 1, **_panel(panel), "gridPos": position})
            left += panel.width
            height = max(height, panel.height)
        top += height
    return placed


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _DATASOURCE,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": _DATASOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
                **({} if panel.kind == "timeseries" else {"instant": True}),
            }
            for number, query in enumerate(panel.queries)
        ],
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"value": None, "color": GREEN}]
    steps += [{"value": value, "color": color} for value, color in panel.thresholds]
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "min": 0 if not panel.words else None,
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.kind == "timeseries":
        style = "dashed" if panel.thresholds else "off"
        defaults["custom"] = {
            "drawStyle": "line",
            "fillOpacity": 30 if panel.stacked else 8,
            "stacking": {"mode": "normal" if panel.stacked else "none"},
            "thresholdsStyle": {"mode": style},
            "showPoints": "never",
        }
    else:
        defaults["color"] = {"mode": "thresholds"}
    if panel.words:
        options = {
            str(value): {"text": text, "color": color, "index": value + 1}
            for value, (text, color) in panel.words.items()
        }
        defaults["mappings"] = [{"type": "value", "options": options}]
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "timeseries":
        return {
            "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    options: dict[str, Any] = {"reduceOptions": {"calcs": ["lastNotNull"]}}
    if panel.kind == "stat":
        options |= {"colorMode": "background", "graphMode": "area", "textMode": "auto"}
    else:
        options |= {"orientation": "horizontal", "displayMode": "basic"}
    return options


def quantiles(metric: str, by: str = "", where: str = "") -> list[Query]:
    """Median and 99th percentile of a histogram, by one label where ``by`` names it."""
    grouped = f"le, {by}" if by else "le"
    legend = f"{{{{{by}}}}} " if by else ""
    rate = f"sum by ({grouped}) (rate({metric}_bucket{where}[$__rate_interval]))"
    return [
        Query(f"histogram_quantile({q}, {rate})", f"{legend}{name}")
        for q, name in ((0.5, "median"), (0.99, "99 of 100"))
    ]


def rate(metric: str, by: str, where: str = "", fault: str = "", legend: str = "") -> Query:
    """A counter's increase per second, by labels."""
    legend = legend or " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(","))
    return Query(f"sum by ({by}) (rate({metric}{where}[$__rate_interval]))", legend, fault)
