"""One deployment for all end-to-end tests, and what stands around it."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest

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
async def engine(
    tmp_path_factory: pytest.TempPathFactory, mails: MailReceiver
) -> AsyncIterator[Deployment]:
    """`ordermesh up` with tax 7 %, two ship methods and mail. Stopping it at the end is a test
    of its own: exit code 0, no process left."""
    async with deployment(
        tmp_path_factory.mktemp("engine") / "data",
        tax_rate="0.07",
        shipping_rates='{"STANDARD": "4.90", "EXPRESS": "14.90"}',
        smtp=mails.url,
        waiting_shipments_seconds=str(WAITING_SECONDS),
    ) as running:
        yield running


@pytest.fixture(scope="session")
async def outside(engine: Deployment) -> AsyncIterator[OutsideSystem]:
    """The outside system, which reads everything from the beginning."""
    async with OutsideSystem(engine.kafka) as system:
        yield system


@pytest.fixture(scope="session", autouse=True)
async def orphan(outside: OutsideSystem) -> tuple[str, datetime]:
    """A shipment of an order that never comes, sent before all tests so that none has to wait for
    its end: its ID (its order's is ``no-such-order``) and when it was sent."""
    body = {
        "ID": "orphan",
        "Items": [{"OrderID": "no-such-order", "LineItemID": "L1", "QuantityShipped": 1}],
    }
    await outside.command("CreateShipment", body, id="orphan-command")
    return "orphan", datetime.now(UTC)


@pytest.fixture
def own() -> NewID:
    """IDs of this test alone."""
    mark = uuid4().hex[:8]
    return lambda name: f"{name}-{mark}"
