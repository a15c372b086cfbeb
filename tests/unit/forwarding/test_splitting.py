"""Splitting an order over its suppliers, and the IDs of the parts."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.forwarding.domain import split, supplier_order_id
from shared.contracts.base import Address
from shared.contracts.fulfillment import LineItemsHeld, SupplierOrderEvent
from shared.contracts.orders import OrderStatus
from shared.contracts.registry import ORDER_APPROVED, ORDER_SUBMITTED
from tests.support.builders import MARKETPLACE, forwarding_context, line, order_event
from tests.support.fakes import START
from tests.support.folding import names
from tests.unit.forwarding.stories import forwarded, nothing_known, supplier_orders

LATER = START + timedelta(seconds=1)


def test_each_supplier_gets_one_order_of_its_lines() -> None:
    order = nothing_known()
    lines = [
        line("1", supplier="north"), line("2", supplier="south"), line("3", supplier="north"),
    ]  # fmt: skip

    events = order.take(ORDER_SUBMITTED, order_event(lines=lines))

    assert supplier_orders(events) == [
        ("SupplierOrderForwarded", "O-1-north", ["1", "3"]),
        ("SupplierOrderForwarded", "O-1-south", ["2"]),
    ]
    assert len(events) == 2


def test_a_supplier_order_says_what_its_supplier_has_to_know() -> None:
    order = nothing_known(forwarding_context(now=LATER))
    address = Address(city="Kiel", country="DE")
    lines = [line("1", 2, price="10.00"), line("2", 3, price="4.50", line_total=Decimal("12.00"))]

    [event] = order.take(
        ORDER_SUBMITTED,
        order_event(lines=lines, currency="EUR", shipping_address=address, xp={"ref": 7}),
    )

    assert isinstance(event.body, SupplierOrderEvent)
    assert (event.body.buyer_order_id, event.body.line_items) == ("O-1", lines)
    told = event.body.order
    assert (told.from_company_id, told.to_company_id) == (MARKETPLACE, "north")
    assert (told.buyer_order_id, told.status) == ("O-1", OrderStatus.OPEN)
    assert (told.currency, told.line_item_count) == ("EUR", 2)
    assert (told.subtotal, told.total) == (Decimal("33.50"), Decimal("32.00"))
    assert (told.shipping_address, told.xp) == (address, {"ref": 7})
    assert (told.date_created, told.date_submitted, told.last_updated) == (LATER, LATER, LATER)


def test_the_seller_itself_may_be_the_supplier() -> None:
    order = nothing_known()

    events = order.take(ORDER_SUBMITTED, order_event(lines=[line(supplier=MARKETPLACE)]))

    assert supplier_orders(events) == [("SupplierOrderForwarded", "O-1-marketplace", ["1"])]


def test_an_approved_order_is_forwarded() -> None:
    order = nothing_known()

    events = order.take(ORDER_APPROVED, order_event())

    assert names(events) == ["SupplierOrderForwarded"]


def test_what_is_not_open_is_not_forwarded() -> None:
    order = nothing_known()

    events = order.take(ORDER_SUBMITTED, order_event(status=OrderStatus.AWAITING_APPROVAL))

    assert events == []
    assert order.state is None


def test_forwarding_twice_forwards_once() -> None:
    order = forwarded()
    before = order.state

    events = order.take(ORDER_SUBMITTED, order_event(lines=[line("9")]))
    events += order.take(ORDER_APPROVED, order_event())

    assert events == []
    assert order.state is before


def test_lines_without_a_supplier_are_held() -> None:
    order = nothing_known()
    lines = [line("1", supplier=None), line("2", supplier="north"), line("3", supplier=None)]

    forwarded, held = order.take(ORDER_SUBMITTED, order_event(lines=lines))

    assert supplier_orders([forwarded]) == [("SupplierOrderForwarded", "O-1-north", ["2"])]
    assert isinstance(held.body, LineItemsHeld)
    assert (held.body.buyer_order_id, held.body.line_items) == ("O-1", [lines[0], lines[2]])
    assert "AssignSupplier" in held.body.reason
    assert order.state is not None
    assert order.state.held == [lines[0], lines[2]]


def test_an_order_nobody_can_fill_is_held_as_a_whole() -> None:
    order = nothing_known()

    events = order.take(ORDER_SUBMITTED, order_event(lines=[line(supplier=None)]))

    assert names(events) == ["LineItemsHeld"]


def test_an_id_that_another_order_has_gets_a_hash() -> None:
    order = nothing_known(forwarding_context(ambiguous=["O-1"]))

    events = order.take(ORDER_SUBMITTED, order_event())

    [(_, id, _)] = supplier_orders(events)
    assert id.startswith("O-1-north-")
    assert id == supplier_order_id("O-1", "north", (), ambiguous=True)
    # a-b of c and a of b-c spell the same plain ID.
    assert supplier_order_id("a-b", "c", ()) == supplier_order_id("a", "b-c", ())
    assert supplier_order_id("a-b", "c", (), ambiguous=True) != supplier_order_id(
        "a", "b-c", (), ambiguous=True
    )


def test_a_taken_id_gets_the_next_free_number() -> None:
    assert supplier_order_id("O-1", "north", ["O-1-north"]) == "O-1-north-2"
    assert supplier_order_id("O-1", "north", ["O-1-north", "O-1-north-2"]) == "O-1-north-3"


def test_parts_of_one_split_never_share_an_id() -> None:
    lines = [line("1", supplier="north"), line("2", supplier="north-2")]

    parts = split(order_event().order, lines, ["O-1-north"], forwarding_context())

    assert [part.order.id for part in parts] == ["O-1-north-2", "O-1-north-2-2"]


def test_an_id_stays_plain_up_to_a_hundred_characters() -> None:
    order = "O" * 60

    assert supplier_order_id(order, "S" * 39, ()) == f"{order}-{'S' * 39}"
    assert supplier_order_id(order, "S" * 40, ()) != f"{order}-{'S' * 40}"


ids = st.text("ab-_9", min_size=1, max_size=100)


@given(ids, ids, st.booleans(), st.integers(0, 12))
def test_supplier_order_ids_are_ids_and_never_taken(
    order: str, supplier: str, ambiguous: bool, earlier: int
) -> None:
    taken: list[str] = []

    for _ in range(earlier + 1):
        taken.append(supplier_order_id(order, supplier, taken, ambiguous=ambiguous))

    assert len(set(taken)) == earlier + 1
    assert all(0 < len(id) <= 100 for id in taken)


lines = st.lists(
    st.builds(
        line,
        st.integers(1, 40).map(str),
        st.integers(1, 9),
        price=st.integers(0, 9999).map(lambda cents: str(Decimal(cents) / 100)),
        supplier=st.sampled_from([None, "north", "north-2", "south", MARKETPLACE]),
    ),
    min_size=1,
    unique_by=lambda line: line.id,
)


@given(lines)
def test_the_parts_and_what_is_held_are_the_order_again(ordered: list[object]) -> None:
    event = order_event(lines=ordered)  # type: ignore[arg-type]

    state = forwarded(event.line_items).state

    assert state is not None
    joined = [*(item for part in state.parts for item in part.line_items), *state.held]
    assert sorted(joined, key=lambda item: int(item.id)) == sorted(
        event.line_items, key=lambda item: int(item.id)
    )
    held = sum((item.line_subtotal for item in state.held), Decimal(0))
    assert sum((p.order.subtotal for p in state.parts), held) == event.order.subtotal
    suppliers = Counter(part.order.to_company_id for part in state.parts)
    assert set(suppliers) == {item.supplier_id for item in event.line_items} - {None}
    assert set(suppliers.values()) <= {1}
    assert all(
        item.supplier_id == part.order.to_company_id
        for part in state.parts
        for item in part.line_items
    )
