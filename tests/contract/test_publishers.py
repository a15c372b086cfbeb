"""What a publisher does: one suite for the fake and for Kafka."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.messaging.outbox import OutboxEntry
from shared.messaging.publisher import KafkaPublisher, Outgoing, Publisher, RecordTooLarge
from shared.metrics import Metrics
from tests.conftest import NewTopic
from tests.support.fakes import START, FakePublisher

LIMIT = 100_000
"""The largest record that the topics of this suite take, in bytes."""

HUGE = bytes(65 * 1024 * 1024)
"""More than any topic takes, compressed or not."""

Read = Callable[[str, int], Awaitable[list[Outgoing]]]


class Rig:
    """A publisher, and how to read what it published."""

    def __init__(self, publisher: Publisher, topic: str, read: Read) -> None:
        self.publisher = publisher
        self.topic = topic
        self._read = read

    def entry(self, id: str, key: str = "key", body: str = "{}", **fields: str) -> OutboxEntry:
        time = START + timedelta(milliseconds=678)
        return OutboxEntry(id, self.topic, "BuyerSaved", key, time, body, **fields)

    async def records(self, count: int) -> list[Outgoing]:
        """The ``count`` records that are on the topic; each key's are in their order."""
        return await self._read(self.topic, count)


@pytest.fixture(params=["fake", "kafka"])
def kafka(request: pytest.FixtureRequest) -> tuple[str, NewTopic] | None:
    if request.param == "fake":
        return None
    return request.getfixturevalue("kafka_address"), request.getfixturevalue("new_topic")


@pytest.fixture
async def rig(kafka: tuple[str, NewTopic] | None) -> AsyncIterator[Rig]:
    if kafka is None:
        fake = FakePublisher("accounts", largest=LIMIT)

        async def published(topic: str, count: int) -> list[Outgoing]:
            return [record for record in fake.records if record.topic == topic]

        yield Rig(fake, "topic", published)
        return
    address, new_topic = kafka
    topic = await new_topic(partitions=3, max_message_bytes=LIMIT)
    publisher = KafkaPublisher(address, "accounts", Metrics())
    await publisher.start()
    try:
        yield Rig(publisher, topic, lambda topic, count: _consume(address, topic, count))
    finally:
        await publisher.stop()


async def _consume(address: str, topic: str, count: int) -> list[Outgoing]:
    places = [TopicPartition(topic, partition) for partition in range(3)]
    async with AIOKafkaConsumer(bootstrap_servers=address, enable_auto_commit=False) as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        assert sum(ends.values()) == count
        found: list[Outgoing] = []
        for _ in range(100):
            if len(found) == count:
                break
            for records in (await consumer.getmany(timeout_ms=100)).values():
                found += [Outgoing(r.topic, r.key, r.value, [*r.headers]) for r in records]
    return found


async def test_an_event_has_its_key_its_body_and_cloudevents_headers(rig: Rig) -> None:
    await rig.publisher.publish([rig.entry("id-1", key="büyer", body='{"ID":"ü"}')])

    (record,) = await rig.records(1)
    assert (record.topic, record.key, record.value) == (
        rig.topic,
        "büyer".encode(),
        '{"ID":"ü"}'.encode(),
    )
    assert record.headers == [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"id-1"),
        ("ce_type", b"BuyerSaved"),
        ("ce_source", b"/ordermesh/accounts"),
        ("ce_time", b"2026-01-02T03:04:05.678Z"),
        ("content-type", b"application/json"),
    ]


async def test_a_trace_goes_on(rig: Rig) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    await rig.publisher.publish([rig.entry("id-1", trace=trace)])

    (record,) = await rig.records(1)
    assert dict(record.headers)["traceparent"] == trace.encode()


async def test_the_order_of_each_key_is_kept(rig: Rig) -> None:
    entries = [rig.entry(str(n), key=f"key-{n % 7}", body=f'{{"N":{n}}}') for n in range(300)]

    await rig.publisher.publish(entries[:200])
    await rig.publisher.publish(entries[200:])

    found: dict[bytes | None, list[bytes | None]] = {}
    for record in await rig.records(300):
        found.setdefault(record.key, []).append(record.value)
    assert found == {
        f"key-{k}".encode(): [f'{{"N":{n}}}'.encode() for n in range(k, 300, 7)] for k in range(7)
    }


async def test_only_what_was_published_is_known_as_published(rig: Rig) -> None:
    published, other = rig.entry("published"), rig.entry("other")
    assert not rig.publisher.is_published(published.id)

    await rig.publisher.publish([published])

    assert rig.publisher.is_published(published.id)
    assert not rig.publisher.is_published(other.id)


async def test_publishing_nothing_publishes_nothing(rig: Rig) -> None:
    await rig.publisher.publish([])
    await rig.publisher.send([])

    assert await rig.records(0) == []


async def test_a_generator_of_entries_is_taken(rig: Rig) -> None:
    await rig.publisher.publish(rig.entry(id) for id in ("1", "2"))

    assert len(await rig.records(2)) == 2
    assert rig.publisher.is_published(rig.entry("2").id)


async def test_a_record_goes_out_as_it_is(rig: Rig) -> None:
    record = Outgoing(rig.topic, b"\xff\x00", b"\xfe not JSON", [("name", b"\xff"), ("name", b"")])

    await rig.publisher.send([record])

    assert await rig.records(1) == [record]


async def test_an_empty_key_stands_for_none_where_there_is_no_value_either(rig: Rig) -> None:
    await rig.publisher.send([Outgoing(rig.topic, None, None, [("name", b"value")])])

    assert await rig.records(1) == [Outgoing(rig.topic, b"", None, [("name", b"value")])]


@pytest.mark.parametrize(("key", "value"), [(None, b"{}"), (b"key", None), (None, b"")])
async def test_key_or_value_may_be_missing(
    rig: Rig, key: bytes | None, value: bytes | None
) -> None:
    record = Outgoing(rig.topic, key, value, [])

    await rig.publisher.send([record])

    assert await rig.records(1) == [record]


async def test_a_null_header_goes_out_as_it_is(rig: Rig) -> None:
    record = Outgoing(rig.topic, b"key", b"{}", [("name", None)])  # type: ignore[list-item]

    await rig.publisher.send([record])

    assert await rig.records(1) == [record]


async def test_a_record_that_the_topic_does_not_take_is_told(rig: Rig) -> None:
    # No run of one character, which would be small once compressed.
    body = "".join(f"{n * 7919 % 1_000_003:x}" for n in range(60_000))
    entry = rig.entry("large", body=body)

    with pytest.raises(RecordTooLarge):
        await rig.publisher.publish([entry])

    assert not rig.publisher.is_published(entry.id)
    assert await rig.records(0) == []


async def test_a_record_that_no_topic_takes_is_told(rig: Rig) -> None:
    with pytest.raises(RecordTooLarge):
        await rig.publisher.send([Outgoing(rig.topic, b"key", HUGE, [])])

    assert await rig.records(0) == []


async def test_a_publisher_goes_on_after_a_record_that_was_too_large(rig: Rig) -> None:
    with pytest.raises(RecordTooLarge):
        await rig.publisher.send([Outgoing(rig.topic, b"key", HUGE, [])])

    await rig.publisher.publish([rig.entry("next")])

    assert len(await rig.records(1)) == 1
