"""An order's whole life in any order of events, against what must always hold."""

from collections import Counter, deque
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from services.checkout.domain.fold import fold
from services.checkout.domain.state import Phase
from shared.contracts.fulfillment import ShipmentEvent
from shared.contracts.orders import OrderEvent, OrderPriced, OrderStatus, PriceOrder
from shared.contracts.registry import (
    APPROVE_ORDER,
    CANCEL_ORDER,
    DECLINE_ORDER,
    ORDER_PRICED,
    PLACE_ORDER,
    SHIPMENT_RECONCILED,
    MessageType,
)
from shared.messaging.message import Event
from shared.messaging.outbox import caused_by, event_id
from shared.shipped import departed, quantities
from tests.support.builders import (
    checkout_context,
    draft,
    error,
    line,
    place_order,
    pricing,
    shipment_event,
)
from tests.support.fakes import START, message
from tests.support.folding import Folding

seldom = st.integers(0, 5).map(lambda number: number == 5)

ONCE = ("OrderSubmitted", "OrderApproved", "OrderDeclined", "OrderCanceled", "OrderCompleted")


class OneOrder(RuleBasedStateMachine):
    """Order O-1 with a pricing service and a shipments service that keep their own rules:
    pricing answers every request in turn, and nothing ships before the order is open, nor more
    than was ordered."""

    reconciled = Bundle("reconciled")
    context = checkout_context(approval_above={"acme": "25"})

    def __init__(self) -> None:
        super().__init__()
        self.order = Folding("O-1", fold, self.context)
        self.requests: deque[tuple[str, Event]] = deque()
        self.answers: deque[OrderPriced] = deque()
        self.held = False
        self.opened = False
        self.shipments: dict[str, ShipmentEvent] = {}

    def take(self, type: Any, body: Any) -> None:
        taken = message(type, body, key="O-1")
        events = self.order.take(type, body, id=taken.id)
        for index, event in enumerate(events):
            if event.type.topic == "pricing.requests":
                id = event_id(caused_by(taken, "O-1"), event.type, index)
                self.requests.append((id, event))
            if event.type.name in ("OrderSubmitted", "OrderApproved"):
                self.opened = True

    # --- commands ---

    @precondition(lambda self: self.order.state is None or self.order.state.phase is Phase.REJECTED)
    @rule(quantities=st.lists(st.integers(1, 3), max_size=3), wrong=seldom)
    def place(self, quantities: list[int], wrong: bool) -> None:
        body = place_order(
            lines=[draft(quantity=quantity) for quantity in quantities],
            from_company_id="nobody" if wrong else "acme",
        )
        self.take(PLACE_ORDER, body)

    @precondition(lambda self: self.order.state is not None)
    @rule(
        command=st.sampled_from([APPROVE_ORDER, APPROVE_ORDER, DECLINE_ORDER, PLACE_ORDER]),
        canceled=seldom,
    )
    def command(self, command: MessageType[Any], canceled: bool) -> None:
        if canceled:
            self.take(CANCEL_ORDER, {"OrderID": "O-1"})
        else:
            self.take(command, place_order() if command is PLACE_ORDER else {"OrderID": "O-1"})

    # --- pricing ---

    @precondition(lambda self: self.requests)
    @rule(short=seldom, price=st.integers(100, 999))
    def price(self, short: bool, price: int) -> None:
        id, event = self.requests.popleft()
        question = event.body
        if not isinstance(question, PriceOrder):
            self.held = False
            return
        found = question.priced or pricing(
            line(item.id or "", item.quantity, price=str(Decimal(price) / 100))
            for item in question.line_items
        )
        above = question.approval_above
        errors = [error()] if short else []
        promised = not errors and not question.hold and (above is None or found.total <= above)
        self.held = self.held or promised
        self.answers.append(
            OrderPriced(
                order_id="O-1", request_id=id, pricing=found, promised=promised, errors=errors
            )
        )

    @precondition(lambda self: self.answers)
    @rule()
    def answer(self) -> None:
        self.take(ORDER_PRICED, self.answers.popleft())

    # --- shipments ---

    @precondition(lambda self: self.opened)
    @rule(
        target=reconciled,
        id=st.sampled_from(["S-1", "S-2", "S-3"]),
        wanted=st.lists(st.integers(0, 3), min_size=3, max_size=3) | st.just([3, 3, 3]),
        leaves=st.booleans(),
    )
    def ship(self, id: str, wanted: list[int], leaves: bool) -> ShipmentEvent:
        assert self.order.state is not None
        elsewhere = Counter[str]()
        for other, event in self.shipments.items():
            if other != id:
                elsewhere.update({i.line_item_id: i.quantity_shipped for i in event.items})
        items = {}
        for ordered, units in zip(self.order.state.line_items, wanted, strict=False):
            units = min(units, ordered.quantity - elsewhere[ordered.id])
            if units:
                items["O-1", ordered.id] = units
        before = self.shipments.get(id)
        left = leaves or (before is not None and before.shipment.date_shipped is not None)
        self.shipments[id] = shipment_event(
            id,
            items,
            revision=before.shipment.revision + 1 if before else 1,
            shipped=START if left else None,
            removed=[] if items else ["O-1"],
        )
        return self.shipments[id]

    @rule(event=reconciled)
    def reconcile(self, event: ShipmentEvent) -> None:
        self.take(SHIPMENT_RECONCILED, event)

    # --- what must always hold ---

    @invariant()
    def totals_are_consistent(self) -> None:
        for event in self.order.events:
            if isinstance(event.body, OrderEvent):
                told = event.body.order
                charges = told.subtotal + told.tax_cost + told.shipping_cost
                assert told.total == charges - told.promotion_discount
                if told.is_submitted:
                    assert told.subtotal == sum(i.line_subtotal for i in event.body.line_items)

    @invariant()
    def quantities_are_the_sums_of_the_shares_and_never_more_than_ordered(self) -> None:
        state = self.order.state
        if state is None:
            return
        shipped = quantities(state.shares)
        assert {i.id: i.quantity_shipped for i in state.line_items} == {
            i.id: shipped.get(i.id, 0) for i in state.line_items
        }
        if all(state.shares[id].revision == e.shipment.revision for id, e in self.shipments.items()
               if id in state.shares):  # fmt: skip
            assert all(item.quantity_shipped <= item.quantity for item in state.line_items)

    @invariant()
    def an_open_order_completes_as_soon_as_all_has_left(self) -> None:
        state = self.order.state
        if state is None or not state.line_items:
            return
        left = departed(state.shares)
        everything = all(left.get(item.id, 0) >= item.quantity for item in state.line_items)
        if state.status is OrderStatus.OPEN:
            assert not everything
        for event in self.order.events:
            if event.type.name == "OrderCompleted":
                items = event.body.line_items  # type: ignore[attr-defined]
                assert all(i.quantity_shipped >= i.quantity for i in items)

    @invariant()
    def nothing_happens_twice(self) -> None:
        told = Counter(event.type.name for event in self.order.events)
        assert all(told[name] <= 1 for name in ONCE)
        assert told["OrderSubmitted"] + told["OrderApproved"] <= 1
        assert told["OrderCanceled"] + told["OrderCompleted"] <= 1

    @invariant()
    def the_status_is_what_was_told_last(self) -> None:
        told = [e.body.order for e in self.order.events if isinstance(e.body, OrderEvent)]
        state = self.order.state
        if told:
            assert state is not None
            assert state.status is told[-1].status
            assert state.order.is_submitted == (state.order.date_submitted is not None)

    @invariant()
    def a_promise_is_never_kept_without_an_order_for_it(self) -> None:
        state = self.order.state
        if state is not None and state.promised:
            assert self.held
            assert state.status in (OrderStatus.OPEN, OrderStatus.COMPLETED)

    def teardown(self) -> None:
        """When everything was heard, the order waits for nothing but a named actor, and stock is
        held for it only if it needs it."""
        while self.requests or self.answers:
            if self.answers:
                self.answer()
            else:
                self.price(short=False, price=100)
        for event in self.shipments.values():
            self.take(SHIPMENT_RECONCILED, event)
        state = self.order.state
        if state is None:
            assert not self.held
            return
        assert state.phase in (Phase.SETTLED, Phase.REJECTED)
        assert self.held == state.promised
        latest = Counter[str]()
        for event in self.shipments.values():
            latest.update({i.line_item_id: i.quantity_shipped for i in event.items})
        assert +Counter(quantities(state.shares)) == +latest


class OneOrderByExpression(OneOrder):
    """The same for a buyer with rules of which pricing knows nothing: limits and expressions."""

    context = checkout_context(
        approval_above={"acme": "35"},
        approval_expressions={"acme": ["items.quantity() > 4", "items.total() / 5 = 3"]},
    )


for machine in (OneOrder, OneOrderByExpression):
    machine.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestOneOrder = OneOrder.TestCase
TestOneOrderByExpression = OneOrderByExpression.TestCase
