"""How results are written: in bulk, and through faults of the database."""

import asyncio

from pymongo.errors import AutoReconnect

from services.notifications.domain import Delivery, Sent, conclude, result_events
from services.notifications.results import Results
from shared.aggregates import Aggregate
from shared.messaging.outbox import entries_of
from tests.support.fakes import START, FakePublisher, FakeStore
from tests.unit.notifications.builders import delivery


async def _delivered(store: FakeStore[Delivery], id: str) -> Aggregate[Delivery]:
    """A stored delivery, as it is after it was sent."""
    store.put(id, delivery())
    aggregate = (await store.load([id]))[id]
    assert aggregate.state is not None
    aggregate.state = conclude(aggregate.state, Sent(), START, START - START)
    aggregate.outbox = entries_of(id, result_events(id, aggregate.state), START)
    return aggregate


async def test_results_are_written_and_published_together() -> None:
    store, publisher = FakeStore(Delivery), FakePublisher()
    results = Results(store, publisher, most=2)
    for id in ("a", "b", "c"):
        results.add(await _delivered(store, id))

    await results.flush()

    assert store.saves == [["a", "b"], ["c"]]
    assert [entry.key for entry in publisher.entries] == ["o-1"] * 3


async def test_a_fault_of_the_database_is_waited_out() -> None:
    store, publisher = FakeStore(Delivery), FakePublisher()
    results = Results(store, publisher)
    results.add(await _delivered(store, "a"))
    store.fail_next(AutoReconnect("down"), after_write=False)

    await results.flush()

    assert store.saves == [["a"], ["a"]]
    assert publisher.types == ["NotificationDelivered"]


async def test_what_another_instance_took_over_is_not_published() -> None:
    store, publisher = FakeStore(Delivery), FakePublisher()
    results = Results(store, publisher)
    results.add(await _delivered(store, "a"))
    store.lose_next(["a"])

    await results.flush()

    assert publisher.entries == []
    assert store.state("a") == delivery()


async def test_a_flush_that_is_cancelled_leaves_the_rest_to_the_next() -> None:
    store, publisher = FakeStore(Delivery), FakePublisher()
    results = Results(store, publisher)
    results.add(await _delivered(store, "a"))
    store.fail_next(AutoReconnect("down"), after_write=False)
    flushing = asyncio.create_task(results.flush())
    await asyncio.sleep(0.01)
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    assert publisher.entries == []

    await results.flush()

    assert store.saves == [["a"], ["a"]]
    assert publisher.types == ["NotificationDelivered"]
