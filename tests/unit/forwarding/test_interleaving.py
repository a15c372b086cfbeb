"""However Kafka delivers what happens to several orders, their parts end as in the plain
sequence."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.forwarding.domain import Context, Forwarding, fold
from shared.contracts.orders import OrderStatus
from shared.contracts.registry import (
    ASSIGN_SUPPLIER,
    ORDER_APPROVED,
    ORDER_CANCELED,
    ORDER_SUBMITTED,
    SHIPMENT_RECONCILED,
)
from shared.messaging.message import Message
from shared.shipped import concerned
from tests.support.builders import (
    assign_supplier,
    forwarding_context,
    line,
    order_event,
    shipment_event,
)
from tests.support.fakes import message
from tests.support.interleaving import Delivery, Replay, deliveries

ORDERS = ("O-1", "O-2", "O-3")
LINES = ("1", "2", "3")


def replay() -> Replay[Forwarding, Context]:
    return Replay(Forwarding, fold, forwarding_context(), concerned)


@st.composite
def sequences(draw: st.DrawFn) -> list[Message[Any]]:
    """What may be heard of a few orders, in the order in which it is."""
    plain: list[Message[Any]] = []
    revisions: dict[str, int] = {}
    carried: dict[str, set[str]] = {}
    suppliers = st.sampled_from([None, "north", "south"])
    for offset in range(draw(st.integers(1, 12))):
        id = draw(st.sampled_from(ORDERS))
        happening = draw(st.sampled_from(["submit", "submit", "cancel", "assign", "ship", "ship"]))
        type: Any
        body: Any
        if happening == "submit":
            type = draw(st.sampled_from([ORDER_SUBMITTED, ORDER_APPROVED]))
            body = order_event(
                id, [line(line_id, 2, supplier=draw(suppliers)) for line_id in LINES]
            )
        elif happening == "cancel":
            type, body = ORDER_CANCELED, order_event(id, status=OrderStatus.CANCELED)
        elif happening == "assign":
            supplier = draw(st.sampled_from(["north", "south", "nobody"]))
            type, body = (
                ASSIGN_SUPPLIER,
                assign_supplier(id, (draw(st.sampled_from(LINES)), supplier)),
            )
        else:
            shipment = draw(st.sampled_from(["S-1", "S-2", "S-3"]))
            items = draw(
                st.dictionaries(
                    st.tuples(st.sampled_from(ORDERS), st.sampled_from(LINES)),
                    st.integers(1, 2),
                    min_size=1,
                )
            )
            orders = {order for order, _ in items}
            revisions[shipment] = revisions.get(shipment, 0) + 1
            type, body = (
                SHIPMENT_RECONCILED,
                shipment_event(
                    shipment,
                    items,
                    revision=revisions[shipment],
                    removed=sorted(carried.get(shipment, set()) - orders),
                ),
            )
            carried[shipment] = orders
        plain.append(message(type, body, offset=offset))
    return plain


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
def test_every_supplier_order_is_told_of_once_and_completed_only_when_all_left(
    plain: list[Message[Any]],
) -> None:
    orders = asyncio.run(replay().deliver([Delivery(tuple(plain))]))

    told = [(e.type, e.key, e.body) for e in orders.publisher.entries if "Supplier" in e.type]
    assert len(set(told)) == len(told)
    for id in ORDERS:
        state = orders.store.state(id)
        if state is None:
            continue
        ids = [part.order.id for part in state.parts]
        assert len(set(ids)) == len(ids)
        assert not (state.canceled and (state.held or _open(state)))
        for part in state.parts:
            whole = all(item.quantity_shipped >= item.quantity for item in part.line_items)
            assert not (part.order.status is OrderStatus.OPEN and whole)


def _open(state: Forwarding) -> bool:
    return any(part.order.status is OrderStatus.OPEN for part in state.parts)
