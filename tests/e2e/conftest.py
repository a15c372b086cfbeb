"""One deployment for all end-to-end tests, and what stands around it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from tests.support.collector import Collector, collector
from tests.support.deployment import Deployment, deployment
from tests.support.outside import OutsideSystem
from tests.support.receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver

WAITING_SECONDS = 15
"""How long a shipment waits for its order in this deployment: longer than a service that was
killed is away, short enough to see the end of it."""

NewID = Callable[[str], str]
"""Makes an ID of a test's own: ``own("order")``."""


@pytest.fixture(scope="session")
async def mails() -> AsyncIterator[MailReceiver]:
    """A real mail server that the deployment sends through."""
    async with mail_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
async def hooks() -> AsyncIterator[HttpReceiver]:
    """A real web server for webhooks."""
    async with http_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
async def unasked() -> AsyncIterator[Collector]:
    """A collector that gets nothing but what outside systems decided to record."""
    async with collector() as receiving:
        yield receiving


@pytest.fixture(scope="session")
async def engine(
    tmp_path_factory: pytest.TempPathFactory, mails: MailReceiver, unasked: Collector
) -> AsyncIterator[Deployment]:
    """`ordermesh up` with tax 7 %, two ship methods, mail, and traces of which none is recorded.
    Stopping it at the end is a test
    of its own: exit code 0, no process left."""
    async with deployment(
        tmp_path_factory.mktemp("engine") / "data",
        tax_rate="0.07",
        shipping_rates='{"STANDARD": "4.90", "EXPRESS": "14.90"}',
        smtp=mails.url,
        otlp=unasked.url,
        trace_ratio="0",
        waiting_shipments_seconds=str(WAITING_SECONDS),
    ) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Orphan:
    """A shipment of an order that never comes, and when (UTC) its command was sent."""

    command_id: str
    order_id: str
    sent: datetime


@pytest.fixture(scope="session")
async def outside_and_orphan(engine: Deployment) -> AsyncIterator[tuple[OutsideSystem, Orphan]]:
    """The outside system. The first thing that it sends is the orphan, so that no test has to
    wait for the whole of its time."""
    async with OutsideSystem(engine.kafka) as system:
        orphan = Orphan("orphan-command", "no-such-order", datetime.now(UTC))
        item = {"OrderID": orphan.order_id, "LineItemID": "L1", "QuantityShipped": 1}
        body = {"ID": "orphan", "Items": [item]}
        await system.command("CreateShipment", body, id=orphan.command_id)
        yield system, orphan


@pytest.fixture(scope="session")
def outside(outside_and_orphan: tuple[OutsideSystem, Orphan]) -> OutsideSystem:
    """The outside system, which reads everything from the beginning."""
    return outside_and_orphan[0]


@pytest.fixture(scope="session")
def orphan(outside_and_orphan: tuple[OutsideSystem, Orphan]) -> Orphan:
    return outside_and_orphan[1]


@pytest.fixture
def own() -> NewID:
    """IDs of this test alone."""
    mark = uuid4().hex[:8]
    return lambda name: f"{name}-{mark}"
