"""The nights: each fault raises the alerts that are promised, and fills the panels that tell of it.

``pytest -m operations -s`` prints how long each alert took: the table of docs/operations.md.
"""

import asyncio
import time

import httpx
import pytest

from tests.operations.conftest import Stage
from tests.operations.faults import FAULTS, Fault
from tests.support.deployment import SERVICES
from tests.support.prometheus import Alert, alerts, panel_queries

pytestmark = pytest.mark.operations

_BACK_LIMIT = 90.0


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
async def test_a_fault_is_seen(stage: Stage, fault: Fault) -> None:
    promised = {name for name, _ in fault.alerts}
    assert not [x for x in await stage.prometheus.raised() if x["alertname"] in promised]
    began = time.monotonic()

    async with fault.cause(stage):
        took = await _seen(stage, fault, began)
        for title, query in panel_queries():
            if query.fault == fault.name:
                await stage.prometheus.until(query.expr, 60)
                took[title] = time.monotonic() - began
        if not fault.stays:
            # A restart would not help: whoever is left must not be taken for dead.
            assert await _dead(stage, fault) == []
        others = {alert["alertname"] for alert in await stage.prometheus.raised()}

    for name, seconds in took.items():
        print(f"{fault.name}: {name} after {seconds:.0f} s")
    print(f"{fault.name}: raised in the end: {', '.join(sorted(others))}")
    if not fault.stays:
        began = time.monotonic()
        await stage.prometheus.until("ordermesh:orders_forwarded:rate5m > 0", _BACK_LIMIT)
        mark = stage.traffic.place(1)[0]
        await stage.traffic.outside.event("SupplierOrderForwarded", mark, _BACK_LIMIT)
        print(f"{fault.name}: orders flow again after {time.monotonic() - began:.0f} s")


async def _seen(stage: Stage, fault: Fault, began: float) -> dict[str, float]:
    """Seconds from the beginning to each of the fault's alerts, with its rule's ``for``."""
    missing = list(fault.alerts)
    took: dict[str, float] = {}
    while missing:
        raised = await stage.prometheus.raised()
        for name, labels in list(missing):
            wanted = {"alertname": name, **labels}
            if any(wanted.items() <= alert.items() for alert in raised):
                missing.remove((name, labels))
                wait = _rule(name, labels).wait
                took[f"{name} {labels or ''} (+ for {wait})"] = time.monotonic() - began
        passed = time.monotonic() - began
        assert not missing or passed < fault.limit, f"after {passed:.0f} s no {missing}: {raised}"
        await asyncio.sleep(0.5)
    return took


async def _dead(stage: Stage, fault: Fault) -> list[str]:
    """The services that say of themselves that they should be started again."""
    dead = []
    async with httpx.AsyncClient(trust_env=False) as client:
        for service in (*SERVICES, "api"):
            if f"{service} stopped" == fault.name:
                continue
            response = await client.get(f"{stage.engine.base(service)}/healthz", timeout=10)
            if response.status_code != 200:
                dead.append(f"{service}: {response.text}")
    return dead


def _rule(name: str, labels: dict[str, str]) -> Alert:
    rules = [rule for rule in alerts() if rule.name == name]
    return next((rule for rule in rules if labels.items() <= rule.labels.items()), rules[0])
