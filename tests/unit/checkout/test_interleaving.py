"""However Kafka delivers what happens to several orders, they end as in the plain sequence."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.checkout.consumers import concerned
from services.checkout.domain.fold import DECISIONS, fold
from services.checkout.domain.state import Context, OrderState
from shared.contracts.registry import (
    APPROVE_ORDER,
    CANCEL_ORDER,
    DECLINE_ORDER,
    ORDER_PRICED,
    PLACE_ORDER,
    PRICE_ORDER,
    SHIPMENT_RECONCILED,
)
from shared.messaging.message import Message
from shared.messaging.outbox import caused_by, event_id
from shared.messaging.processor import AggregateProcessor
from shared.metrics import Metrics
from tests.support.builders import (
    checkout_context,
    error,
    line,
    place_order,
    priced,
    pricing,
    shipment_event,
)
from tests.support.fakes import FakeClock, FakePublisher, FakeStore, message
from tests.support.interleaving import Delivery, deliveries

ORDERS = ("O-1", "O-2", "O-3")
CONTEXT = checkout_context(approval_above={"acme": "30"})


class Replay:
    """Checkout's processor over fakes."""

    def __init__(self) -> None:
        self.store: FakeStore[OrderState] = FakeStore(OrderState)
        self.publisher = FakePublisher()

        async def prepare(messages: Sequence[Message[Any]], aggregates: Any) -> Context:
            return CONTEXT

        self._processor = AggregateProcessor(
            service="checkout",
            types=list(DECISIONS),
            store=self.store,
            fold=fold,
            prepare=prepare,
            publisher=self.publisher,
            clock=FakeClock(),
            metrics=Metrics(),
            keys=concerned,
        )

    async def deliver(self, batches: Iterable[Delivery]) -> "Replay":
        for batch in batches:
            if batch.fault is not None:
                await self._interrupted(batch.messages, batch.fault)
            await self._processor.process(batch.messages)
        return self

    async def _interrupted(self, messages: Sequence[Message[Any]], fault: str) -> None:
        """A try that fails where ``fault`` says; the process that failed is gone."""
        when, what = fault.split()
        target = self.store if what == "write" else self.publisher
        target.fail_next(ConnectionError(fault), after_write=when == "after")
        try:
            await self._processor.process(messages)
        except ConnectionError:
            self.publisher.forget()

    def told(self) -> dict[str, list[tuple[str, str]]]:
        """By order, the distinct events that were published: ID and body, in their first order."""
        found: dict[str, dict[str, str]] = {}
        for entry in self.publisher.entries:
            found.setdefault(entry.key, {}).setdefault(entry.id, entry.body)
        return {key: list(entries.items()) for key, entries in found.items()}


@st.composite
def sequences(draw: st.DrawFn) -> list[Message[Any]]:
    """What may happen to a few orders, in the order in which it does."""
    plain: list[Message[Any]] = []
    requests: dict[str, str] = {}
    revisions: dict[str, int] = {}
    carried: dict[str, set[str]] = {}
    for _ in range(draw(st.integers(1, 14))):
        id = draw(st.sampled_from(ORDERS))
        happening = draw(st.sampled_from(["place", "price", "approve", "end", "ship", "ship"]))
        if happening == "place":
            plain.append(message(PLACE_ORDER, place_order(id)))
        elif happening == "approve":
            plain.append(message(APPROVE_ORDER, {"OrderID": id}))
        elif happening == "end":
            type = draw(st.sampled_from([CANCEL_ORDER, DECLINE_ORDER]))
            plain.append(message(type, {"OrderID": id}))
        elif happening == "price":
            found = pricing([line("1", 2, price=draw(st.sampled_from(["10.00", "20.00"])))])
            answer = priced(
                requests.get(id, "none"),
                found,
                order_id=id,
                promised=draw(st.booleans()),
                errors=[error()] if draw(st.booleans()) else [],
            )
            plain.append(message(ORDER_PRICED, answer))
        else:
            shipment = draw(st.sampled_from(["S-1", "S-2"]))
            orders = draw(st.sets(st.sampled_from(ORDERS), min_size=1))
            revisions[shipment] = revisions.get(shipment, 0) + 1
            event = shipment_event(
                shipment,
                {(order, "1"): draw(st.integers(1, 2)) for order in sorted(orders)},
                revision=revisions[shipment],
                removed=sorted(carried.get(shipment, set()) - orders),
            )
            carried[shipment] = orders
            plain.append(message(SHIPMENT_RECONCILED, event))
        if happening in ("place", "approve"):
            requests[id] = event_id(caused_by(plain[-1], id), PRICE_ORDER, 0)
    return plain


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_delivery_ends_as_the_plain_sequence(data: st.DataObject) -> None:
    plain = data.draw(sequences())
    other_way = data.draw(deliveries(plain, concerned))
    expected = asyncio.run(Replay().deliver(Delivery((one,)) for one in plain))

    actual = asyncio.run(Replay().deliver(other_way))

    assert {id: actual.store.state(id) for id in ORDERS} == {
        id: expected.store.state(id) for id in ORDERS
    }
    assert actual.told() == expected.told()


@settings(max_examples=30, deadline=None)
@given(sequences())
def test_replaying_everything_leaves_every_document_as_it_was(plain: list[Message[Any]]) -> None:
    replay = Replay()
    asyncio.run(replay.deliver([Delivery(tuple(plain))]))
    before = replay.store.documents()

    asyncio.run(replay.deliver([Delivery(tuple(plain))]))

    assert replay.store.documents() == before


def test_the_published_request_has_the_id_that_its_answer_names() -> None:
    replay = Replay()

    asyncio.run(replay.deliver([Delivery((message(PLACE_ORDER, place_order()),))]))

    [entry] = replay.publisher.entries
    state = replay.store.state("O-1")
    assert state is not None
    assert state.request_id == entry.id
