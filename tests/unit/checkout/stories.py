"""Orders brought to where a test begins."""

from typing import Any

from services.checkout.domain.fold import fold
from services.checkout.domain.state import Context, OrderState
from shared.contracts.orders import PlaceOrder, Pricing
from shared.contracts.registry import APPROVE_ORDER, CANCEL_ORDER, ORDER_PRICED, PLACE_ORDER
from tests.support.builders import checkout_context, line, place_order, priced, pricing
from tests.support.folding import Folding

Story = Folding[OrderState, Context]

TWO_LINES = [line("1", 2), line("2", 3, price="4.00", supplier="south")]


def new_order(context: Context | None = None) -> Story:
    """Nothing is known of order O-1 yet."""
    return Folding("O-1", fold, context or checkout_context())


def pricing_order(body: PlaceOrder | None = None, context: Context | None = None) -> Story:
    """O-1 was placed and pricing is asked."""
    story = new_order(context)
    story.take(PLACE_ORDER, body or place_order())
    return story


def open_order(found: Pricing | None = None) -> Story:
    """O-1 is open; of the two lines of :data:`TWO_LINES` where no pricing is given."""
    story = pricing_order()
    answer(story, found or pricing(TWO_LINES))
    return story


def awaiting_order(**order: Any) -> Story:
    """O-1 awaits approval."""
    story = pricing_order(place_order(**order), checkout_context(approval_above={"acme": "20"}))
    answer(story, promised=False)
    return story


def promising_order() -> Story:
    """O-1 was approved and pricing is asked to promise its stock."""
    story = awaiting_order()
    story.take(APPROVE_ORDER, {"OrderID": "O-1"})
    return story


def canceled_order() -> Story:
    story = open_order()
    story.take(CANCEL_ORDER, {"OrderID": "O-1"})
    return story


def answer(story: Story, found: Pricing | None = None, *, promised: bool = True) -> None:
    """Pricing answers the request in flight."""
    assert story.state is not None
    story.take(ORDER_PRICED, priced(story.state.request_id, found, promised=promised))
