"""A deployment with a Prometheus beside it and orders that flow."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.operations.asking import CLIENT, asking
from tests.operations.traffic import Traffic, traffic
from tests.support.deployment import Deployment, deployment
from tests.support.prometheus import Prometheus, watching
from tests.support.receivers import mail_receiver


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a night needs."""

    engine: Deployment
    prometheus: Prometheus
    traffic: Traffic


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Orders flow, mail arrives, the API is asked, and Prometheus has seen all for a while."""
    async with (
        mail_receiver() as mails,
        deployment(tmp_path / "data", smtp=mails.url, **CLIENT) as engine,
        traffic(engine.kafka) as sent,
        asking(engine.http),
        watching(engine.http, tmp_path / "prometheus") as prometheus,
    ):
        await prometheus.until("ordermesh:orders_flow:state == 1", 90)
        await prometheus.until("sum(ordermesh_order_completed_seconds_count) > 5", 90)
        await prometheus.until("ordermesh:http_requests:rate5m > 0", 90)
        yield Stage(engine, prometheus, sent)
