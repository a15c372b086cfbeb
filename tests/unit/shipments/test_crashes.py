"""Two kinds of documents, no transaction: what holds whatever dies, comes twice or comes first."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.registry import CREATE_SHIPMENT, UPDATE_SHIPMENT
from shared.messaging.message import Message, derived_id
from tests.unit.shipments.world import (
    CANCELED,
    World,
    create,
    forwarded,
    order,
    taken,
    update,
)

ORDERS = ("O-1", "O-2")
ORDERED = 10


class Died(Exception):
    pass


quantities = st.integers(0, 7)
names = st.sampled_from([*ORDERS, *(f"{id}-north" for id in ORDERS)])
items = st.dictionaries(st.tuples(names, st.sampled_from(["1", "2"])), quantities, max_size=3)
shipments = st.sampled_from(["S-1", "S-2", "S-3"])
specs = st.tuples(st.sampled_from(["create", "update", "ship"]), shipments, items)
batches = st.lists(st.lists(specs, min_size=1, max_size=6), min_size=1, max_size=4)
crashes = st.lists(
    st.tuples(st.sampled_from(["ledgers", "shipments", "publisher"]), st.booleans()), max_size=4
)


def _messages(batches: Sequence[Sequence[Any]], partition: int = 0) -> list[list[Message[Any]]]:
    """The commands at fixed offsets, so that several worlds can be given the same."""
    offset = 100 * partition
    made: list[list[Message[Any]]] = []
    for batch in batches:
        made.append([])
        for kind, shipment, carried in batch:
            offset += 1
            at = {"offset": offset, "partition": partition}
            if kind == "create":
                made[-1].append(create(shipment, carried, at=at))
            elif kind == "update":
                made[-1].append(update(shipment, carried, at=at))
            else:
                made[-1].append(update(shipment, at=at, DateShipped="2026-01-02T12:00:00Z"))
    return made


def _created(messages: Sequence[Message[Any]]) -> set[str]:
    """The shipments that somebody tries to create."""
    return {message.body.id for message in messages if message.type is CREATE_SHIPMENT}


def _news() -> list[Message[Any]]:
    return [
        news
        for n, id in enumerate(ORDERS)
        for news in (
            order(id, {"1": ORDERED, "2": ORDERED}, offset=2 * n),
            forwarded(id, offset=2 * n + 1),
        )
    ]


async def _insist(world: World, step: Callable[[], Awaitable[None]]) -> None:
    """Does a step again, as a new process, until it is done."""
    for _ in range(10):
        try:
            await step()
        except Died:
            world.publisher.forget()
        else:
            return
    raise AssertionError("never done")


def _outcome(world: World) -> dict[str, Any]:
    """What is stored, without what only tells how it came about."""
    return {
        "ledgers": {
            id: taken(state) for id in ORDERS if (state := world.ledgers.state(id)) is not None
        },
        "shipments": {id: world.shipments.state(id) for id in ("S-1", "S-2", "S-3")},
        "events": {entry.id: (entry.type, entry.key) for entry in world.publisher.entries},
    }


def _check_sets(world: World) -> None:
    """Every ledger is exactly the set of what the shipments carry, within what was ordered."""
    carried: dict[str, dict[tuple[str, str], int]] = {id: {} for id in ORDERS}
    for id in ("S-1", "S-2", "S-3"):
        state = world.shipments.state(id)
        for item in state.items if state else ():
            carried[item.order_id][id, item.line_item_id] = item.quantity_shipped
    for id in ORDERS:
        state = world.ledgers.state(id)
        assert (taken(state) if state else {}) == carried[id]
        for line in ("1", "2"):
            assert sum(n for (_, of), n in carried[id].items() if of == line) <= ORDERED


@given(batches=batches, crashes=crashes, late=st.booleans())
@settings(max_examples=80, deadline=None)
async def test_dying_anywhere_and_doing_it_again_ends_the_same(
    batches: Any, crashes: Any, late: bool
) -> None:
    smooth, rough = World(), World()
    todo = [*_messages(batches)]
    todo.insert(len(todo) if late else 0, _news())
    for batch in todo:
        await smooth.take(*batch)

    for n, batch in enumerate(todo):
        for where, after in crashes[n : n + 1]:
            getattr(rough, where).fail_next(Died(), after_write=after)
        await _insist(rough, partial(rough.take, *batch))
    for step in (rough.handlers.sweep, rough.handlers.sweep, rough.relay):
        await _insist(rough, step)

    assert _outcome(rough) == _outcome(smooth)
    _check_sets(rough)


@given(batches=batches, again=st.randoms(use_true_random=False), late=st.booleans())
@settings(max_examples=80, deadline=None)
async def test_two_instances_and_redelivery_never_ship_too_much(
    batches: Any, again: Any, late: bool
) -> None:
    one = World()
    two = World(one.shipments, one.ledgers)
    todo = [*_messages(batches)]
    todo.insert(len(todo) if late else 0, _news())
    done: list[list[Message[Any]]] = []

    for batch in todo:
        world = again.choice([one, two])
        if again.random() < 0.3:
            world.ledgers.lose_next(again.sample(ORDERS, 1))
        if again.random() < 0.3:
            world.shipments.lose_next(again.sample(["S-1", "S-2"], 1))
        if again.random() < 0.3:
            world.shipments.fail_next(Died(), after_write=again.random() < 0.5)
        await _insist(world, partial(world.take, *batch))
        done.append(batch)
        other = again.choice([one, two])
        await _insist(other, partial(other.take, *again.choice(done)))
    await _insist(one, partial(one.take, *(message for batch in done for message in batch)))
    for step in (one.handlers.sweep, one.handlers.sweep):
        await _insist(one, step)

    _check_sets(one)


@given(batches=batches, rest=batches, seed=st.integers(0, 10_000))
@settings(max_examples=80, deadline=None)
async def test_instances_at_the_same_time_never_ship_too_much(
    batches: Any, rest: Any, seed: int
) -> None:
    again = Random(seed)
    deaths = iter(range(6))
    one = World()
    two = World(one.shipments, one.ledgers)
    first = _messages(batches)
    # After a rebalance the second instance may get again, in order, what the first one still does.
    second = [*_messages(rest, partition=1), *(first if again.random() < 0.5 else [])]

    async def pause() -> None:
        for _ in range(again.randrange(4)):
            await asyncio.sleep(0)
        if again.random() < 0.1 and next(deaths, None) is not None:
            raise Died

    async def run(world: World, todo: Sequence[Sequence[Message[Any]]]) -> None:
        for batch in todo:
            await _insist(world, partial(world.take, *batch))

    news = _news()
    one.shipments.pause = one.ledgers.pause = pause
    await asyncio.gather(run(one, [*first, news[:2]]), run(two, [news[2:], *second]))
    one.shipments.pause = one.ledgers.pause = None
    for step in (one.handlers.sweep, one.handlers.sweep, one.relay):
        await step()

    _check_sets(one)
    answered = {e.id for e in one.publisher.entries} | {e.id for e in two.publisher.entries}
    every = [message for batch in (*first, *second) for message in batch]
    assert answered >= {
        derived_id(f"{m.identity}|{m.body.id}", "commands.rejected", "CommandRejected", "0")
        for m in every
        if m.type is UPDATE_SHIPMENT and m.body.id not in _created(every)
    }


@given(
    commands=st.permutations(
        [(f"S-{s}", {(name, line): 2}) for s in (1, 2, 3) for name, line in
         [("O-1", "1"), ("O-2-north", "2"), ("O-2", "1")]]
    ),
    cut=st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
async def test_what_fits_ends_the_same_in_any_order(commands: Any, cut: int) -> None:
    world = World()
    await world.take(*_news(), *(create(id, {}) for id in ("S-1", "S-2", "S-3")))

    updates = [update(id, items) for id, items in commands]
    await world.take(*updates[:cut])
    await world.take(*updates[cut:])

    assert world.codes == []
    every = {(f"S-{s}", "1"): 2 for s in (1, 2, 3)}
    assert taken(world.ledgers.state("O-1")) == every
    assert taken(world.ledgers.state("O-2")) == {
        **every,
        **{(f"S-{s}", "2"): 2 for s in (1, 2, 3)},
    }


async def test_a_command_that_waited_is_settled_though_nobody_delivers_it_again() -> None:
    world = World()
    await world.take(order("O-1"), create("S-1", {("O-1", "1"): 10}))
    await world.take(update("S-1", {("O-1", "1"): 3, ("O-2", "1"): 1}))
    world.shipments.fail_next(Died(), after_write=True)
    with pytest.raises(Died):
        await world.take(order("O-2"))
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 10}

    await world.handlers.sweep()
    await world.handlers.sweep()

    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 3}
    state = world.shipments.state("S-1")
    assert (state.unsettled, state.waiting_until) == (None, None)


@pytest.mark.parametrize("after", [False, True])
async def test_what_is_taken_back_counts_until_it_is_written(after: bool) -> None:
    world = World()
    await world.take(order(), create("S-1", {("O-1", "1"): 10}))
    lowering = update("S-1", {("O-1", "1"): 3})
    world.shipments.fail_next(Died(), after_write=after)
    with pytest.raises(Died):
        await world.take(lowering)

    await world.take(create("S-2", {("O-1", "1"): 7}))
    await world.take(lowering)
    await world.take(create("S-3", {("O-1", "1"): 7}))

    assert world.codes == ["ShipmentItem.QuantityExceeded"]
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 3, ("S-3", "1"): 7}


async def test_what_a_dead_try_took_is_given_back_when_its_command_is_refused() -> None:
    world = World()
    await world.take(order("O-1"), order("O-2"))
    command = create("S-1", {("O-1", "1"): 5, ("O-2", "1"): 5})
    world.shipments.fail_next(Died(), after_write=False)
    with pytest.raises(Died):
        await world.take(command)
    assert taken(world.ledgers.state("O-1")) == {("S-1", "1"): 5}
    await world.take(order("O-2", type=CANCELED))

    await world.take(command)

    assert world.codes == ["Order.CannotShipBadStatus"]
    assert taken(world.ledgers.state("O-1")) == {}
    assert taken(world.ledgers.state("O-2")) == {}
