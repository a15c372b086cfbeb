"""A store that remembers what it wrote, beside another instance that changes it."""

from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from shared.aggregates import Aggregate
from shared.contracts.catalog import Buyer
from shared.contracts.registry import BUYER
from shared.messaging.message import Event, Message
from shared.messaging.outbox import OutboxEntry
from shared.messaging.processor import AggregateProcessor, Decision, no_context
from shared.messaging.relay import OutboxRelay
from shared.metrics import Metrics
from shared.mongo.aggregates import MongoAggregateStore
from tests.support.fakes import START, FakeClock, FakePublisher, message

Store = MongoAggregateStore[Buyer]


@pytest.fixture
def remembering(database: AsyncDatabase[dict[str, Any]]) -> Store:
    return MongoAggregateStore(database, "buyers", Buyer, cache=100_000)


@pytest.fixture
def other(database: AsyncDatabase[dict[str, Any]]) -> Store:
    return MongoAggregateStore(database, "buyers", Buyer)


def entry(id: str) -> OutboxEntry:
    return OutboxEntry(id, "catalog.events", "BuyerSaved", "b", START, "{}")


async def write(store: Store, name: str, *outbox: OutboxEntry) -> Aggregate[Buyer]:
    """Writes the buyer under another name; what is then stored."""
    buyer = (await store.load(["b"]))["b"]
    buyer.state = Buyer(id="b", name=name)
    buyer.outbox = list(outbox)
    assert await store.save([buyer]) == set()
    return buyer


def _only_when_inactive(
    state: Buyer | None, message: Message[Any], context: None
) -> Decision[Buyer]:
    """Has no use for a message while the buyer is active."""
    if state is None or state.active:
        return Decision(state)
    return Decision(message.body, (Event(BUYER.saved, message.body),))


async def test_what_is_ignored_is_ignored_by_the_current_state(
    remembering: Store, other: Store
) -> None:
    await remembering.save([Aggregate("b", state=Buyer(id="b", name="first"))])
    changed = (await other.load(["b"]))["b"]
    changed.state = Buyer(id="b", name="second", active=False)
    await other.save([changed])
    publisher = FakePublisher()
    processor = AggregateProcessor(
        service="tests",
        types=[BUYER.save],
        store=remembering,
        fold=_only_when_inactive,
        prepare=no_context,
        publisher=publisher,
        clock=FakeClock(),
        metrics=Metrics(),
    )

    await processor.process([message(BUYER.save, {"ID": "b", "Name": "third"})])

    assert publisher.types == ["BuyerSaved"]
    assert (await other.load(["b"]))["b"].state == Buyer(id="b", name="third")


async def test_a_clear_that_comes_too_late_is_not_mistaken_for_what_another_wrote(
    remembering: Store, other: Store
) -> None:
    mine = await write(remembering, "mine", entry("1"))
    await write(other, "theirs", entry("2"))

    await remembering.clear([mine])

    stale = (await remembering.load(["b"]))["b"]
    assert (stale.version, stale.state) == (2, Buyer(id="b", name="theirs"))
    assert stale.outbox == [entry("2")]


async def test_what_is_cleared_stays_remembered(remembering: Store) -> None:
    mine = await write(remembering, "mine", entry("1"))

    await remembering.clear([mine])

    assert await remembering.outbox_depth() == 0
    known = (await remembering.load(["b"]))["b"]
    assert (known.remembered, known.version, known.outbox) == (True, 2, [])
    assert (await write(remembering, "mine again")).version == 3


async def test_the_relay_publishes_what_another_left_in_what_is_remembered(
    remembering: Store, other: Store
) -> None:
    await write(remembering, "mine", entry("1"))
    await write(other, "theirs", entry("2"))
    publisher, clock = FakePublisher(), FakeClock()
    await publisher.publish([entry("1")])
    relay = OutboxRelay("tests", {"buyers": remembering}, publisher, clock)
    clock.advance(16)

    await relay.sweep()
    await relay.sweep()

    assert [one.id for one in publisher.entries] == ["1", "2"]
    assert await other.outbox_depth() == 0
