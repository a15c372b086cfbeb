"""The way of a batch from poll to commit, with everything that may be in it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka.errors import CommitFailedError, KafkaConnectionError
from pymongo.errors import AutoReconnect

from shared.contracts.catalog import Buyer
from shared.contracts.registry import BUYER, SUPPLIER, MessageType
from shared.messaging.decode import REKEYED_FROM
from shared.messaging.message import Message
from shared.messaging.publisher import Outgoing, RecordTooLarge
from shared.messaging.runner import BatchRunner
from shared.metrics import Metrics
from tests.support.fakes import FakePublisher
from tests.support.records import START_MS, FakeConsumer, FakeRecord, decoder, record


class Recorder:
    """A processor that lists the buyers of every call, and fails as it is told."""

    def __init__(self, *types: MessageType[Any]) -> None:
        self.types = frozenset(types)
        self.calls: list[list[str]] = []
        self.applied: list[str] = []
        self.poisonous: set[str] = set()
        self.faults: list[BaseException] = []
        self.at_fault: Callable[[], None] = lambda: None

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        ids = [message.body.id for message in messages]
        self.calls.append(ids)
        if self.faults:
            self.at_fault()
            raise self.faults.pop(0)
        for id in ids:
            if id in self.poisonous:
                raise ValueError(f"{id} is not what anybody thought of")
        self.applied += ids


class Rig:
    def __init__(self, *processors: Recorder, largest: int = 8 * 1024 * 1024) -> None:
        self.metrics = Metrics()
        self.processor = Recorder(BUYER.save, BUYER.delete)
        self.publisher = FakePublisher(largest=largest)
        self.consumer = FakeConsumer()
        self.runner = BatchRunner(
            "tests",
            decoder(BUYER.save, BUYER.delete, SUPPLIER.save, max_bytes=1000),
            processors or [self.processor],
            self.publisher,
            self.metrics,
        )

    async def run(self, *records: FakeRecord) -> None:
        await asyncio.wait_for(self.runner.run(records, self.consumer), 10)

    def letters(self) -> list[Outgoing]:
        return [out for out in self.publisher.sent if out.topic.endswith(".dead-letters")]

    def reasons(self) -> list[str]:
        return [dict(letter.headers)["dl_error"].decode() for letter in self.letters()]

    def counted(self, name: str, **labels: str) -> float:
        labels = {"service": "tests", **labels}
        value = self.metrics.registry.get_sample_value(f"ordermesh_{name}_total", labels)
        return 0.0 if value is None else value


@pytest.fixture
def rig() -> Rig:
    return Rig()


def save(id: str, **overrides: Any) -> FakeRecord:
    return record(BUYER.save, Buyer(id=id, name=id), id=f"c-{id}", **overrides)


def at(offset: int, partition: int = 0) -> dict[str, Any]:
    return {"partition": partition, "offset": offset}


async def test_a_batch_is_processed_at_once_and_committed_once(rig: Rig) -> None:
    await rig.run(save("a", **at(4)), save("b", **at(5)), save("c", **at(9, 1)))

    assert rig.processor.calls == [["a", "b", "c"]]
    assert rig.consumer.commits == [{("catalog.commands", 0): 6, ("catalog.commands", 1): 10}]
    assert rig.publisher.records == []
    assert rig.counted("messages_consumed", topic="catalog.commands") == 3


async def test_an_empty_poll_commits_nothing(rig: Rig) -> None:
    await rig.run()

    assert (rig.processor.calls, rig.consumer.commits) == ([], [])


async def test_what_is_not_wanted_is_committed_unread(rig: Rig) -> None:
    skipped = record(BUYER.save, Buyer(id="x", name="x"), **at(3))
    skipped.headers = [("ce_type", b"SaveProduct")]

    await rig.run(skipped)

    assert rig.processor.calls == []
    assert rig.consumer.commits == [{("catalog.commands", 0): 4}]


async def test_processors_are_asked_in_order_each_for_its_types() -> None:
    first, second, both = (
        Recorder(SUPPLIER.save),
        Recorder(BUYER.save),
        Recorder(SUPPLIER.save, BUYER.save),
    )
    rig = Rig(first, second, both)

    await rig.run(save("a"), record(SUPPLIER.save, {"ID": "s", "Name": "S"}), save("b"))

    assert (first.calls, second.calls, both.calls) == ([["s"]], [["a", "b"]], [["a", "s", "b"]])


async def test_poison_is_set_aside_and_its_neighbours_go_on(rig: Rig) -> None:
    poison = save("p", value=b"not JSON", key=b"\xff", **at(5, 2))
    poison.headers = [*poison.headers, ("note", b"kept"), ("note", b"twice")]

    await rig.run(save("a", **at(4, 2)), poison, save("b", **at(6, 2)))

    assert rig.processor.calls == [["a", "b"]]
    assert rig.consumer.commits == [{("catalog.commands", 2): 7}]
    (letter,) = rig.letters()
    assert (letter.topic, letter.key, letter.value) == (
        "catalog.commands.dead-letters",
        b"\xff",
        b"not JSON",
    )
    assert list(letter.headers)[: len(poison.headers)] == poison.headers
    added = dict(list(letter.headers)[len(poison.headers) :])
    assert added.pop("dl_time").decode().endswith("+00:00")
    assert added.pop("dl_error").decode().startswith("not a SaveBuyer: ")
    assert added == {
        "dl_topic": b"catalog.commands",
        "dl_partition": b"2",
        "dl_offset": b"5",
        "dl_attempts": b"1",
    }
    assert rig.counted("dead_letters", topic="catalog.commands", reason="unreadable") == 1


@pytest.mark.parametrize("value", [None, b"\xff"])
async def test_a_header_that_is_no_text_is_kept_as_it_is(rig: Rig, value: bytes | None) -> None:
    poison = save("p", headers=[("note", value)])

    await rig.run(poison, save("a"))

    assert rig.processor.applied == ["a"]
    assert ("note", value) in rig.letters()[0].headers


async def test_a_record_of_nothing_at_all_is_set_aside(rig: Rig) -> None:
    await rig.run(FakeRecord("catalog.commands", None, None), save("a"))

    assert rig.processor.applied == ["a"]
    (letter,) = rig.letters()
    assert letter.value is None
    assert "the value is null" in rig.reasons()[0]


async def test_a_time_that_is_none_stops_nobody(rig: Rig) -> None:
    await rig.run(save("p", timestamp=2**62, **at(1)), save("a", **at(2)))

    assert rig.processor.applied == ["a"]
    assert len(rig.letters()) == 1
    assert rig.consumer.commits == [{("catalog.commands", 0): 3}]


async def test_a_keyless_command_is_published_again_under_its_key(rig: Rig) -> None:
    keyless = save("a", key=None, **at(7, 1))
    keyless.headers = [*keyless.headers, ("note", b"kept")]

    await rig.run(keyless)

    assert rig.processor.calls == []
    assert rig.publisher.sent == [
        Outgoing(
            "catalog.commands",
            b"a",
            keyless.value,
            [*keyless.headers, (REKEYED_FROM, f"catalog.commands/1/7@{START_MS}".encode())],
        )
    ]
    assert rig.consumer.commits == [{("catalog.commands", 1): 8}]
    assert rig.counted("commands_rekeyed", topic="catalog.commands") == 1


async def test_a_command_that_was_published_again_is_not_published_a_third_time(rig: Rig) -> None:
    await rig.run(save("a", key=None))
    (again,) = rig.publisher.sent

    await rig.run(FakeRecord(again.topic, again.value, again.key, again.headers))

    assert rig.publisher.sent == [again]
    assert rig.processor.applied == ["a"]


@pytest.mark.parametrize(
    "fault", [AutoReconnect("no primary"), KafkaConnectionError("gone"), OSError(5), TimeoutError()]
)
async def test_a_fault_of_the_infrastructure_is_waited_out(rig: Rig, fault: Exception) -> None:
    rig.processor.faults = [fault, fault]

    await rig.run(save("a", **at(4)), save("b", **at(5)))

    assert rig.processor.calls == [["a", "b"]] * 3
    assert rig.processor.applied == ["a", "b"]
    assert rig.letters() == []
    assert rig.consumer.commits == [{("catalog.commands", 0): 6}]
    client = {"AutoReconnect": "mongodb", "KafkaConnectionError": "kafka"}
    name = type(fault).__name__
    assert rig.counted("infrastructure_faults", client=client.get(name, "network"), error=name) == 2


async def test_what_is_set_aside_is_set_aside_once_however_long_it_takes(rig: Rig) -> None:
    rig.processor.faults = [AutoReconnect("no primary")]

    await rig.run(save("p", value=b"{"), save("a"))

    assert len(rig.letters()) == 1
    assert rig.processor.applied == ["a"]


async def test_setting_aside_waits_out_faults_too(rig: Rig) -> None:
    rig.publisher.fail_next(KafkaConnectionError("gone"))

    await rig.run(save("p", value=b"{"), save("a"))

    assert len(rig.letters()) == 1
    assert rig.processor.applied == ["a"]


async def test_a_defect_while_setting_aside_commits_nothing(rig: Rig) -> None:
    rig.publisher.fail_next(ValueError("a defect"))

    with pytest.raises(ValueError, match="a defect"):
        await rig.run(save("good"), save("poison", value=b"?"))

    assert rig.consumer.commits == []
    assert rig.processor.calls == []


async def test_a_message_that_its_handler_cannot_take_is_set_aside_alone(rig: Rig) -> None:
    rig.processor.poisonous = {"p"}
    poison = save("p", **at(5))

    await rig.run(save("a", **at(4)), poison, save("b", **at(6)))

    assert rig.processor.calls == [["a", "p", "b"], ["a"], ["p"], ["b"]]
    assert rig.processor.applied == ["a", "b"]
    (letter,) = rig.letters()
    assert (letter.key, letter.value) == (poison.key, poison.value)
    assert list(letter.headers)[: len(poison.headers)] == poison.headers
    assert rig.reasons() == ["ValueError: p is not what anybody thought of"]
    assert rig.consumer.commits == [{("catalog.commands", 0): 7}]
    assert rig.counted("dead_letters", topic="catalog.commands", reason="handler") == 1


async def test_a_fault_while_looking_for_the_defect_is_waited_out(rig: Rig) -> None:
    rig.processor.faults = [ValueError("defect"), AutoReconnect("no primary")]

    await rig.run(save("a"), save("b"))

    assert rig.processor.applied == ["a", "b"]
    assert rig.letters() == []


async def test_poison_is_set_aside_although_a_handler_has_a_defect(rig: Rig) -> None:
    rig.processor.poisonous = {"d"}

    await rig.run(save("p", value=b"{"), save("d"), save("a"))

    assert rig.processor.applied == ["a"]
    assert len(rig.letters()) == 2


async def test_a_long_reason_is_cut(rig: Rig) -> None:
    rig.processor.faults = [ValueError("x" * 5000), ValueError("x" * 5000)]

    await rig.run(save("a"))

    assert len(rig.reasons()[0]) == 2000


async def test_a_reason_that_is_no_text_is_told_all_the_same(rig: Rig) -> None:
    rig.processor.faults = [ValueError("\ud800"), ValueError("\ud800")]

    await rig.run(save("a"), save("b"))

    assert len(rig.letters()) == 1
    assert rig.processor.applied == ["b"]


async def test_a_dead_letter_larger_than_kafka_takes_is_kept_without_its_value() -> None:
    rig = Rig(largest=5_000)
    poison = save("p", value=b"x" * 6_000, **at(5, 1))

    await rig.run(poison, save("q", value=b"{"), save("a"))

    assert rig.processor.applied == ["a"]
    large, small = rig.letters()
    assert (large.key, large.value) == (b"p", None)
    headers = dict(large.headers)
    assert headers["dl_omitted"].startswith(b"a value of 6000 bytes")
    assert headers["dl_error"].startswith(b"6000 bytes, more than the 1000")
    assert (headers["dl_partition"], headers["dl_offset"]) == (b"1", b"5")
    assert small.value == b"{"


def refuse_as_too_large(rig: Rig, times: int) -> None:
    for _ in range(times):
        rig.publisher.fail_next(RecordTooLarge("more than the topic takes"))


async def test_of_a_dead_letter_too_large_without_its_value_the_place_is_kept(rig: Rig) -> None:
    poison = save("p", value=b"{", **at(5, 1))
    poison.headers = [*poison.headers, ("note", b"x" * 60_000)]
    # Beside its neighbours, alone, and without its value.
    refuse_as_too_large(rig, 3)

    await rig.run(poison, save("a"))

    (letter,) = rig.letters()
    assert (letter.key, letter.value) == (b"p", None)
    headers = dict(letter.headers)
    assert headers.keys() == {
        "ce_type", "ce_source", "ce_id", "dl_topic", "dl_partition", "dl_offset", "dl_error",
        "dl_attempts", "dl_time", "dl_omitted",
    }  # fmt: skip
    assert (headers["ce_id"], headers["dl_offset"]) == (b"c-p", b"5")
    assert rig.processor.applied == ["a"]


@pytest.mark.parametrize("poison", [save("p", value=b"{"), save("d")], ids=["unreadable", "defect"])
async def test_a_topic_that_takes_no_dead_letter_at_all_is_waited_out(
    rig: Rig, poison: FakeRecord
) -> None:
    rig.processor.poisonous = {"d"}
    # Once with all and twice in each of its sizes.
    refuse_as_too_large(rig, 7)

    await rig.run(poison, save("a"))

    (letter,) = rig.letters()
    assert (letter.key, letter.value) == (poison.key, poison.value)
    assert rig.processor.applied == ["a"]
    assert len(rig.consumer.commits) == 1
    assert (
        rig.counted("infrastructure_faults", client="kafka", error="MessageSizeTooLargeError") == 2
    )


async def test_a_command_on_its_way_to_its_key_never_loses_its_value(rig: Rig) -> None:
    refuse_as_too_large(rig, 3)

    await rig.run(save("a", key=None))

    (again,) = rig.publisher.sent
    assert (again.key, again.value) == (b"a", save("a").value)


async def test_a_stop_while_no_dead_letter_is_taken_commits_nothing(rig: Rig) -> None:
    refuse_as_too_large(rig, 1_000)

    running = asyncio.create_task(rig.run(save("p", value=b"{"), save("a")))
    await asyncio.sleep(0.05)
    rig.runner.stop()
    await running

    assert (rig.letters(), rig.consumer.commits, rig.processor.calls) == ([], [], [])


async def test_a_stop_leaves_the_batch_uncommitted(rig: Rig) -> None:
    rig.processor.faults = [AutoReconnect("no primary")] * 10
    rig.processor.at_fault = rig.runner.stop

    await rig.run(save("a"), save("b"))

    assert rig.processor.calls == [["a", "b"]]
    assert rig.consumer.commits == []
    assert rig.letters() == []


async def test_a_stop_amid_a_search_for_a_defect_leaves_the_batch_uncommitted(rig: Rig) -> None:
    rig.processor.faults = [ValueError("defect"), AutoReconnect("no primary")]
    rig.processor.at_fault = rig.runner.stop

    await rig.run(save("a"), save("b"))

    assert rig.processor.applied == []
    assert rig.consumer.commits == []


async def test_a_commit_is_tried_until_it_is_done(rig: Rig) -> None:
    rig.consumer.fail_next(KafkaConnectionError("gone"))

    await rig.run(save("a", **at(4)))

    assert rig.processor.calls == [["a"]]
    assert rig.consumer.commits == [{("catalog.commands", 0): 5}]


async def test_partitions_that_went_to_another_are_not_committed(rig: Rig) -> None:
    rig.consumer.fail_next(CommitFailedError())

    await rig.run(save("a"))

    assert (rig.processor.applied, rig.consumer.commits) == (["a"], [])


async def test_it_is_busy_while_a_batch_is_in_hand(rig: Rig) -> None:
    seen: list[bool] = []
    rig.processor.faults = [AutoReconnect("no primary")]
    rig.processor.at_fault = lambda: seen.append(rig.runner.busy)

    await rig.run(save("a"))

    assert seen == [True]
    assert not rig.runner.busy
