"""The bare loop that the benchmark compares with, as a process on real servers: it does as much as
it says."""

import asyncio
import json
import sys
from collections import Counter
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient

from services.bench.bare import Plan, Write
from services.bench.footprint import Record, latest
from tests.conftest import NewTopic

LIMIT = 60.0
ORDERS = 4
RECORDS = [
    Record(b"O-1", b'{"ID": "O-1"}', [("ce_type", b"OrderSubmitted")]),
    Record(b"O-2", b'{"ID": "O-2"}', [("ce_type", b"OrderCompleted")]),
]


async def run(plan: Plan) -> dict[str, float]:
    """What the bare loop prints, started and spoken to as by the benchmark."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.bench.bare",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(LIMIT):
            process.stdin.write(plan.dump().encode() + b"\n")
            assert await process.stdout.readline() == b"ready\n"
            process.stdin.write(b"go\n")
            answer: dict[str, float] = json.loads(await process.stdout.readline())
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return answer


async def test_it_sends_the_records_and_writes_each_document_over_as_often_as_the_order_did(
    kafka_address: str,
    mongodb_url: str,
    mongo: AsyncMongoClient[dict[str, Any]],
    new_topic: NewTopic,
) -> None:
    topic = await new_topic()
    sample = {"_id": "O-1", "version": 7, "writer": "somebody", "state": {"ID": "O-1"}}
    plan = Plan(
        kafka=kafka_address,
        mongodb=mongodb_url,
        topic=topic,
        partition=0,
        orders=ORDERS,
        messages=[(1.5, RECORDS)],
        writes=[Write(2.0, 3.0, sample), Write(1.0, 0.0, sample)],
    )

    try:
        answer = await run(plan)

        often, once = mongo["bare_loop"]["c0_0"], mongo["bare_loop"]["c0_1"]
        written_over = [document async for document in often.find()]
        assert Counter(each["version"] for each in written_over) == {2: 4, 3: 4}
        assert all(each["state"] == {"ID": "O-1"} for each in written_over)
        assert [each["version"] async for each in once.find()] == [1] * ORDERS
    finally:
        await mongo.drop_database("bare_loop")
    async with (
        asyncio.timeout(LIMIT),
        AIOKafkaConsumer(bootstrap_servers=kafka_address, enable_auto_commit=False) as consumer,
    ):
        assert await latest(consumer, [TopicPartition(topic, 0)]) == RECORDS * 3
    assert set(answer) == {"seconds", "cpu"}
    assert min(answer.values()) > 0
