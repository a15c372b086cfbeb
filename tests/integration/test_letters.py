"""Reading topics and keeping the record of dead letters, on real servers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from services.letters.audit import Audit, Handling, Run, State
from services.letters.letter import Letter
from services.letters.replay import discard, plan, replay
from services.reconcile.findings import Flush
from services.reconcile.kept import Archive
from services.reconcile.run import Comparison, Scope
from services.topic_reader import Place, TopicReader
from shared.clock import utc_now
from shared.messaging.decode import Record
from shared.messaging.outbox import OutboxEntry, outbox_fields
from shared.settings import Settings
from tests.conftest import NewTopic
from tests.support.fakes import START, FakePublisher
from tests.support.records import FakeRecord

Mongo = AsyncMongoClient[dict[str, Any]]


class FakeReader:
    """Has the records that it is given."""

    def __init__(self, records: Sequence[FakeRecord]) -> None:
        self._records = {Place.of(record): record for record in records}

    async def pick(self, places: Any) -> dict[Place, Record]:
        return {place: self._records[place] for place in places if place in self._records}


def dead(count: int) -> list[FakeRecord]:
    return [
        FakeRecord(
            "orders.commands.dead-letters",
            b"{}",
            b"O-%d" % (number % 3),
            [
                ("ce_id", b"c-%d" % number),
                ("dl_partition", b"0"),
                ("dl_offset", b"%d" % number),
            ],
            offset=number,
        )
        for number in range(count)
    ]


@pytest.fixture
def settings(database_prefix: str) -> Settings:
    return Settings().model_copy(update={"database_prefix": database_prefix})


@pytest.fixture
def audit(mongo: Mongo, settings: Settings) -> Audit:
    return Audit(mongo, settings)


def run(id: str) -> Run:
    return Run(id, "ada", START, "a test")


async def test_a_letter_is_claimed_by_one_of_two(audit: Audit) -> None:
    letters = [Letter.of(record) for record in dead(20)]
    half = await audit.claim(run("one"), State.DISCARDED, letters[:10], {})

    rest = await audit.claim(run("two"), State.DISCARDED, letters, {})

    assert half == {letter.identity for letter in letters[:10]}
    assert rest == {letter.identity for letter in letters[10:]}


async def test_a_replay_that_is_interrupted_is_gone_on_with_under_the_same_identities(
    audit: Audit,
) -> None:
    records = dead(60)
    letters = [Letter.of(record) for record in records]
    reader: Any = FakeReader(records)
    publisher = FakePublisher()
    publisher.fail_next(KeyboardInterrupt(), after_write=True)
    with pytest.raises(KeyboardInterrupt):
        await anext(replay(letters, {}, run("one"), reader, publisher, audit))
    interrupted = len(publisher.sent)
    seen = await audit.of(letters)

    todo = plan(letters, seen, again=False, replaying=True)
    done = [
        letter
        async for share in replay(todo.letters, seen, run("two"), reader, publisher, audit)
        for letter in share.letters
    ]

    assert 0 < interrupted < 60
    assert {handling.state for handling in seen.values()} == {State.REPLAYING}
    assert done == letters
    again = [dict(record.headers)["ce_id"] for record in publisher.sent[:interrupted]]
    assert [dict(r.headers)["ce_id"] for r in publisher.sent[interrupted:]][:interrupted] == again
    after = await audit.of(letters)
    assert {handling.state for handling in after.values()} == {State.REPLAYED}
    assert [a.what for a in after[letters[0].identity].actions] == [
        "Replaying", "Replaying", "Replayed",
    ]  # fmt: skip
    assert plan(letters, after, again=False, replaying=True).letters == []


async def test_what_was_put_away_counts_as_handled(audit: Audit) -> None:
    letters = [Letter.of(record) for record in dead(5)]
    async for _ in discard(letters[:3], {}, run("one"), audit):
        pass

    handled = await audit.count_handled("orders.commands.dead-letters", 0, 1)

    assert handled == 2
    assert (await audit.of(letters))[letters[0].identity] != Handling()


async def test_topics_are_read_by_time_from_a_time_and_by_place(
    kafka_address: str, new_topic: NewTopic
) -> None:
    topic = await new_topic("read", partitions=2)
    start = round(START.timestamp() * 1000)
    async with AIOKafkaProducer(bootstrap_servers=kafka_address) as producer:
        for number in range(1_000):
            await producer.send(
                topic, b"%d" % number, partition=number % 2, timestamp_ms=start + number
            )
        await producer.flush()

    async with TopicReader(kafka_address) as reader:
        spans = await reader.spans([topic, "no.such.topic"])
        merged = [int(record.value or b"") async for record in reader.merged(spans)]
        late = await reader.spans([topic], since=START + timedelta(milliseconds=990))
        last = sorted([int(r.value or b"") async for some in reader.read(late) for r in some])
        wanted = [Place(topic, 0, 499), Place(topic, 1, 3), Place(topic, 1, 9_999)]
        picked = await reader.pick(wanted)

    assert merged == list(range(1_000))
    assert last == list(range(990, 1_000))
    assert {place.offset: record.value for place, record in picked.items()} == {
        499: b"998",
        3: b"7",
    }


async def test_an_outbox_that_nobody_clears_is_found(
    kafka_address: str, mongo: Mongo, settings: Settings
) -> None:
    entry = OutboxEntry("e-1", "catalog.events", "BuyerSaved", "acme", START, "{}")
    await mongo[settings.database("accounts")]["buyers"].insert_one(
        {
            "_id": "acme",
            "version": 1,
            "state": {"ID": "acme", "Name": "Acme"},
            "inbox": {"ids": [], "marks": []},
            **outbox_fields([entry]),
            "outbox_at": START,
        }
    )

    async with TopicReader(kafka_address) as reader:
        report = await Comparison(Archive(mongo, settings), reader, utc_now, Scope()).run()

    [finding] = report.findings
    assert (finding.kind, finding.subject) == ("outbox-left", "accounts.buyers acme")
    assert finding.since == START
    assert finding.repair == Flush("accounts", [entry])
    assert datetime.now(UTC) > START
