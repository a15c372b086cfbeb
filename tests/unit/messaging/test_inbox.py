"""What an aggregate remembers of the messages that it applied."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.registry import BUYER
from shared.messaging.inbox import RING_SIZE, Inbox
from shared.messaging.message import Message
from tests.support.fakes import START, message

BODY = {"ID": "ada", "Name": "Ada"}


def take(
    offset: int, *, partition: int = 0, at: int = 0, id: str | None = None, topic: str = "commands"
) -> Message[Any]:
    """A message; ``at`` is its time of acceptance in milliseconds."""
    return message(
        BUYER.save,
        BODY,
        id=f"{topic}-{partition}-{offset}-{at}" if id is None else id,
        topic=topic,
        partition=partition,
        offset=offset,
        accepted=START + timedelta(milliseconds=at),
    )


def after(messages: Sequence[Message[Any]]) -> Inbox:
    inbox = Inbox()
    for applied in messages:
        inbox.add(applied)
    return inbox


@st.composite
def histories(draw: st.DrawFn) -> list[Message[Any]]:
    """Messages of some partitions, in the order of their offsets; times are a producer's, so
    they may go back."""
    messages: list[Message[Any]] = []
    next_offset: dict[tuple[str, int], int] = {}
    for _ in range(draw(st.integers(0, 50))):
        topic = draw(st.sampled_from(["commands", "events"]))
        partition = draw(st.integers(0, 2))
        offset = next_offset.get((topic, partition), 0) + draw(st.integers(0, 3))
        next_offset[topic, partition] = offset + 1
        at = draw(st.integers(0, 100_000))
        messages.append(take(offset, partition=partition, at=at, topic=topic))
    return messages


@settings(max_examples=40, deadline=None)
@given(histories())
def test_every_applied_message_is_recognised_for_ever(messages: list[Message[Any]]) -> None:
    inbox = Inbox.from_document(after(messages).document())

    assert [inbox.has(applied) for applied in messages] == [True] * len(messages)


@settings(max_examples=40, deadline=None)
@given(histories())
def test_a_message_is_new_until_it_is_applied(messages: list[Message[Any]]) -> None:
    inbox = Inbox()

    for new in messages:
        assert not inbox.has(new)
        inbox.add(new)


@settings(max_examples=40, deadline=None)
@given(histories(), st.data())
def test_a_topic_made_anew_is_not_mistaken_for_a_replay(
    messages: list[Message[Any]], data: st.DataObject
) -> None:
    inbox = after(messages)
    later = 100_001
    for offset in range(data.draw(st.integers(1, 40))):
        later += data.draw(st.integers(0, 10))
        new = take(offset, at=later, id=f"anew-{offset}")

        assert not inbox.has(new)
        inbox.add(new)
        assert inbox.has(new)


@settings(max_examples=40, deadline=None)
@given(histories())
def test_its_size_is_bounded_by_the_ring_and_the_partitions(messages: list[Message[Any]]) -> None:
    document = after(messages).document()

    assert len(document["ids"]) <= RING_SIZE
    assert len(document["marks"]) == len({(m.topic, m.partition) for m in messages})


@given(st.integers(0, RING_SIZE - 1))
def test_a_producers_own_retry_is_recognised_within_the_ring(between: int) -> None:
    inbox = after([take(0, id="again"), *(take(n + 1) for n in range(between))])

    assert inbox.has(take(1000, at=1000, id="again"))


def test_a_producers_own_retry_is_forgotten_beyond_the_ring() -> None:
    inbox = after([take(0, id="again"), *(take(n + 1) for n in range(RING_SIZE))])

    assert not inbox.has(take(1000, at=1000, id="again"))


def test_the_same_id_of_another_source_is_another_message() -> None:
    inbox = after([message(BUYER.save, BODY, id="1", source="/a", offset=0, topic="a")])

    assert not inbox.has(message(BUYER.save, BODY, id="1", source="/b", offset=1, topic="a"))


def test_a_retry_on_another_partition_is_recognised() -> None:
    inbox = after([take(5, id="again")])

    assert inbox.has(take(0, partition=1, id="again"))


def test_the_documents_times_are_milliseconds_and_its_offsets_the_highest() -> None:
    inbox = after([take(3, at=500, id="x"), take(4, at=200, id="y")])

    start = round(START.timestamp() * 1000)
    assert inbox.document() == {
        "ids": ["/tests|x", "/tests|y"],
        "marks": [["commands", 0, 4, start + 500]],
    }


def test_a_copy_is_nobody_elses() -> None:
    inbox = after([take(0)])
    copy = inbox.copy()

    copy.add(take(1))

    assert not inbox.has(take(1))
    assert copy.has(take(1))
