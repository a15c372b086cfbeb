"""The shared clock: asked once in a while, carried on meanwhile, moved only when it is wrong."""

from datetime import UTC, datetime, timedelta

from shared.clock import SharedClock

NOON = datetime(2031, 5, 2, 12, 0, tzinfo=UTC)
WRONG = NOON + timedelta(hours=1)


class World:
    """The clock that is asked, and a monotonic one. An answer takes ``way`` seconds, half of them
    each way."""

    def __init__(self) -> None:
        self.time = NOON
        self.seconds = 100.0
        self.way = 0.0

    def passes(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.seconds += seconds

    async def ask(self) -> datetime:
        self.passes(self.way / 2)
        answer = self.time
        self.passes(self.way / 2)
        return answer

    def clock(self) -> SharedClock:
        return SharedClock(self.ask, lambda: WRONG, lambda: self.seconds)


async def test_before_the_first_answer_the_own_clock_counts() -> None:
    assert World().clock()() == WRONG


async def test_the_time_is_that_of_the_clock_that_was_asked_and_goes_on() -> None:
    world = World()
    clock = world.clock()

    await clock.read()

    assert clock() == NOON
    world.passes(7.5)
    assert clock() == NOON + timedelta(seconds=7.5)


async def test_an_answer_is_taken_for_half_its_way_old() -> None:
    world = World()
    world.way = 4.0
    clock = world.clock()

    await clock.read()

    assert clock() == world.time


async def test_answers_that_were_on_their_way_for_long_do_not_move_the_clock() -> None:
    world = World()
    clock = world.clock()
    await clock.read()
    world.way = 20.0

    await clock.read()

    assert clock() == NOON + timedelta(seconds=20)


async def test_a_clock_that_is_wrong_is_put_right_forward_and_back() -> None:
    world = World()
    clock = world.clock()
    for jump in (timedelta(hours=1), timedelta(hours=-2)):
        await clock.read()
        world.time += jump

        await clock.read()

        assert clock() == world.time


async def test_times_are_cut_to_milliseconds() -> None:
    world = World()
    clock = world.clock()
    await clock.read()

    world.passes(0.0129)

    assert clock() == NOON + timedelta(milliseconds=12)
