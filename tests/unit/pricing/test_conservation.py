"""Units are conserved: any interleaving of grants, releases, crashes and redeliveries."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.pricing.allotments import Allotment
from tests.unit.pricing.builders import line
from tests.unit.pricing.service import Crash, Shop, ask, release

STOCK = {"mug": 6, "cup": 4}
ORDERS = ("O-1", "O-2", "O-3", "O-4")

steps = st.lists(st.integers(0, 4), max_size=60)
requests = st.tuples(
    st.sampled_from(ORDERS),
    st.none() | st.tuples(st.integers(0, 4), st.integers(0, 3)).filter(any),
)
"""An order, and how many mugs and cups it asks for; None gives back what it has."""

stories = st.lists(
    st.tuples(
        st.lists(requests, min_size=1, max_size=4),
        st.sampled_from(["", "", "allotments", "quotes"]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)
"""Batches, each with where its process crashes, whether the write it crashes at is made, and
whether another process, that thinks the batch its own, works on it as well, perhaps until much
later."""


def made(order: str, wanted: tuple[int, int] | None) -> Any:
    if wanted is None:
        return release(order)
    lines = [line(id, count) for id, count in zip(("mug", "cup"), wanted, strict=True) if count]
    return ask(order, line_items=lines)


async def until_done(shop: Shop, batch: list[Any]) -> None:
    """Takes a batch until it is taken without a crash, by a new process each time."""
    for _ in range(5):
        try:
            await shop.process().take(*batch)
            return
        except Crash:
            continue
    raise AssertionError("more crashes than were planned")


def total(shop: Shop, product: str) -> int:
    """What is left, what quotes hold, and what is on its way between the two."""
    return sum(shop.left(product).values()) + sum(
        shop.held(order, f"inventory/{product}") for order in ORDERS
    )


async def play(story: Any, partitions: Any) -> None:
    shop = Shop(STOCK)
    shop.allotments.steps = iter(partitions[0])
    shop.quotes.steps = iter(partitions[1])
    late: list[asyncio.Task[None]] = []
    for wanted, crash, after_write, twice in story:
        batch = [made(*each) for each in wanted]
        if crash:
            store: Any = getattr(shop, crash)
            store.fail_next(Crash(), after_write=after_write)
        if twice:
            late.append(asyncio.create_task(until_done(shop, batch)))
        await until_done(shop, batch)
        for product, stock in STOCK.items():
            assert min(shop.left(product).values()) >= 0
            held = sum(shop.held(order, f"inventory/{product}") for order in ORDERS)
            assert held <= stock

    await asyncio.gather(*late)
    await settle(shop)

    for product, stock in STOCK.items():
        assert total(shop, product) == stock
    await until_done(shop, [release(order) for order in ORDERS])
    assert {product: shop.left(product) for product in STOCK} == {
        product: {"*": stock} for product, stock in STOCK.items()
    }


async def settle(shop: Shop) -> None:
    """Lets everything that is pending be found: an order asks for all, when it is long over."""
    shop.clock.advance(3600)
    everything = [line("mug", 99), line("cup", 99)]
    await until_done(shop, [ask("O-last", line_items=everything, hold=True)])


@given(story=stories, partitions=st.tuples(steps, steps))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_units_are_neither_lost_nor_sold_twice(story: Any, partitions: Any) -> None:
    asyncio.run(play(story, partitions))


async def contend(batches: Any, partitions: Any) -> None:
    """Several processes at once, each with its own orders."""
    shop = Shop({"mug": 10})
    shop.allotments.steps = iter(partitions[0])
    shop.quotes.steps = iter(partitions[1])

    async def work(at: int, sizes: list[int]) -> None:
        process = shop.process()
        for n, size in enumerate(sizes):
            await process.take(ask(f"O-{at}-{n}", size), ask(f"P-{at}-{n}", size))

    await asyncio.gather(*(work(at, sizes) for at, sizes in enumerate(batches)))

    orders = list(shop.quotes.documents())
    state = shop.allotments.state("inventory/mug")
    assert isinstance(state, Allotment)
    assert state.records["*"] >= 0
    assert state.records["*"] + sum(shop.held(order) for order in orders) == 10


@given(
    batches=st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3), min_size=2, max_size=4),
    partitions=st.tuples(steps, steps),
)
@settings(max_examples=100, deadline=None)
def test_processes_in_parallel_never_oversell(batches: Any, partitions: Any) -> None:
    asyncio.run(contend(batches, partitions))
