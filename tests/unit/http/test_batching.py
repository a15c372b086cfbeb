"""What many ask at the same time is looked up once, and never from before it was asked."""

import asyncio
from collections.abc import Mapping

import pytest

from shared.http.batching import Batched


class Source:
    """Answers when it is let, with the number of the lookup."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.may = asyncio.Semaphore(0)
        self.fault: Exception | None = None

    async def load(self, keys: list[str]) -> Mapping[str, int]:
        self.asked.append(sorted(keys))
        number = len(self.asked)
        await self.may.acquire()
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        return dict.fromkeys(keys, number)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_while_a_lookup_is_under_way_shares_the_next() -> None:
    source = Source()
    batched = Batched(source.load)
    first = asyncio.create_task(batched.of(["a"]))
    await settle()
    others = [asyncio.create_task(batched.of([key])) for key in ("a", "b", "b")]
    await settle()
    source.may.release()
    source.may.release()

    found = [await first, *[await each for each in others]]

    assert source.asked == [["a"], ["a", "b"]]
    assert [found[0]["a"], found[1]["a"], found[2]["b"], found[3]["b"]] == [1, 2, 2, 2]


async def test_a_fault_is_told_to_those_who_asked_and_the_next_is_answered() -> None:
    source = Source()
    source.fault = ConnectionError("lost")
    batched = Batched(source.load)
    failing = asyncio.create_task(batched.of(["a"]))
    await settle()
    source.may.release()
    with pytest.raises(ConnectionError):
        await failing
    source.may.release()

    assert (await batched.of(["a"]))["a"] == 2


async def test_one_who_gives_up_takes_nothing_from_the_others() -> None:
    source = Source()
    batched = Batched(source.load)
    patient = asyncio.create_task(batched.of(["a"]))
    hasty = asyncio.create_task(batched.of(["a"]))
    await settle()
    hasty.cancel()
    source.may.release()

    assert (await patient)["a"] == 1
    with pytest.raises(asyncio.CancelledError):
        await hasty
