"""The relay publishes what a crash left behind, and clears what was published."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from shared.aggregates import Aggregate, Versioned
from shared.contracts.catalog import Buyer
from shared.messaging.outbox import OutboxEntry
from shared.messaging.relay import OutboxRelay
from tests.support.fakes import START, FakeClock, FakePublisher, FakeStore


class Rig:
    def __init__(self) -> None:
        self.store = FakeStore(Buyer)
        self.publisher = FakePublisher(largest=1000)
        self.clock = FakeClock()
        self.busy = False
        self.relay = OutboxRelay(
            "tests",
            {"buyers": self.store},
            self.publisher,
            self.clock,
            lambda: self.busy,
        )

    def put(self, id: str, *entries: OutboxEntry) -> None:
        self.store.put(id, Buyer(id=id, name=id), entries)

    async def write(self, id: str, entry: OutboxEntry) -> None:
        """Writes and publishes it, as a processor of this process does."""
        await self.store.save([Aggregate(id, state=Buyer(id=id, name=id), outbox=[entry])])
        await self.publisher.publish([entry])

    def waiting(self, id: str) -> list[str]:
        return [entry.id for entry in self.store.aggregate(id).outbox]

    def published(self) -> list[str]:
        return [entry.id for entry in self.publisher.entries]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def entry(id: str, time: datetime = START, body: str = "{}") -> OutboxEntry:
    return OutboxEntry(id, "catalog.events", "BuyerSaved", "a", time, body)


async def test_what_another_left_behind_is_published_and_cleared(rig: Rig) -> None:
    rig.put("a", entry("1"), entry("2"))
    rig.clock.advance(16)

    assert await rig.relay.sweep() == 1

    assert rig.published() == ["1", "2"]
    assert rig.waiting("a") == []
    assert rig.store.state("a") == Buyer(id="a", name="a")
    assert await rig.store.outbox_depth() == 0


async def test_what_another_left_behind_and_had_told_is_only_cleared(rig: Rig) -> None:
    told, untold = ("catalog.commands", 0, 7), ("catalog.commands", 1, 7)
    rig.put("a", replace(entry("1"), place=told))
    rig.put("b", replace(entry("2"), place=told), replace(entry("3"), place=untold))
    rig.publisher.committed = {told}
    rig.clock.advance(16)

    assert await rig.relay.sweep() == 2

    assert rig.published() == ["3"]
    assert (rig.waiting("a"), rig.waiting("b")) == ([], [])


@pytest.mark.parametrize(("age", "published"), [(29, []), (31, ["1"])])
async def test_under_load_another_has_longer_to_publish_and_clear_its_own(
    rig: Rig, age: int, published: list[str]
) -> None:
    rig.put("a", entry("1"))
    rig.busy = True
    rig.clock.advance(age)

    assert await rig.relay.sweep() == len(published)

    assert rig.published() == published


async def test_what_may_still_be_anothers_in_hand_is_left(rig: Rig) -> None:
    rig.put("a", entry("1"))
    rig.clock.advance(14)

    assert await rig.relay.sweep() == 0

    assert (rig.published(), rig.waiting("a")) == ([], ["1"])
    assert await rig.store.outbox_depth() == 1


async def test_what_was_published_here_is_cleared_soon_and_not_published_again(rig: Rig) -> None:
    mine = entry("1")
    rig.put("a", mine)
    await rig.publisher.publish([mine])
    rig.clock.advance(5)

    assert await rig.relay.sweep() == 1

    assert (rig.published(), rig.waiting("a")) == (["1"], [])


@pytest.mark.parametrize(("age", "waiting"), [(29, ["1"]), (31, [])])
async def test_under_load_what_was_published_here_waits_for_the_next_write(
    rig: Rig, age: int, waiting: list[str]
) -> None:
    mine = entry("1")
    rig.put("a", mine)
    await rig.publisher.publish([mine])
    rig.busy = True
    rig.clock.advance(age)

    await rig.relay.sweep()

    assert rig.waiting("a") == waiting


@pytest.mark.parametrize(
    ("busy", "age", "waiting"),
    [(False, 3, ["1"]), (False, 5, []), (True, 11, ["1"]), (True, 13, [])],
)
async def test_what_was_written_and_published_here_is_cleared_when_no_other_write_came(
    rig: Rig, busy: bool, age: int, waiting: list[str]
) -> None:
    await rig.write("a", entry("1"))
    rig.busy = busy
    rig.clock.advance(age)

    assert await rig.relay.sweep() == 1 - len(waiting)

    assert (rig.published(), rig.waiting("a")) == (["1"], waiting)


async def test_what_is_known_to_be_left_is_not_looked_for(rig: Rig) -> None:
    for id in "abc":
        await rig.write(id, entry(id))
    rig.clock.advance(5)
    assert [unsent.id for unsent in rig.store.written(rig.clock())] == ["a", "b", "c"]

    assert await rig.relay.sweep() == 3

    assert rig.store.found == []
    assert await rig.store.outbox_depth() == 0
    assert list(rig.store.written(rig.clock())) == []


async def test_what_was_written_here_and_is_not_published_is_not_cleared(rig: Rig) -> None:
    await rig.store.save([Aggregate("a", state=Buyer(id="a", name="a"), outbox=[entry("1")])])
    await rig.write("b", entry("2"))
    rig.clock.advance(14)

    assert await rig.relay.sweep() == 1

    assert (rig.published(), rig.waiting("a"), rig.waiting("b")) == (["2"], ["1"], [])


async def test_at_its_end_it_clears_all_that_was_written_and_published_here(rig: Rig) -> None:
    ids = [f"own-{number}" for number in range(1_200)]
    for id in ids:
        await rig.write(id, entry(id))
    await rig.store.save([Aggregate("a", state=Buyer(id="a", name="a"), outbox=[entry("1")])])
    rig.put("b", entry("2"))

    await rig.relay.finish()

    assert [id for id in ids if rig.waiting(id)] == []
    assert (rig.waiting("a"), rig.waiting("b")) == (["1"], ["2"])
    assert rig.published() == ids


async def test_at_its_end_it_clears_what_was_published_here_however_it_was_written(
    rig: Rig,
) -> None:
    rig.put("a", entry("1"))
    rig.put("b", entry("2"))
    await rig.publisher.publish([entry("1")])

    await rig.relay.finish()

    assert (rig.published(), rig.waiting("a"), rig.waiting("b")) == (["1"], [], ["2"])


async def test_what_it_cannot_clear_at_its_end_is_left(rig: Rig) -> None:
    store = _Unreachable(Buyer)
    await store.save([Aggregate("a", state=Buyer(id="a", name="a"), outbox=[entry("1")])])
    await rig.publisher.publish([entry("1")])

    await OutboxRelay("tests", {"buyers": store}, rig.publisher, rig.clock).finish()

    assert [entry.id for entry in store.aggregate("a").outbox] == ["1"]


async def test_what_is_only_just_published_is_left_to_the_next_write(rig: Rig) -> None:
    mine = entry("1")
    rig.put("a", mine)
    await rig.publisher.publish([mine])
    rig.clock.advance(3)

    assert await rig.relay.sweep() == 0

    assert rig.waiting("a") == ["1"]


async def test_only_what_is_not_known_as_published_is_published(rig: Rig) -> None:
    mine = entry("1")
    rig.put("a", mine, entry("2"))
    await rig.publisher.publish([mine])
    rig.clock.advance(16)

    await rig.relay.sweep()

    assert (rig.published(), rig.waiting("a")) == (["1", "2"], [])


async def test_what_was_published_here_waits_for_what_is_anothers_and_young(rig: Rig) -> None:
    mine = entry("1")
    rig.put("a", mine, entry("2", START + timedelta(seconds=20)))
    await rig.publisher.publish([mine])
    rig.clock.advance(16)

    assert await rig.relay.sweep() == 0

    assert rig.waiting("a") == ["1", "2"]


async def test_a_crash_after_publishing_publishes_again_and_then_clears(rig: Rig) -> None:
    rig.put("a", entry("1"))
    rig.clock.advance(16)
    rig.publisher.fail_next(ConnectionError("killed"), after_write=True)
    with pytest.raises(ConnectionError):
        await rig.relay.sweep()
    assert rig.waiting("a") == ["1"]

    await rig.relay.sweep()

    assert (rig.published(), rig.waiting("a")) == (["1", "1"], [])


async def test_a_change_meanwhile_keeps_its_outbox(rig: Rig) -> None:
    rig.put("a", entry("1"))
    rig.clock.advance(16)
    rig.publisher = _Changing(rig)
    relay = OutboxRelay("tests", {"buyers": rig.store}, rig.publisher, rig.clock)

    await relay.sweep()

    assert rig.waiting("a") == ["1", "2"]


async def test_one_event_that_kafka_refuses_stops_no_other(rig: Rig) -> None:
    rig.put("large", entry("1", body="x" * 2000))
    rig.put("small", entry("2", START + timedelta(seconds=1)))
    rig.clock.advance(60)

    await rig.relay.sweep()

    assert (rig.published(), rig.waiting("small")) == (["2"], [])
    assert rig.waiting("large") == ["1"]


class _Unreachable(FakeStore[Buyer]):
    """Has gone away when something is to be cleared."""

    async def clear(self, aggregates: Sequence[Versioned]) -> None:
        raise AutoReconnect("the server is away")


class _Changing(FakePublisher):
    """Another writer changes the aggregate while its events are being published."""

    def __init__(self, rig: Rig) -> None:
        super().__init__()
        self._rig = rig

    async def publish(self, entries: Any) -> None:
        await super().publish(entries)
        self._rig.put("a", entry("1"), entry("2", self._rig.clock()))
