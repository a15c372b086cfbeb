"""The bare loops that the benchmark compares with, as processes on real servers: they do as much as
they say."""

import asyncio
import json
import sys
from collections import Counter
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient

from services.bench.bare import Plan, Write
from services.bench.children import answers, child, tell
from services.bench.footprint import Record, latest
from services.checks import DeploymentError
from services.shipments.ledger import Ledger
from shared.contracts.orders import Order, OrderEvent, OrderStatus
from shared.mongo.dumping import bson_of
from shared.settings import Settings
from tests.conftest import NewTopic
from tests.support.fakes import START

LIMIT = 60.0
ORDERS = 4
RECORDS = [
    Record(b"O-1", b'{"ID": "O-1"}', [("ce_type", b"OrderSubmitted")]),
    Record(b"O-2", b'{"ID": "O-2"}', [("ce_type", b"OrderCompleted")]),
]
CANCELLATION = Record(b"O-1", b'{ "OrderID": "O-1" }', [("ce_type", b"CancelOrder")])


def submitted(order: str, **more: int) -> Record:
    """The event of an order without lines, and what no contract knows in it."""
    body = OrderEvent(
        order=Order(
            id=order,
            from_company_id="acme",
            currency="USD",
            status=OrderStatus.OPEN,
            date_created=START,
            last_updated=START,
        ),
        line_items=[],
    )
    value = json.loads(body.model_dump_json(exclude_none=True)) | more
    compact = json.dumps(value, separators=(",", ":")).encode()
    return Record(order.encode(), compact, [("ce_type", b"OrderSubmitted")])


async def run(plan: Plan, loop: str = "services.bench.bare") -> dict[str, float]:
    """What a bare loop prints, started and spoken to as by the benchmark."""
    async with asyncio.timeout(LIMIT), child(sys.executable, "-m", loop) as process:
        await tell(process, plan.dump())
        assert await answers([process]) == [b"ready\n"]
        await tell(process, "go")
        (line,) = await answers([process])
    assert process.returncode == 0
    answer: dict[str, float] = json.loads(line)
    return answer


async def arrived(kafka_address: str, topic: str) -> list[Record]:
    """What was sent to ``topic``."""
    async with (
        asyncio.timeout(LIMIT),
        AIOKafkaConsumer(bootstrap_servers=kafka_address, enable_auto_commit=False) as consumer,
    ):
        return await latest(consumer, [TopicPartition(topic, 0)])


async def test_it_sends_the_records_and_writes_each_document_over_as_often_as_the_order_did(
    kafka_address: str,
    mongodb_url: str,
    mongo: AsyncMongoClient[dict[str, Any]],
    new_topic: NewTopic,
) -> None:
    topic = await new_topic()
    sample = {"_id": "O-1", "version": 7, "writer": "somebody", "state": {"ID": "O-1"}}
    writes = [Write("often.often", 2.0, 3.0, sample), Write("once.once", 1.0, 0.0, sample)]
    plan = Plan(kafka_address, mongodb_url, topic, 0, ORDERS, [(1.5, RECORDS)], writes)

    try:
        answer = await run(plan)

        often, once = mongo["bare_loop"]["c0_0"], mongo["bare_loop"]["c0_1"]
        written_over = [document async for document in often.find()]
        assert Counter(each["version"] for each in written_over) == {2: 4, 3: 4}
        assert all(each["state"] == {"ID": "O-1"} for each in written_over)
        assert [each["version"] async for each in once.find()] == [1] * ORDERS
    finally:
        await mongo.drop_database("bare_loop")
    assert await arrived(kafka_address, topic) == RECORDS * 3
    assert set(answer) == {"seconds", "cpu"}
    assert min(answer.values()) > 0


async def test_with_the_contracts_events_and_states_are_made_anew_and_commands_are_sent_as_they_are(
    kafka_address: str,
    mongodb_url: str,
    mongo: AsyncMongoClient[dict[str, Any]],
    new_topic: NewTopic,
) -> None:
    topic = await new_topic()
    ledger = Ledger(buyer_id="acme", lines={"1": 2})
    sample = {"_id": "O-1", "version": 7, "state": {**bson_of(ledger), "Unknown": 1}}
    messages = [(1.0, [CANCELLATION]), (1.0, [submitted("O-1", unknown=1)])]
    writes = [Write(Settings().database("shipments") + ".ledgers", 1.0, 1.0, sample)]
    plan = Plan(kafka_address, mongodb_url, topic, 0, ORDERS, messages, writes)

    try:
        await run(plan, "services.bench.contracts")

        documents = [document async for document in mongo["bare_loop"]["c0_0"].find()]
    finally:
        await mongo.drop_database("bare_loop")
    assert [(each["version"], each["state"]) for each in documents] == [
        (2, bson_of(ledger))
    ] * ORDERS
    sent = [CANCELLATION] * ORDERS + [submitted("O-1")] * ORDERS
    assert await arrived(kafka_address, topic) == sent


async def test_with_the_contracts_a_record_that_a_service_could_not_read_ends_it(
    kafka_address: str, mongodb_url: str, new_topic: NewTopic
) -> None:
    command = Record(b"O-1", b'{"OrderID": 1}', [("ce_type", b"CancelOrder")])
    topic = await new_topic()
    plan = Plan(kafka_address, mongodb_url, topic, 0, ORDERS, [(1.0, [command])], [])

    with pytest.raises(DeploymentError):
        await run(plan, "services.bench.contracts")
