"""Turns: one after another about the same thing, in the order they came."""

import asyncio
import gc

from shared.http.turns import Turns


async def test_those_who_change_the_same_thing_go_one_after_another() -> None:
    turns = Turns()
    course: list[str] = []

    async def change(who: str) -> None:
        async with turns.of("product"):
            course.append(f"{who} begins")
            await asyncio.sleep(0)
            course.append(f"{who} ends")

    await asyncio.gather(change("a"), change("b"), change("c"))

    assert course == ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]


async def test_those_who_change_different_things_do_not_wait() -> None:
    turns = Turns()

    async with turns.of("product"), asyncio.timeout(1), turns.of("another"):
        pass


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    turns = Turns()

    async def change() -> None:
        async with turns.of("product"):
            pass

    async with turns.of("product"):
        impatient, patient = asyncio.create_task(change()), asyncio.create_task(change())
        await asyncio.sleep(0)
        impatient.cancel()

    async with asyncio.timeout(1):
        await patient
    assert impatient.cancelled()


async def test_nothing_is_kept_when_nobody_waits() -> None:
    turns = Turns()

    async with turns.of("product"):
        pass

    gc.collect()
    assert not turns._locks
