"""How a consumer is polled and committed, against one that is told what to give."""

from collections.abc import Callable, Mapping

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from structlog.testing import capture_logs

from shared.messaging.polling import Generations, Polling

A, B = TopicPartition("orders.commands", 0), TopicPartition("orders.commands", 1)


class Polls:
    """A consumer that gives one answer for each poll, or raises it, and notes what it was asked
    and what was committed. An answer that can be called is made when it is asked for."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[int, int]] = []
        self.committed: list[Mapping[TopicPartition, int]] = []
        self.generations = Generations()
        self.polling = Polling("tests", self, self.generations)

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list]:
        self.asked.append((timeout_ms, max_records))
        answer = self._answers.pop(0)
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, dict)
        return answer

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self.committed.append(offsets)

    def after_a_rebalance(self, answer: object) -> Callable[[], object]:
        """``answer``, for which the consumer has waited until it had other partitions."""

        def given() -> object:
            self.generations.end()
            return answer

        return given

    def then(self, *answers: object) -> None:
        self._answers += answers


async def poll(polls: Polls) -> dict[TopicPartition, list]:
    return await polls.getmany(timeout_ms=10, max_records=5)


async def test_an_idle_service_polls_twice_a_second() -> None:
    polls = Polls({}, {})

    assert await poll(polls) == {}
    assert polls.asked == [(0, 5), (500, 5)]


async def test_what_was_waited_for_is_all_there_is() -> None:
    polls = Polls({}, {A: [1]})

    assert await poll(polls) == {A: [1]}
    assert polls.asked == [(0, 5), (500, 5)]


async def test_what_came_during_the_batch_before_is_taken_too_in_order() -> None:
    polls = Polls({A: [1, 2]}, {A: [3], B: [7]})

    assert await poll(polls) == {A: [1, 2, 3], B: [7]}
    assert polls.asked == [(0, 5), (10, 3)]


async def test_a_full_batch_is_not_added_to() -> None:
    polls = Polls({A: [1, 2, 3], B: [7, 8]})

    assert await poll(polls) == {A: [1, 2, 3], B: [7, 8]}
    assert polls.asked == [(0, 5)]


@pytest.mark.parametrize("error", [CorruptRecordException(), TopicAuthorizationFailedError()])
async def test_what_was_taken_is_not_lost_when_asking_for_more_fails(error: Exception) -> None:
    assert await poll(Polls({A: [1]}, error)) == {A: [1]}


async def test_a_fault_is_waited_out_and_told() -> None:
    polls = Polls(KafkaError("loading"), KafkaError("loading"), {A: [1]}, {A: [2]})

    with capture_logs() as logs:
        assert await poll(polls) == {A: [1, 2]}

    assert polls.asked == [(0, 5), (0, 5), (0, 5), (10, 4)]
    assert [(line["event"], line["service"], line["attempt"]) for line in logs] == [
        ("poll_failed", "tests", 1),
        ("poll_failed", "tests", 2),
    ]


async def test_what_is_polled_after_a_fault_and_a_rebalance_is_held() -> None:
    polls = Polls()
    polls.then(polls.after_a_rebalance(KafkaError("it failed")), {A: [1]}, {})

    assert await poll(polls) == {A: [1]}
    await polls.polling.commit({A: 2})
    assert polls.committed == [{A: 2}]


async def test_a_consumer_that_is_stopped_is_not_polled_again() -> None:
    polls = Polls(KafkaError("gone"), ConsumerStoppedError())

    with pytest.raises(ConsumerStoppedError):
        await poll(polls)


@pytest.mark.parametrize("more", [{B: [7]}, {}])
async def test_what_was_at_hand_before_a_rebalance_is_left_to_whoever_has_it_now(
    more: dict[TopicPartition, list],
) -> None:
    polls = Polls({A: [1, 2]})
    polls.then(polls.after_a_rebalance(more))

    assert await poll(polls) == more
    assert polls.polling.holds
    await polls.polling.commit({B: 8})
    assert polls.committed == [{B: 8}]


async def test_a_rebalance_that_ends_in_a_fault_gives_nothing() -> None:
    polls = Polls({A: [1, 2]})
    polls.then(polls.after_a_rebalance(KafkaError("it failed")))

    assert await poll(polls) == {}


async def test_what_was_polled_is_committed_as_long_as_it_is_held() -> None:
    polls = Polls({A: [1]}, {}, {A: [2]}, {})
    await poll(polls)
    assert polls.polling.holds
    await polls.polling.commit({A: 2})

    polls.generations.end()

    assert not polls.polling.holds
    with pytest.raises(IllegalStateError, match="given away"):
        await polls.polling.commit({A: 2})
    await poll(polls)
    await polls.polling.commit({A: 3})
    assert polls.committed == [{A: 2}, {A: 3}]


async def test_a_poll_that_began_before_it_was_mended_is_held() -> None:
    polls = Polls()
    polls.generations.end()

    assert polls.polling.holds
    await polls.polling.commit({A: 2})

    assert polls.committed == [{A: 2}]
