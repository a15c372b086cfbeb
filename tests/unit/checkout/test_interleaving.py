"""However Kafka delivers what happens to several orders, they end as in the plain sequence."""

import asyncio
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.checkout.domain.fold import fold
from services.checkout.domain.state import Context, OrderState
from shared.contracts.orders import OrderStatus
from shared.contracts.registry import (
    APPROVE_ORDER,
    CANCEL_ORDER,
    DECLINE_ORDER,
    ORDER_PRICED,
    PLACE_ORDER,
    PRICE_ORDER,
    SHIPMENT_RECONCILED,
    MessageType,
)
from shared.messaging.message import Message
from shared.messaging.outbox import caused_by, event_id
from shared.shipped import concerned
from tests.support.builders import (
    checkout_context,
    error,
    line,
    place_order,
    priced,
    pricing,
    shipment_event,
)
from tests.support.fakes import message
from tests.support.interleaving import Delivery, Replay, deliveries

ORDERS = ("O-1", "O-2", "O-3")
CONTEXT = checkout_context(approval_above={"acme": "30"})


def replay() -> Replay[OrderState, Context]:
    return Replay(OrderState, fold, CONTEXT, concerned)


class Plain:
    """A plain sequence in the making: pricing answers what it was asked and nothing else, and
    nothing ships of an order that is not open."""

    def __init__(self) -> None:
        self.messages: list[Message[Any]] = []
        self.states: dict[str, OrderState | None] = dict.fromkeys(ORDERS)
        self.requests: list[tuple[str, str]] = []
        self._shipments: dict[str, tuple[int, set[str]]] = {}

    def add(self, type: MessageType[Any], body: Any) -> None:
        taken = message(type, body, offset=len(self.messages))
        self.messages.append(taken)
        for id in concerned(taken):
            decision = fold(self.states[id], replace(taken, key=id), CONTEXT)
            self.states[id] = decision.state
            for index, event in enumerate(decision.events):
                if event.type is PRICE_ORDER:
                    self.requests.append((id, event_id(caused_by(taken, id), PRICE_ORDER, index)))

    def ship(self, id: str, units: dict[str, int]) -> None:
        revision, before = self._shipments.get(id, (0, set()))
        self._shipments[id] = (revision + 1, set(units))
        self.add(
            SHIPMENT_RECONCILED,
            shipment_event(
                id,
                {(order, "1"): quantity for order, quantity in units.items()},
                revision=revision + 1,
                removed=sorted(before - units.keys()),
            ),
        )

    @property
    def open(self) -> list[str]:
        return [id for id, s in self.states.items() if s and s.status is OrderStatus.OPEN]


@st.composite
def sequences(draw: st.DrawFn) -> list[Message[Any]]:
    """What may happen to a few orders, in the order in which it does."""
    plain = Plain()
    happenings = ["place", "price", "price", "ship", "ship", "approve", "end"]
    for _ in range(draw(st.integers(4, 20))):
        happening = draw(st.sampled_from(happenings))
        # What cannot happen yet is prepared instead.
        if happening == "ship" and not plain.open:
            happening = "price"
        if happening == "price" and not plain.requests:
            happening = "place"
        id = draw(st.sampled_from(ORDERS))
        if happening == "place":
            plain.add(PLACE_ORDER, place_order(id))
        elif happening == "approve":
            plain.add(APPROVE_ORDER, {"OrderID": id})
        elif happening == "end":
            plain.add(draw(st.sampled_from([CANCEL_ORDER, DECLINE_ORDER])), {"OrderID": id})
        elif happening == "price":
            order, request = plain.requests.pop(0)
            price = draw(st.sampled_from(["10.00", "20.00"]))
            answer = priced(
                request,
                pricing([line("1", 2, price=price)]),
                order_id=order,
                promised=draw(st.integers(0, 3)) < 3,
                errors=[error()] if draw(st.integers(0, 3)) == 3 else [],
            )
            plain.add(ORDER_PRICED, answer)
        else:
            orders = draw(st.sets(st.sampled_from(plain.open), min_size=1))
            units = {order: draw(st.sampled_from([2, 1])) for order in sorted(orders)}
            plain.ship(draw(st.sampled_from(["S-1", "S-2"])), units)
    return plain.messages


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_delivery_ends_as_the_plain_sequence(data: st.DataObject) -> None:
    plain = data.draw(sequences())
    other_way = data.draw(deliveries(plain, concerned))
    expected = asyncio.run(replay().deliver(Delivery((one,)) for one in plain))

    actual = asyncio.run(replay().deliver(other_way))

    assert {id: actual.store.state(id) for id in ORDERS} == {
        id: expected.store.state(id) for id in ORDERS
    }
    assert actual.told() == expected.told()


@settings(max_examples=60, deadline=None)
@given(sequences())
def test_replaying_everything_leaves_every_document_as_it_was(plain: list[Message[Any]]) -> None:
    orders = replay()
    asyncio.run(orders.deliver([Delivery(tuple(plain))]))
    before = orders.store.documents()

    asyncio.run(orders.deliver([Delivery(tuple(plain))]))

    assert orders.store.documents() == before


def test_the_published_request_has_the_id_that_its_answer_names() -> None:
    orders = replay()

    asyncio.run(orders.deliver([Delivery((message(PLACE_ORDER, place_order()),))]))

    [entry] = orders.publisher.entries
    state = orders.store.state("O-1")
    assert state is not None
    assert state.request_id == entry.id
