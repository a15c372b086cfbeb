"""Tasks end although a call swallows that they were told to."""

import asyncio

import pytest

from shared.endings import end, heed_cancellation


class Work:
    """A loop whose calls swallow the first cancellations."""

    def __init__(self, swallows: int) -> None:
        self.swallows = swallows
        self.rounds = 0
        self.began = asyncio.Event()

    async def call(self) -> None:
        self.began.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if not self.swallows:
                raise
            self.swallows -= 1

    async def heeding(self) -> None:
        while True:
            await self.call()
            self.rounds += 1
            heed_cancellation()

    async def heedless(self) -> None:
        while True:
            await self.call()
            self.rounds += 1


async def test_a_loop_that_heeds_its_cancellation_ends_with_the_round() -> None:
    work = Work(swallows=1)
    task = asyncio.create_task(work.heeding())
    await work.began.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.rounds == 1


async def test_nothing_ends_that_was_not_told_to() -> None:
    heed_cancellation()


async def test_what_does_not_end_is_told_again() -> None:
    work = Work(swallows=2)
    task = asyncio.create_task(work.heedless())
    await work.began.wait()

    await end([task], patience=0.01)

    assert task.cancelled()
    assert work.rounds == 2


async def test_how_a_task_ends_is_not_the_concern_of_who_ends_it() -> None:
    async def fail() -> None:
        raise ValueError

    await end([asyncio.create_task(fail())])
    await end([])
