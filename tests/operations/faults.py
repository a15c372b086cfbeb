"""What goes wrong at night, how each is made to, and which alerts have to tell of it.

``name`` is also what a dashboard's query says when it returns nothing without the fault.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from shared.contracts.registry import Topics
from shared.embedded import free_port
from shared.messaging.topics import create_topics
from tests.e2e.goods import line, order_body, priced_product, shipment_body
from tests.operations.conftest import Stage

Cause = Callable[[Stage], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """``alerts``: name and labels of each alert that has to be raised within ``limit`` seconds,
    its rule's ``for`` not counted. ``stays``: whether there is nothing to be ended."""

    name: str
    cause: Cause
    alerts: Sequence[tuple[str, dict[str, str]]] = ()
    limit: float = 60.0
    stays: bool = True


@asynccontextmanager
async def refused(stage: Stage) -> AsyncIterator[None]:
    stage.traffic.place(200, product="nothing-of-the-kind")
    yield


@asynccontextmanager
async def keyless(stage: Stage) -> AsyncIterator[None]:
    shop, outside = stage.traffic.shop, stage.traffic.outside
    for number in range(3):
        body = order_body(f"keyless-{number}", shop.buyer, line("L1", shop.product))
        await outside.command("PlaceOrder", body, key=f"wrong-{number}")
    yield


@asynccontextmanager
async def poison(stage: Stage) -> AsyncIterator[None]:
    sending = [
        stage.traffic.outside.produce(
            "orders.commands", b"{", uuid4().bytes, [("ce_type", b"PlaceOrder")]
        )
        for _ in range(500)
    ]
    await asyncio.gather(*sending)
    yield


@asynccontextmanager
async def left_alone(stage: Stage) -> AsyncIterator[None]:
    """An approval that nobody gives, a line without a supplier, a shipment without its order."""
    outside, shop = stage.traffic.outside, stage.traffic.shop
    rule = {"ID": "big", "BuyerID": shop.buyer, "OrderTotalAbove": 500}
    await outside.save("ApprovalRule", rule)
    await outside.save_all(priced_product("unsupplied", None, 10))
    for id, item in (
        ("asked", line("L1", shop.product, 100)),
        ("held", line("L1", "unsupplied")),
    ):
        await outside.command("PlaceOrder", order_body(id, shop.buyer, item))
    await outside.command("CreateShipment", shipment_body("orphan", ("no-such-order", "L1", 1)))
    await outside.event("OrderAwaitingApproval", "asked")
    await _made_older(
        stage, "checkout", "orders", {"_id": "asked"}, "state.Order.LastUpdated", timedelta(days=2)
    )
    yield


@asynccontextmanager
async def dead_webhook(stage: Stage) -> AsyncIterator[None]:
    hook = {
        "ID": "dead",
        "Url": f"http://127.0.0.1:{free_port()}/",
        "HashKeys": ["k" * 32],
        "EventTypes": ["OrderSubmitted"],
    }
    await stage.traffic.outside.save("Webhook", hook)
    stage.traffic.place(30)
    await stage.prometheus.until('ordermesh_notifications_pending{channel="Webhook"} > 0', 30)
    await _made_older(
        stage,
        "notifications",
        "deliveries",
        {"state.Status": "Pending", "state.Channel": "Webhook"},
        "state.Created",
        timedelta(minutes=20),
    )
    yield


async def _made_older(
    stage: Stage, service: str, collection: str, query: Any, path: str, by: timedelta
) -> None:
    """Lets time pass for documents, which nobody would wait for."""
    client: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient(stage.engine.mongodb, tz_aware=True) as client:
        documents = client[f"ordermesh_{service}"][collection]
        result = await documents.update_many(query, {"$set": {path: datetime.now(UTC) - by}})
        assert result.matched_count


@asynccontextmanager
async def writes_refused(stage: Stage) -> AsyncIterator[None]:
    """Kafka answers and takes some events for ever no more: their topic was deleted. It is one
    that only systems outside read."""
    kafka = stage.engine.kafka
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics([Topics.COMMANDS_REJECTED])
    finally:
        await admin.close()
    try:
        stage.traffic.place(5, product="nothing-of-the-kind")
        yield
    finally:
        await create_topics(kafka)


@asynccontextmanager
async def stopped(pid: int) -> AsyncIterator[None]:
    """The process hangs: it is there, and does nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def server_stopped(name: str, commands: int = 0) -> Cause:
    """``commands``: so many of the catalogue's come meanwhile."""

    @asynccontextmanager
    async def cause(stage: Stage) -> AsyncIterator[None]:
        async with stopped(stage.engine.description["pids"][name]):
            for number in range(commands):
                stage.traffic.send("SaveBuyer", {"ID": f"buyer-{number}", "Name": "Buyer"})
            yield

    return cause


def service_stopped(name: str) -> Cause:
    @asynccontextmanager
    async def cause(stage: Stage) -> AsyncIterator[None]:
        pid = stage.engine.pid_of(name)
        assert pid is not None
        async with stopped(pid):
            yield

    return cause


@asynccontextmanager
async def slow(stage: Stage) -> AsyncIterator[None]:
    """Checkout gets a tenth of its time, and there is much to do."""
    pid = stage.engine.pid_of("checkout")
    assert pid is not None
    throttle = asyncio.create_task(_throttled(pid))
    load = asyncio.create_task(_more_and_more(stage))
    try:
        yield
    finally:
        for task in (throttle, load):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _throttled(pid: int) -> None:
    while True:
        async with stopped(pid):
            await asyncio.sleep(1.2)
        await asyncio.sleep(0.12)


async def _more_and_more(stage: Stage) -> None:
    while True:
        stage.traffic.place(200)
        await stage.traffic.settle()
        await asyncio.sleep(1)


@asynccontextmanager
async def ends_again_and_again(stage: Stage) -> AsyncIterator[None]:
    for _ in range(3):
        await stage.engine.kill_service("accounts")
        await asyncio.sleep(2.5)
    yield


FAULTS = (
    Fault("refused commands", refused, [("OrdermeshRejectionsHigh", {})]),
    Fault("commands without a key", keyless),
    Fault(
        "poison flood",
        poison,
        [
            ("OrdermeshDeadLetters", {"topic": "orders.commands", "reason": "unreadable"}),
            ("OrdermeshDeadLetterFlood", {"topic": "orders.commands"}),
        ],
    ),
    Fault(
        "nobody looks after it",
        left_alone,
        [
            ("OrdermeshLinesHeld", {}),
            ("OrdermeshShipmentsWaiting", {}),
            ("OrdermeshApprovalsOverdue", {}),
        ],
    ),
    Fault(
        "dead webhook target",
        dead_webhook,
        [
            ("OrdermeshNotificationsFailing", {"channel": "Webhook"}),
            ("OrdermeshNotificationsQueued", {"channel": "Webhook"}),
        ],
    ),
    Fault(
        "kafka refuses writes",
        writes_refused,
        [
            ("OrdermeshPublishFailing", {"service": "checkout"}),
            ("OrdermeshOutboxNotDraining", {"service": "checkout"}),
            ("OrdermeshBatchStuck", {"service": "checkout"}),
            ("OrdermeshOrdersNotMoving", {"stage": "checkout"}),
            ("OrdermeshInfrastructureFaults", {"client": "kafka"}),
        ],
        limit=300,
        stays=False,
    ),
    Fault(
        "broker down",
        server_stopped("kafka"),
        [("OrdermeshConsumerNotPolling", {})],
        limit=120,
        stays=False,
    ),
    Fault(
        "mongod stopped",
        server_stopped("mongodb", commands=3_000),
        [
            ("OrdermeshMongoDBWithoutPrimary", {"instance": "checkout"}),
            ("OrdermeshInfrastructureFaults", {"client": "mongodb"}),
            ("OrdermeshBatchStuck", {"service": "checkout"}),
            ("OrdermeshConsumerBehind", {"service": "accounts"}),
            ("OrdermeshApiFailing", {}),
            ("OrdermeshApiSlow", {}),
        ],
        limit=150,
        stays=False,
    ),
    Fault(
        "slow consumer",
        slow,
        [
            ("OrdermeshLagGrowing", {"service": "checkout", "topic": "orders.commands"}),
            ("OrdermeshEventLoopBlocked", {"instance": "checkout"}),
        ],
        limit=200,
        stays=False,
    ),
    Fault(
        "forwarding stopped",
        service_stopped("forwarding"),
        [
            ("OrdermeshServiceDown", {"instance": "forwarding"}),
            ("OrdermeshOrdersNotMoving", {"stage": "forwarding"}),
            ("OrdermeshForwardingBudgetBurn", {"window": "1h"}),
            ("OrdermeshForwardingBudgetBurn", {"window": "6h"}),
            ("OrdermeshForwardingBudgetBurn", {"window": "3d"}),
        ],
        limit=200,
        stays=False,
    ),
    Fault(
        "pricing stopped",
        service_stopped("pricing"),
        [
            ("OrdermeshServiceDown", {"scope": "service", "service": "pricing"}),
            ("OrdermeshOrdersNotMoving", {"stage": "pricing"}),
        ],
        limit=150,
        stays=False,
    ),
    Fault("a service that ends", ends_again_and_again, [("OrdermeshServiceRestarting", {})]),
)
