"""What a store of aggregates does: one suite for the fake and for MongoDB."""

import gc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from shared.aggregates import Aggregate, AggregateStore, IdentifierTaken, Unsent
from shared.contracts.base import Resource, Time
from shared.contracts.registry import BUYER
from shared.messaging.inbox import Inbox
from shared.messaging.outbox import OutboxEntry
from shared.money import Money
from shared.mongo.aggregates import MongoAggregateStore
from shared.mongo.writes import AggregateTooLarge
from tests.support.fakes import START, FakeStore, message


class Tab(Resource):
    """A state with what is hard to keep: money, a time, optional fields, free data."""

    id: str
    amount: Money = Decimal(0)
    at: Time = START
    code: str | None = None
    xp: dict[str, Any] | None = None


Store = AggregateStore[Tab]


@pytest.fixture(params=["fake", "mongodb", "mongodb with a cache"])
def any_store(request: pytest.FixtureRequest) -> Store:
    """One of the stores. Not asynchronous, so that it can ask for MongoDB only where needed."""
    if request.param == "fake":
        return FakeStore(Tab)
    database: AsyncDatabase[dict[str, Any]] = request.getfixturevalue("database")
    return MongoAggregateStore(
        database, "tabs", Tab, cache=100_000 if "cache" in request.param else 0
    )


@pytest.fixture
async def store(any_store: Store) -> Store:
    if isinstance(any_store, MongoAggregateStore):
        await any_store.create_indexes()
    return any_store


def new(id: str, **fields: Any) -> Aggregate[Tab]:
    return Aggregate(id, state=Tab(id=id, **fields))


def entry(id: str, time: datetime = START, trace: str | None = None) -> OutboxEntry:
    return OutboxEntry(id, "catalog.events", "BuyerSaved", "key", time, '{"ID":"key"}', trace)


async def stored(store: Store, id: str) -> Aggregate[Tab]:
    return (await store.load([id]))[id]


async def unsent(store: Store, older_than: datetime, limit: int = 10) -> list[str]:
    return [aggregate.id async for aggregate in store.unsent(older_than, limit)]


async def test_an_unknown_id_comes_back_new(store: Store) -> None:
    found = await store.load(["a", "b"])

    assert [*found] == ["a", "b"]
    for id, aggregate in found.items():
        assert (aggregate.id, aggregate.version, aggregate.state) == (id, 0, None)
        assert (aggregate.inbox.document(), aggregate.outbox) == (Inbox().document(), [])


async def test_what_is_presumed_to_be_new_is_not_looked_for(
    store: Store,
) -> None:
    found = await store.load(["a"], presumed_new={"a"})
    assert (found["a"].version, found["a"].state, found["a"].remembered) == (0, None, True)
    found["a"].state = Tab(id="a", code="x")

    assert await store.save([found["a"]]) == set()
    assert (await stored(store, "a")).state == Tab(id="a", code="x")


async def test_what_was_wrongly_presumed_to_be_new_loses_its_write(store: Store) -> None:
    await store.save([new("a", code="first")])
    store.forget(["a"])
    found = await store.load(["a", "b"], presumed_new={"a", "b"})
    for id, aggregate in found.items():
        aggregate.state = Tab(id=id, code="second")

    assert await store.save(list(found.values())) == {"a"}
    assert (await stored(store, "a")).state == Tab(id="a", code="first")
    assert (await stored(store, "b")).state == Tab(id="b", code="second")


async def test_loading_nothing_finds_nothing(store: Store) -> None:
    assert await store.load([]) == {}


async def test_saving_nothing_loses_nothing(store: Store) -> None:
    assert await store.save([]) == set()


async def test_an_insert_is_version_1(store: Store) -> None:
    aggregate = new("a", amount=Decimal("1.50"))

    lost = await store.save([aggregate])

    assert lost == set()
    assert aggregate.version == 1
    found = await stored(store, "a")
    assert (found.version, found.state) == (1, Tab(id="a", amount=Decimal("1.50")))


async def test_a_replace_counts_the_version_up(store: Store) -> None:
    await store.save([new("a")])
    aggregate = await stored(store, "a")
    aggregate.state = Tab(id="a", code="second")

    lost = await store.save([aggregate])

    assert lost == set()
    assert aggregate.version == 2
    found = await stored(store, "a")
    assert (found.version, found.state) == (2, Tab(id="a", code="second"))


async def test_what_was_saved_can_be_changed_and_saved_again(store: Store) -> None:
    aggregate = new("a")
    await store.save([aggregate])
    aggregate.state = Tab(id="a", code="second")

    assert await store.save([aggregate]) == set()

    assert (await stored(store, "a")).state == Tab(id="a", code="second")


async def test_the_second_insert_loses(store: Store) -> None:
    await store.save([new("a", code="first")])
    late = new("a", code="second")

    lost = await store.save([late])

    assert lost == {"a"}
    assert late.version == 0
    found = await stored(store, "a")
    assert (found.version, found.state) == (1, Tab(id="a", code="first"))


async def test_the_second_replace_loses(store: Store) -> None:
    await store.save([new("a")])
    first, second = await stored(store, "a"), await stored(store, "a")
    first.state, second.state = Tab(id="a", code="first"), Tab(id="a", code="second")
    await store.save([first])

    lost = await store.save([second])

    assert lost == {"a"}
    assert second.version == 1
    found = await stored(store, "a")
    assert (found.version, found.state) == (2, Tab(id="a", code="first"))


async def test_of_many_only_those_that_lost_are_not_written(store: Store) -> None:
    await store.save([new("old"), new("stale"), new("taken")])
    old, stale = await stored(store, "old"), await stored(store, "stale")
    await store.save([await stored(store, "stale")])
    old.state = stale.state = Tab(id="x", code="changed")
    fresh, taken = new("fresh"), new("taken", code="changed")

    lost = await store.save([old, stale, fresh, taken])

    assert lost == {"stale", "taken"}
    assert [a.version for a in (old, stale, fresh, taken)] == [2, 1, 1, 0]
    found = await store.load(["old", "stale", "fresh", "taken"])
    assert {id: a.version for id, a in found.items()} == {
        "old": 2,
        "stale": 2,
        "fresh": 1,
        "taken": 1,
    }
    assert found["old"].state == Tab(id="x", code="changed")
    assert found["stale"].state == Tab(id="stale")
    assert found["taken"].state == Tab(id="taken")


async def test_who_lost_wins_after_loading_again(store: Store) -> None:
    await store.save([new("a")])
    stale = await stored(store, "a")
    await store.save([await stored(store, "a")])
    await store.save([stale])

    again = await stored(store, "a")
    again.state = Tab(id="a", code="again")

    assert await store.save([again]) == set()
    assert (await stored(store, "a")).version == 3


async def test_what_is_loaded_is_nobody_elses(store: Store) -> None:
    await store.save([new("a")])
    mine = await stored(store, "a")
    mine.state = None
    mine.inbox.add(message(BUYER.save, {"ID": "a", "Name": "A"}))
    mine.outbox.append(entry("e"))

    found = await stored(store, "a")

    assert found.state == Tab(id="a")
    assert (found.inbox.document(), found.outbox) == (Inbox().document(), [])


async def test_what_was_saved_is_nobody_elses(store: Store) -> None:
    aggregate = new("a")
    await store.save([aggregate])
    aggregate.inbox.add(message(BUYER.save, {"ID": "a", "Name": "A"}))
    aggregate.outbox.append(entry("e"))

    found = await stored(store, "a")

    assert (found.inbox.document(), found.outbox) == (Inbox().document(), [])


@pytest.mark.parametrize(
    "amount",
    ["0", "0.00", "-0.01", "12.50", "999999999999999.9999", "1E+3", "123456789012345678901"],
)
async def test_money_comes_back_exactly(store: Store, amount: str) -> None:
    await store.save([new("a", amount=Decimal(amount))])

    state = (await stored(store, "a")).state

    assert state is not None
    assert state.amount.as_tuple() == Decimal(amount).as_tuple()


async def test_a_time_comes_back_in_utc_to_the_millisecond(store: Store) -> None:
    at = datetime(2026, 5, 6, 7, 8, 9, 123_999, tzinfo=UTC)
    await store.save([new("a", at=at)])

    state = (await stored(store, "a")).state

    assert state is not None
    assert state.at == datetime(2026, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)
    assert state.at.utcoffset() == timedelta(0)


async def test_free_data_comes_back_as_it_was(store: Store) -> None:
    xp = {"a.b": {"$set": [1, 2.5, None, True, "ü"]}, "": 2**62}
    await store.save([new("a", xp=xp)])

    assert (await stored(store, "a")).state == Tab(id="a", xp=xp)


async def test_the_inbox_comes_back(store: Store) -> None:
    applied = message(BUYER.save, {"ID": "a", "Name": "A"})
    other = message(BUYER.save, {"ID": "a", "Name": "B"}, topic="elsewhere", partition=2)
    aggregate = new("a")
    aggregate.inbox.add(applied)
    await store.save([aggregate])

    inbox = (await stored(store, "a")).inbox

    assert inbox.has(applied)
    assert not inbox.has(other)
    assert inbox.document() == aggregate.inbox.document()


async def test_the_outbox_comes_back_in_order(store: Store) -> None:
    entries = [entry("1", trace="00-abc-def-01"), entry("2", START + timedelta(milliseconds=7))]
    aggregate = new("a")
    aggregate.outbox = entries
    await store.save([aggregate])

    assert (await stored(store, "a")).outbox == entries


async def test_what_is_gone_keeps_its_inbox(store: Store) -> None:
    applied = message(BUYER.delete, {"ID": "a"})
    await store.save([new("a")])
    aggregate = await stored(store, "a")
    aggregate.state = None
    aggregate.inbox.add(applied)
    await store.save([aggregate])

    found = await stored(store, "a")

    assert (found.version, found.state) == (2, None)
    assert found.inbox.has(applied)


async def test_what_was_gone_can_come_back(store: Store) -> None:
    gone: Aggregate[Tab] = Aggregate("a")
    await store.save([gone])
    again = await stored(store, "a")
    again.state = Tab(id="a")

    assert await store.save([again]) == set()
    assert (await stored(store, "a")).state == Tab(id="a")


async def test_unsent_are_the_old_enough_oldest_first(store: Store) -> None:
    for id, seconds in (("young", 30), ("old", 20), ("oldest", 10), ("at the limit", 25)):
        aggregate = new(id)
        aggregate.outbox = [entry(id, START + timedelta(seconds=seconds))]
        await store.save([aggregate])
    await store.save([new("silent")])

    assert await unsent(store, START + timedelta(seconds=25)) == ["oldest", "old"]
    assert await unsent(store, START + timedelta(seconds=60), limit=1) == ["oldest"]


async def test_the_age_of_an_outbox_is_that_of_its_first_entry(store: Store) -> None:
    aggregate = new("a")
    aggregate.outbox = [entry("1", START), entry("2", START + timedelta(hours=1))]
    await store.save([aggregate])

    assert await unsent(store, START + timedelta(seconds=1)) == ["a"]


async def test_clear_empties_the_outbox_and_nothing_else(store: Store) -> None:
    applied = message(BUYER.save, {"ID": "a", "Name": "A"})
    aggregate = new("a", code="kept")
    aggregate.inbox.add(applied)
    aggregate.outbox = [entry("1")]
    await store.save([aggregate])

    await store.clear([await stored(store, "a")])

    found = await stored(store, "a")
    assert found.outbox == []
    assert found.state == Tab(id="a", code="kept")
    assert found.inbox.has(applied)
    assert await unsent(store, START + timedelta(hours=1)) == []
    assert await store.outbox_depth() == 0


async def test_clear_leaves_what_has_changed(store: Store) -> None:
    aggregate = new("a")
    aggregate.outbox = [entry("1")]
    await store.save([aggregate])
    seen = await stored(store, "a")
    changed = await stored(store, "a")
    changed.outbox = [entry("2", START + timedelta(seconds=1))]
    await store.save([changed])

    await store.clear([seen])

    assert (await stored(store, "a")).outbox == changed.outbox


async def test_a_write_computed_before_a_clear_loses(store: Store) -> None:
    aggregate = new("a")
    aggregate.outbox = [entry("1")]
    await store.save([aggregate])
    stale = await stored(store, "a")
    await store.clear([await stored(store, "a")])

    assert await store.save([stale]) == {"a"}

    assert (await stored(store, "a")).outbox == []


async def test_written_are_the_outboxes_that_this_store_left(store: Store) -> None:
    tabs = [new("early"), new("late"), new("none"), new("cleared"), new("written again")]
    for tab in tabs:
        tab.outbox = [entry(f"of {tab.id}")]
    tabs[1].outbox = [entry("of late", START + timedelta(seconds=5))]
    tabs[2].outbox = []
    await store.save([tabs[0], *tabs[2:], tabs[1]])
    tabs[4].outbox = []
    await store.save([tabs[4]])
    await store.clear([tabs[3]])

    assert list(store.written(START)) == []
    assert list(store.written(START + timedelta(seconds=1))) == [
        Unsent("early", 1, {"of early": START})
    ]
    assert [unsent.id for unsent in store.written(START + timedelta(seconds=6))] == [
        "early",
        "late",
    ]


async def test_the_outbox_of_a_lost_race_is_not_written(store: Store) -> None:
    await store.save([new("a")])
    first, second = await stored(store, "a"), await stored(store, "a")
    await store.save([first])
    second.outbox = [entry("1")]

    assert await store.save([second]) == {"a"}
    assert list(store.written(START + timedelta(hours=1))) == []


async def test_clearing_nothing_does_nothing(store: Store) -> None:
    await store.clear([])

    assert await store.outbox_depth() == 0


async def test_outbox_depth_counts_aggregates(store: Store) -> None:
    for id, entries in (("a", 2), ("b", 1), ("c", 0)):
        aggregate = new(id)
        aggregate.outbox = [entry(f"{id}{n}") for n in range(entries)]
        await store.save([aggregate])

    assert await store.outbox_depth() == 2


# What only MongoDB has.


@pytest.fixture
def mongodb_store(database: AsyncDatabase[dict[str, Any]]) -> MongoAggregateStore[Tab]:
    unique = IndexModel(
        [("state.Code", ASCENDING)],
        unique=True,
        partialFilterExpression={"state.Code": {"$exists": True}},
    )
    return MongoAggregateStore(database, "tabs", Tab, indexes=[unique])


async def test_a_unique_value_that_is_taken_is_told(
    mongodb_store: MongoAggregateStore[Tab],
) -> None:
    await mongodb_store.create_indexes()
    await mongodb_store.save([new("first", code="SAVE10")])

    with pytest.raises(IdentifierTaken) as refusal:
        await mongodb_store.save(
            [new("second", code="SAVE10"), new("third", code="OTHER"), new("first")]
        )

    assert (refusal.value.ids, refusal.value.lost) == ({"second"}, {"first"})
    assert await mongodb_store.get("third") == Tab(id="third", code="OTHER")
    assert await mongodb_store.get("second") is None
    assert await mongodb_store.get("first") == Tab(id="first", code="SAVE10")


async def test_of_many_that_are_replaced_the_one_with_a_taken_value_is_told(
    mongodb_store: MongoAggregateStore[Tab],
) -> None:
    await mongodb_store.create_indexes()
    await mongodb_store.save([new(id, code=id) for id in ("a", "b", "c", "d", "kept")])
    found = await mongodb_store.load(["a", "b", "c", "d"])
    await mongodb_store.save([await stored(mongodb_store, "c")])
    for id, code in {"a": "new-a", "b": "kept", "c": "new-c", "d": "new-d"}.items():
        found[id].state = Tab(id=id, code=code)

    with pytest.raises(IdentifierTaken) as refusal:
        await mongodb_store.save(list(found.values()))

    assert (refusal.value.ids, refusal.value.lost) == ({"b"}, {"c"})
    for id, code in {"a": "new-a", "b": "b", "c": "c", "d": "new-d"}.items():
        assert await mongodb_store.get(id) == Tab(id=id, code=code)
    # What was written goes on under its new version.
    found["a"].state = Tab(id="a", code="newer")
    assert await mongodb_store.save([found["a"]]) == set()


async def test_a_lost_race_is_not_mistaken_for_a_taken_value(
    mongodb_store: MongoAggregateStore[Tab],
) -> None:
    await mongodb_store.create_indexes()
    await mongodb_store.save([new("first", code="SAVE10")])

    assert await mongodb_store.save([new("first", code="SAVE10")]) == {"first"}


LARGE = {"text": "x" * (16 * 1024 * 1024)}
LARGER = {"text": "x" * (17 * 1024 * 1024)}
HUGE = {"text": "x" * (49 * 1024 * 1024)}


@pytest.mark.parametrize("xp", [LARGE, LARGER, HUGE], ids=["16 MB", "17 MB", "49 MB"])
async def test_an_insert_over_16_mb_is_told(
    mongodb_store: MongoAggregateStore[Tab], xp: dict[str, str]
) -> None:
    refused = await _refused(mongodb_store, [new("small"), new("large", xp=xp)])

    assert refused
    assert await mongodb_store.get("large") is None


@pytest.mark.parametrize("xp", [LARGE, LARGER, HUGE], ids=["16 MB", "17 MB", "49 MB"])
async def test_a_replace_over_16_mb_is_told(
    mongodb_store: MongoAggregateStore[Tab], xp: dict[str, str]
) -> None:
    await mongodb_store.save([new("large")])
    aggregate = await stored(mongodb_store, "large")
    aggregate.state = Tab(id="large", xp=xp)

    refused = await _refused(mongodb_store, [new("small"), aggregate])

    assert refused
    assert await mongodb_store.get("large") == Tab(id="large")


MANY = {
    "small": 1,
    "half a statement": 3 * 1024 * 1024,
    "more than there is room for": 2 * 1024 * 1024,
    "too large for company": 5 * 1024 * 1024,
    "small again": 2,
}
"""Documents of these sizes in bytes cannot be replaced with one statement."""


@pytest.mark.parametrize("whole", [True, False])
async def test_documents_of_all_sizes_are_replaced_unless_they_lost(
    database: AsyncDatabase[dict[str, Any]], whole: bool
) -> None:
    store = MongoAggregateStore(database, "tabs", Tab, whole=whole)
    losing = {"half a statement", "too large for company"}
    await store.save([new(id) for id in MANY])
    found = await store.load(MANY)
    for id in losing:
        theirs = await stored(store, id)
        theirs.state = Tab(id=id, code="theirs")
        await store.save([theirs])
    for id, size in MANY.items():
        found[id].state = Tab(id=id, code="ours", xp={"text": "x" * size})

    assert await store.save(list(found.values())) == losing

    for id, size in MANY.items():
        state = await store.get(id)
        assert state is not None
        assert (state.code, len((state.xp or {"text": ""})["text"])) == (
            ("theirs", 0) if id in losing else ("ours", size)
        )


async def test_what_others_keep_in_a_document_stays_where_it_is(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    store = MongoAggregateStore(database, "tabs", Tab)
    aggregates = [new("a", code="old", xp={"n": 1}), new("large")]
    aggregates[0].outbox = [entry("e-1")]
    await store.save(aggregates)
    await database["tabs"].update_many({}, {"$set": {"placed": ["here"]}})
    for aggregate in aggregates:
        aggregate.outbox = []
    aggregates[0].state = Tab(id="a", code="new")
    aggregates[1].state = Tab(id="large", xp={"text": "x" * MANY["too large for company"]})

    assert await store.save(aggregates) == set()

    for document in await database["tabs"].find({}).to_list():
        assert document.keys() == {
            "_id", "version", "writer", "state", "inbox", "outbox", "placed"
        }  # fmt: skip
        assert document["placed"] == ["here"]
    assert await store.get("a") == Tab(id="a", code="new")


async def test_a_document_over_16_mb_is_told_where_others_are_replaced_together(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    store = MongoAggregateStore(database, "tabs", Tab)
    await store.save([new("large"), new("small")])
    found = await store.load(["large", "small"])
    found["large"].state = Tab(id="large", xp=LARGE)
    found["small"].state = Tab(id="small", code="new")

    assert await _refused(store, list(found.values()))
    assert await store.get("large") == Tab(id="large")


async def _refused(store: MongoAggregateStore[Tab], aggregates: list[Aggregate[Tab]]) -> bool:
    # Without pytest.raises: a failure would print the whole document.
    try:
        await store.save(aggregates)
    except AggregateTooLarge as error:
        return len(str(error)) < 1000
    return False


async def test_get_reads_the_state_alone(mongodb_store: MongoAggregateStore[Tab]) -> None:
    await mongodb_store.save([new("a"), Aggregate("gone")])

    assert await mongodb_store.get("a") == Tab(id="a")
    assert await mongodb_store.get("gone") is None
    assert await mongodb_store.get("unknown") is None


async def test_a_stale_cache_loses_once_and_is_read_again(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    cached = MongoAggregateStore(database, "tabs", Tab, cache=100_000)
    other = MongoAggregateStore(database, "tabs", Tab)
    await cached.save([new("a")])
    theirs = await stored(other, "a")
    theirs.state = Tab(id="a", code="theirs")
    await other.save([theirs])
    stale = await stored(cached, "a")

    lost = await cached.save([stale])

    assert lost == {"a"}
    assert (await stored(cached, "a")).state == Tab(id="a", code="theirs")


async def test_a_cache_keeps_no_more_bytes_than_it_may(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    plain = MongoAggregateStore(database, "tabs", Tab)
    await plain.save([new("sample")])
    size = len(encode(await plain.collection.find_one({}) or {}))
    # Two documents and a half: their IDs are shorter than the sample's.
    cached = MongoAggregateStore(database, "tabs", Tab, cache=size * 5 // 2)
    await cached.save([new("a"), new("b"), new("c")])
    await cached.collection.delete_many({})

    found = await cached.load(["a", "b", "c"])

    assert {id: aggregate.version for id, aggregate in found.items()} == {"a": 0, "b": 1, "c": 1}


async def test_what_is_published_is_no_longer_remembered_but_still_stored(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    cached = MongoAggregateStore(database, "tabs", Tab, cache=100_000)
    other = MongoAggregateStore(database, "tabs", Tab)
    aggregate = new("a")
    aggregate.outbox = [entry("1")]
    await cached.save([aggregate])
    remembered = (await stored(cached, "a")).outbox

    cached.published([aggregate])

    assert remembered == [entry("1")]
    assert (await stored(cached, "a")).outbox == []
    assert (await stored(other, "a")).outbox == [entry("1")]


async def test_what_was_written_since_is_not_taken_for_published(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    cached = MongoAggregateStore(database, "tabs", Tab, cache=100_000)
    await cached.save([new("a")])
    before = await stored(cached, "a")
    after = await stored(cached, "a")
    after.outbox = [entry("1")]
    await cached.save([after])

    cached.published([before])

    assert (await stored(cached, "a")).outbox == [entry("1")]


async def test_written_documents_are_not_left_to_the_cycle_collector(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    store = MongoAggregateStore(database, "tabs", Tab, whole=True)
    tabs = [new(f"{number}") for number in range(20)]
    gc.collect()
    # In the services it seldom runs.
    gc.disable()
    try:
        await store.save(tabs[:10])
        await store.save(tabs)
        kept = [each for each in gc.get_objects() if isinstance(each, RawBSONDocument)]
    finally:
        gc.enable()

    assert [tab.version for tab in tabs] == [2] * 10 + [1] * 10
    assert kept == []
