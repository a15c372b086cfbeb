"""When a lane sends, and when it closes."""

from datetime import timedelta

from services.notifications.backoff import Backoff
from services.notifications.lanes import Lane
from shared.aggregates import Aggregate
from tests.support.fakes import START
from tests.unit.notifications.builders import delivery

_LATER = START + timedelta(seconds=100)


def _lane(waiting: int = 0) -> Lane:
    lane = Lane("webhook:hook", limit=2, length=5, trip_after=3, backoff=Backoff(8.0, 8.0))
    lane.queue.extend(Aggregate(str(number), state=delivery()) for number in range(waiting))
    return lane


def test_a_lane_holds_so_many_and_sends_so_many_at_once() -> None:
    lane = _lane(waiting=4)

    lane.sending = 1

    assert (lane.room(START), lane.may_send(START)) == (1, True)
    lane.sending = 2
    assert not lane.may_send(START)


def test_faults_in_a_row_close_it_and_give_back_what_it_holds() -> None:
    lane = _lane(waiting=2)

    given_back = [lane.failed(START) for _ in range(3)]

    assert [len(aggregates) for aggregates in given_back] == [0, 0, 2]
    assert lane.closed_until is not None
    assert START + timedelta(seconds=4) <= lane.closed_until <= START + timedelta(seconds=8)
    assert (lane.room(START), lane.may_send(START), lane.idle) == (0, False, False)


def test_faults_while_it_is_closed_count_no_further() -> None:
    lane = _lane()
    for _ in range(3):
        lane.failed(START)
    until = lane.closed_until

    lane.failed(START)

    assert (lane.trips, lane.closed_until) == (1, until)


def test_a_lane_that_reopens_sends_one_as_a_probe() -> None:
    lane = _lane()
    for _ in range(3):
        lane.failed(START)

    assert lane.room(_LATER) == 1

    lane.queue.append(Aggregate("a", state=delivery()))
    assert (lane.room(_LATER), lane.may_send(_LATER)) == (0, True)
    lane.sending = 1
    assert not lane.may_send(_LATER)


def test_one_fault_of_the_probe_closes_it_again() -> None:
    lane = _lane()
    for _ in range(3):
        lane.failed(START)

    lane.failed(_LATER)

    assert (lane.trips, lane.room(_LATER)) == (2, 0)


def test_an_answer_opens_it() -> None:
    lane = _lane()
    for _ in range(3):
        lane.failed(START)

    lane.worked()

    assert (lane.room(START), lane.idle) == (5, True)


def test_faults_with_answers_between_do_not_close_it() -> None:
    lane = _lane()

    for _ in range(10):
        lane.failed(START)
        lane.failed(START)
        lane.worked()

    assert lane.closed_until is None
