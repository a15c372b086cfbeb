"""What is looked at beside the batches, with a consumer and a store in memory."""

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.aggregates import Aggregate
from shared.clock import utc_now
from shared.contracts.catalog import Buyer
from shared.messaging.outbox import OutboxEntry
from shared.messaging.watch import ConsumerWatch, OutboxWatch
from shared.metrics import Metrics
from tests.support.fakes import FakeStore

PLACE = TopicPartition("orders.commands", 0)


class FakeConsumer:
    """A consumer of one partition."""

    def __init__(self, position: int, end: int, polled: float) -> None:
        self._position, self._end, self._polled = position, end, polled

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self._end)

    async def position(self, place: TopicPartition) -> int:
        return self._position

    def last_poll_timestamp(self, place: TopicPartition) -> float:
        return (time.time() - self._polled) * 1000


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = metrics.registry.get_sample_value(f"ordermesh_{name}", {"service": "tests", **labels})
    assert found is not None
    return found


async def test_the_batch_in_hand_is_a_part_of_the_lag() -> None:
    metrics = Metrics()
    watch = ConsumerWatch("tests", ["orders.commands"], metrics)
    watch.consumes(FakeConsumer(position=10, end=15, polled=0))
    records: list[Any] = [SimpleNamespace(topic="orders.commands")] * 3
    watch.took(records)

    await watch._look()

    assert value(metrics, "consumer_lag", topic="orders.commands") == 8
    assert value(metrics, "consumer_partitions") == 1


def test_ages_grow_by_themselves_and_only_one_of_them_at_a_time() -> None:
    metrics = Metrics()
    watch = ConsumerWatch("tests", ["orders.commands"], metrics)
    watch.consumes(FakeConsumer(position=0, end=0, polled=70))
    between = value(metrics, "batch_age_seconds"), value(metrics, "consumer_poll_age_seconds")
    record: Any = SimpleNamespace(topic="orders.commands")

    watch.took([record])

    assert between == (0, pytest.approx(70, abs=5))
    assert value(metrics, "consumer_poll_age_seconds") == 0
    assert value(metrics, "batch_age_seconds") > 0
    assert watch.last_silence() == 0


async def test_an_outbox_is_as_old_as_its_oldest_event() -> None:
    metrics = Metrics()
    store = FakeStore(Buyer)
    decided = utc_now() - timedelta(seconds=90)
    entry = OutboxEntry("e1", "orders.events", "OrderSubmitted", "o1", decided, "{}")
    await store.save([Aggregate("b1", state=Buyer(id="b1", name="Buyer"), outbox=[entry])])
    watch = OutboxWatch("tests", {"buyers": store}, utc_now, metrics)
    before = value(metrics, "outbox_oldest_seconds", kind="buyers")

    await watch._look()

    assert before == 0
    assert value(metrics, "outbox_oldest_seconds", kind="buyers") == pytest.approx(90, abs=10)
    assert value(metrics, "outbox_aggregates", kind="buyers") == 1
