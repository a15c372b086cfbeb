"""A real Prometheus with the project's rules, watching a deployment of the tests."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from ops.dashboards import BOARDS
from ops.dashboards.model import Query
from shared.embedded import free_port

OPS = Path(__file__).parents[2] / "ops"
RULES = OPS / "prometheus" / "rules"
ALERTS = RULES / "alerts.yml"

_SCRAPE = "2s"
_RATE_INTERVAL = "10s"
_START_LIMIT = 30.0

MISSING = "prometheus is not installed: on Debian and Ubuntu, apt-get install prometheus"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as the rules have it; ``labels`` are those that the rule adds."""

    name: str
    expr: str
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    wait: str = "0s"
    """How long ``expr`` has to hold (the rule's ``for``)."""

    def same(self, labels: dict[str, str]) -> bool:
        """Whether an alert with these labels comes from this rule."""
        return labels.get("alertname") == self.name and self.labels.items() <= labels.items()


def alerts() -> list[Alert]:
    """The alert rules, in the order of the file."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [
        Alert(
            rule["alert"],
            rule["expr"],
            rule["labels"],
            rule["annotations"],
            rule.get("for", "0s"),
        )
        for group in groups
        for rule in group["rules"]
    ]


def panel_queries() -> list[tuple[str, Query]]:
    """Every query of every panel, with the dashboard's and the panel's title."""
    return [
        (f"{board.title} / {panel.title}", query)
        for board in BOARDS
        for panel in board.panels()
        for query in panel.queries
    ]


class Prometheus:
    """Asks a Prometheus that runs at ``base``."""

    def __init__(self, base: str, client: httpx.AsyncClient) -> None:
        self._base = base
        self._client = client

    async def query(self, expr: str) -> list[dict[str, Any]]:
        """The series that ``expr``, which may be a dashboard's, gives now. AssertionError when it
        is not understood."""
        expr = expr.replace("$__rate_interval", _RATE_INTERVAL).replace("$service", ".*")
        response = await self._client.get(f"{self._base}/api/v1/query", params={"query": expr})
        answer = response.json()
        assert answer["status"] == "success", (expr, answer)
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    async def value(self, expr: str) -> float | None:
        """The largest value that ``expr`` gives now; None without one."""
        values = [float(series["value"][1]) for series in await self.query(expr)]
        return max(values, default=None)

    async def until(self, expr: str, limit: float) -> float:
        """Seconds until ``expr`` gives something. AssertionError after ``limit``."""
        began = time.monotonic()
        while not await self.query(expr):
            assert time.monotonic() - began < limit, f"no data after {limit} s: {expr}"
            await asyncio.sleep(0.5)
        return time.monotonic() - began

    async def raised(self) -> list[dict[str, str]]:
        """The labels of the alerts that are pending or firing."""
        return [alert["labels"] for alert in await self._alerts()]

    async def firing(self) -> list[dict[str, str]]:
        """The labels of the alerts that are firing."""
        return [alert["labels"] for alert in await self._alerts() if alert["state"] == "firing"]

    async def _alerts(self) -> list[dict[str, Any]]:
        answer = (await self._client.get(f"{self._base}/api/v1/alerts")).json()
        alerts: list[dict[str, Any]] = answer["data"]["alerts"]
        return alerts


@asynccontextmanager
async def watching(api: str, data: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus that reads the metrics of the deployment whose HTTP API this is every two
    seconds, and finds them the way that ops/prometheus/local.yml does."""
    binary = shutil.which("prometheus")
    assert binary is not None, MISSING
    data.mkdir()
    config = yaml.safe_load((OPS / "prometheus" / "local.yml").read_text())
    config["global"] = {"scrape_interval": _SCRAPE, "evaluation_interval": _SCRAPE}
    config["rule_files"] = [str(RULES / "*.yml")]
    (discovery,) = config["scrape_configs"][0]["http_sd_configs"]
    discovery |= {"url": f"{api}/targets", "refresh_interval": "5s"}
    (data / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    with (data / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            binary,
            f"--config.file={data / 'prometheus.yml'}",
            f"--storage.tsdb.path={data / 'tsdb'}",
            f"--web.listen-address={address}",
            "--log.level=warn",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            prometheus = Prometheus(f"http://{address}", client)
            await _started(client, f"http://{address}/-/ready", data / "log")
            await prometheus.until('count(up{job="ordermesh"} == 1) == 7', 30)
            yield prometheus
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _started(client: httpx.AsyncClient, url: str, log: Path) -> None:
    async with asyncio.timeout(_START_LIMIT):
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code == 200:
                    return
            assert b"err=" not in log.read_bytes(), log.read_text()
            await asyncio.sleep(0.1)
