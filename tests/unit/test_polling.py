"""How a consumer is polled, against a ``getmany`` that is told what to give."""

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, TopicAuthorizationFailedError

from shared.messaging.polling import wait_for_records

A, B = TopicPartition("orders.commands", 0), TopicPartition("orders.commands", 1)


class Polls:
    """Gives one answer for each poll, or raises it, and notes what it was asked."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[int, int]] = []

    async def __call__(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list]:
        self.asked.append((timeout_ms, max_records))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, dict)
        return answer


async def poll(polls: Polls) -> dict[TopicPartition, list]:
    return await wait_for_records(polls, timeout_ms=10, max_records=5)


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


async def test_a_poll_that_fails_at_once_fails() -> None:
    with pytest.raises(CorruptRecordException):
        await poll(Polls(CorruptRecordException()))
