"""What a batch does to its aggregates, whatever happens on the way."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo.errors import AutoReconnect

from shared.aggregates import Aggregate
from shared.contracts.base import Error, Resource
from shared.contracts.catalog import Buyer
from shared.contracts.registry import BUYER, COMMAND_REJECTED
from shared.messaging.message import Event, Message, rejection
from shared.messaging.processor import AggregateProcessor, Decision
from shared.metrics import Metrics
from shared.mongo.writes import AggregateTooLarge
from tests.support.fakes import FakeClock, FakePublisher, FakeStore, message


class Log(Resource):
    """A state that shows which messages were folded into it, in order."""

    names: tuple[str, ...] = ()


class Rig:
    """A processor that keeps the names of buyers it is told of.

    A buyer called ``refused`` is refused, one called ``ignored`` changes nothing. A message
    concerns the aggregates in its ``xp.To``, or its own. ``creating``: whether they are presumed to
    open their aggregates.
    """

    def __init__(self, *, creating: bool = False) -> None:
        self.store = FakeStore(Log)
        self.publisher = FakePublisher()
        self.metrics = Metrics()
        self.clock = FakeClock()
        self.prepared: list[list[str]] = []
        self.processor = AggregateProcessor(
            service="tests",
            types=[BUYER.save],
            store=self.store,
            fold=self._fold,
            prepare=self._prepare,
            publisher=self.publisher,
            clock=self.clock,
            metrics=self.metrics,
            keys=lambda message: (message.body.xp or {}).get("To", [message.key]),
            creating=[BUYER.save] if creating else [],
        )

    async def process(self, *messages: Message[Any]) -> None:
        await self.processor.process(messages)

    def names(self, id: str) -> list[str] | None:
        state = self.store.state(id)
        return None if state is None else [*state.names]

    def published(self) -> list[tuple[str, str]]:
        """Key and name of every event, in order."""
        return [(entry.key, body.name) for entry, body in self._events()]

    def ids(self) -> list[str]:
        return [entry.id for entry in self.publisher.entries]

    def counted(self, name: str, **labels: str) -> float:
        value = self.metrics.registry.get_sample_value(f"ordermesh_{name}_total", labels)
        return 0.0 if value is None else value

    def _events(self) -> list[tuple[Any, Buyer]]:
        saved = [entry for entry in self.publisher.entries if entry.type == "BuyerSaved"]
        return list(zip(saved, self.publisher.bodies(BUYER.saved), strict=True))

    async def _prepare(
        self, messages: Sequence[Message[Any]], aggregates: Mapping[str, Aggregate[Log]]
    ) -> str:
        self.prepared.append([message.body.name for message in messages])
        return "context"

    @staticmethod
    def _fold(state: Log | None, message: Message[Any], context: str) -> Decision[Log]:
        assert context == "context"
        name = message.body.name
        if name == "ignored":
            return Decision(state)
        if name == "refused":
            error = Error(error_code="Refused", message="Send another name.")
            return Decision(state, (rejection(message, [error]),))
        if name == "defect":
            raise ZeroDivisionError
        names = (*(state.names if state else ()), name)
        told = Buyer(id=message.key, name=name)
        return Decision(Log(names=names), (Event(BUYER.saved, told),))


@pytest.fixture
def rig() -> Rig:
    return Rig()


def named(buyer: str, name: str, *, to: list[str] | None = None, **fields: Any) -> Message[Buyer]:
    body = Buyer(id=buyer, name=name, xp=None if to is None else {"To": to})
    return message(BUYER.save, body, **fields)


async def test_a_batch_is_one_load_one_write_one_publish(rig: Rig) -> None:
    await rig.process(named("a", "1"), named("b", "2"), named("a", "3"))

    assert (rig.names("a"), rig.names("b")) == (["1", "3"], ["2"])
    assert rig.store.loads == [["a", "b"]]
    assert rig.store.saves == [["a", "b"]]
    assert rig.published() == [("a", "1"), ("a", "3"), ("b", "2")]


async def test_nothing_to_process_touches_nothing(rig: Rig) -> None:
    await rig.process()

    assert (rig.store.loads, rig.store.saves, rig.publisher.records) == ([], [], [])


async def test_events_are_written_with_the_change_at_the_clocks_time(rig: Rig) -> None:
    rig.clock.advance(60)

    await rig.process(named("a", "1", trace="00-1-2-01"))

    (entry,) = rig.store.aggregate("a").outbox
    assert entry == rig.publisher.entries[0]
    assert (entry.time, entry.trace) == (rig.clock.now, "00-1-2-01")


async def test_a_redelivery_changes_nothing(rig: Rig) -> None:
    first = named("a", "1")
    await rig.process(first)
    before = rig.store.documents()

    await rig.process(first)

    assert rig.store.documents() == before
    assert rig.published() == [("a", "1")]
    assert rig.counted("duplicates_dropped", service="tests", topic="catalog.commands") == 1


async def test_a_producers_retry_within_a_batch_is_dropped(rig: Rig) -> None:
    await rig.process(named("a", "1", id="same"), named("a", "1", id="same"))

    assert rig.names("a") == ["1"]
    assert rig.prepared == [["1"]]


async def test_duplicates_are_not_prepared_for(rig: Rig) -> None:
    first = named("a", "1")
    await rig.process(first)

    await rig.process(first, named("a", "2"))

    assert rig.prepared == [["1"], ["2"]]


async def test_what_changes_nothing_writes_nothing(rig: Rig) -> None:
    await rig.process(named("a", "ignored"))

    assert rig.store.documents() == {}
    assert rig.publisher.records == []


async def test_a_refusal_is_published_and_counted_and_remembered(rig: Rig) -> None:
    refused = named("a", "refused", id="c-1", source="/shop")

    await rig.process(refused)
    await rig.process(refused)

    (body,) = rig.publisher.bodies(COMMAND_REJECTED)
    assert body.model_dump(exclude_none=True) == {
        "Command": {
            "Topic": "catalog.commands",
            "Type": "SaveBuyer",
            "ID": "c-1",
            "Source": "/shop",
        },
        "Errors": [{"ErrorCode": "Refused", "Message": "Send another name."}],
    }
    assert rig.names("a") is None
    assert rig.counted("commands_rejected", service="tests", code="Refused") == 1


async def test_a_message_may_concern_several_aggregates(rig: Rig) -> None:
    both = named("x", "1", to=["a", "b"])

    await rig.process(both, named("b", "2"))
    await rig.process(both)

    assert (rig.names("a"), rig.names("b"), rig.names("x")) == (["1"], ["1", "2"], None)
    assert rig.published() == [("a", "1"), ("b", "1"), ("b", "2")]
    assert len(set(rig.ids())) == 3


async def test_a_message_of_which_one_part_was_applied_is_applied_to_the_rest(rig: Rig) -> None:
    both = named("x", "1", to=["a", "b"])
    rig.store.lose_next(["b"])

    await rig.process(both)

    assert (rig.names("a"), rig.names("b")) == (["1"], ["1"])
    assert rig.published() == [("a", "1"), ("b", "1")]


async def test_a_message_that_concerns_nothing_touches_nothing(rig: Rig) -> None:
    await rig.process(named("x", "1", to=[]))

    assert rig.store.loads == []


async def test_who_lost_a_race_is_folded_again_alone_and_in_order(rig: Rig) -> None:
    await rig.process(named("a", "0"), named("b", "0"))
    rig.store.lose_next(["a"])

    await rig.process(named("a", "1"), named("b", "2"), named("a", "3"))

    assert (rig.names("a"), rig.names("b")) == (["0", "1", "3"], ["0", "2"])
    assert rig.store.loads[1:] == [["a", "b"], ["a"]]
    assert rig.store.saves[1:] == [["a", "b"], ["a"]]
    assert rig.published()[2:] == [("b", "2"), ("a", "1"), ("a", "3")]
    assert rig.counted("lost_races", service="tests") == 1


async def test_what_the_winner_of_a_race_applied_is_dropped(rig: Rig) -> None:
    # Two instances have the same message, as after a rebalance.
    other = Rig()
    other.store = rig.store
    contested = named("a", "1")
    await rig.process(contested)
    rig.store.lose_next(["a"])

    await rig.process(contested, named("a", "2"))

    assert rig.names("a") == ["1", "2"]
    assert rig.published() == [("a", "1"), ("a", "2")]


async def test_a_crash_between_write_and_publish_is_made_good_by_the_redelivery(
    rig: Rig,
) -> None:
    first = named("a", "1")
    rig.publisher.fail_next(ConnectionError("killed"))
    with pytest.raises(ConnectionError):
        await rig.process(first)
    assert (rig.names("a"), rig.published()) == (["1"], [])
    before = rig.store.documents()

    await rig.process(first)

    assert rig.published() == [("a", "1")]
    assert rig.store.documents() == before
    assert rig.ids() == [entry.id for entry in rig.store.aggregate("a").outbox]


async def test_a_crash_after_publish_publishes_the_same_ids_again(rig: Rig) -> None:
    first = named("a", "1")
    rig.publisher.fail_next(ConnectionError("killed"), after_write=True)
    with pytest.raises(ConnectionError):
        await rig.process(first)
    rig.publisher.forget()

    await rig.process(first)

    assert rig.published() == [("a", "1"), ("a", "1")]
    assert len(set(rig.ids())) == 1


async def test_what_another_process_told_and_committed_is_not_told_again(rig: Rig) -> None:
    first = named("a", "1")
    await rig.process(first)
    rig.publisher.forget()
    rig.publisher.committed = {first.place}

    await rig.process(named("a", "2"))

    assert rig.published() == [("a", "1"), ("a", "2")]
    assert [entry.id for entry in rig.store.aggregate("a").outbox] == rig.ids()[1:]


async def test_what_one_of_several_aggregates_wrote_is_told_although_another_refused(
    rig: Rig,
) -> None:
    both = named("x", "1", to=["a", "b"])
    rig.store.fail_next(AggregateTooLarge("b"), after_write=True)
    with pytest.raises(AggregateTooLarge):
        await rig.process(both)
    rig.publisher.committed = {both.place}

    await rig.process(named("a", "2"))

    assert rig.published() == [("a", "1"), ("a", "2")]


async def test_what_another_process_may_not_have_told_is_told_before_what_follows(rig: Rig) -> None:
    first, second = named("a", "1"), named("a", "2")
    await rig.process(first)
    await rig.process(second)
    rig.publisher.forget()
    rig.publisher.committed = {first.place}

    await rig.process(named("a", "3"))

    assert rig.published() == [("a", "1"), ("a", "2"), ("a", "2"), ("a", "3")]
    assert len(set(rig.ids())) == 3


async def test_a_write_that_was_done_but_not_answered_is_not_done_twice(rig: Rig) -> None:
    messages = [named("a", "1"), named("b", "2"), named("a", "3")]
    rig.store.fail_next(AutoReconnect("no answer"), after_write=True)
    with pytest.raises(AutoReconnect):
        await rig.process(*messages)

    await rig.process(*messages)

    assert (rig.names("a"), rig.names("b")) == (["1", "3"], ["2"])
    assert sorted(rig.published()) == [("a", "1"), ("a", "3"), ("b", "2")]


async def test_a_write_that_failed_is_done_the_next_time(rig: Rig) -> None:
    first = named("a", "1")
    rig.store.fail_next(AutoReconnect("no server"), after_write=False)
    with pytest.raises(AutoReconnect):
        await rig.process(first)
    assert (rig.store.documents(), rig.publisher.records) == ({}, [])

    await rig.process(first)

    assert (rig.names("a"), rig.published()) == (["1"], [("a", "1")])


async def test_what_was_published_leaves_the_outbox_with_the_next_write(rig: Rig) -> None:
    await rig.process(named("a", "1"))
    await rig.process(named("a", "2"))

    assert [entry.id for entry in rig.store.aggregate("a").outbox] == rig.ids()[1:]


async def test_what_was_not_published_stays_in_the_outbox_before_what_follows(rig: Rig) -> None:
    rig.publisher.fail_next(ConnectionError("killed"))
    with pytest.raises(ConnectionError):
        await rig.process(named("a", "1"))

    await rig.process(named("a", "2"))

    assert rig.published() == [("a", "1"), ("a", "2")]
    assert [entry.id for entry in rig.store.aggregate("a").outbox] == rig.ids()


async def test_a_defect_of_the_fold_writes_nothing(rig: Rig) -> None:
    with pytest.raises(ZeroDivisionError):
        await rig.process(named("a", "1"), named("b", "defect"))

    assert (rig.store.documents(), rig.publisher.records) == ({}, [])


async def test_what_opens_an_aggregate_is_written_without_looking_for_it() -> None:
    rig = Rig(creating=True)

    await rig.process(named("a", "1"), named("b", "2"), named("a", "3"))

    assert (rig.names("a"), rig.names("b")) == (["1", "3"], ["2"])
    assert rig.store.loads == [[]]
    assert rig.published() == [("a", "1"), ("a", "3"), ("b", "2")]


async def test_what_was_open_already_is_looked_for_and_goes_on() -> None:
    opening = Rig(creating=True)
    await opening.process(named("a", "1"))

    await opening.process(named("a", "2"), named("b", "3"))

    assert (opening.names("a"), opening.names("b")) == (["1", "2"], ["3"])
    assert opening.store.loads == [[], [], ["a"]]
    assert opening.published() == [("a", "1"), ("b", "3"), ("a", "2")]


async def test_what_changes_nothing_is_decided_by_what_is_stored_and_not_by_a_presumption() -> None:
    rig = Rig(creating=True)
    await rig.process(named("a", "1"))

    await rig.process(named("a", "ignored"))

    assert rig.names("a") == ["1"]
    assert rig.store.loads == [[], [], ["a"]]


@settings(max_examples=60, deadline=None)
@given(
    st.booleans(),
    st.lists(st.tuples(st.sampled_from("abc"), st.text("123", min_size=1)), max_size=25),
    st.data(),
)
async def test_however_it_is_cut_and_redelivered_the_result_is_the_same(
    creating: bool, plan: list[tuple[str, str]], data: st.DataObject
) -> None:
    messages = [named(id, name, offset=n, id=f"m-{n}") for n, (id, name) in enumerate(plan)]
    straight, broken = Rig(), Rig(creating=creating)
    for one in messages:
        await straight.process(one)

    done = 0
    while done < len(messages):
        start = data.draw(st.integers(0, done), label="redelivered from")
        end = data.draw(st.integers(done + 1, len(messages)), label="up to")
        ids = data.draw(st.sets(st.sampled_from("abc")), label="losing")
        broken.store.lose_next(ids)
        fault = data.draw(st.sampled_from(["none", "store", "answer", "publisher"]))
        if fault == "publisher":
            broken.publisher.fail_next(ConnectionError("cut"), after_write=data.draw(st.booleans()))
        elif fault != "none":
            broken.store.fail_next(AutoReconnect("cut"), after_write=fault == "answer")
        try:
            await broken.process(*messages[start:end])
            done = end
        except (ConnectionError, AutoReconnect):
            broken.publisher.forget()
        broken.store.calm()
        broken.publisher.calm()
    await broken.process(*messages)

    for id in "abc":
        assert broken.names(id) == straight.names(id)
    assert set(broken.ids()) == set(straight.ids())
