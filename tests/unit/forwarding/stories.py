"""Forwardings brought to where a test begins."""

from collections.abc import Iterable

from services.forwarding.domain import Context, Forwarding, fold
from shared.contracts.fulfillment import SupplierOrderEvent
from shared.contracts.orders import LineItem
from shared.contracts.registry import ORDER_SUBMITTED
from shared.messaging.message import Event
from tests.support.builders import forwarding_context, line, order_event
from tests.support.folding import Folding

Story = Folding[Forwarding, Context]

TWO_SUPPLIERS = [line("1", 2, supplier="north"), line("2", 3, supplier="south")]


def nothing_known(context: Context | None = None) -> Story:
    """Nothing was heard of order O-1 yet."""
    return Folding("O-1", fold, context or forwarding_context())


def forwarded(lines: Iterable[LineItem] = TWO_SUPPLIERS) -> Story:
    """O-1 was submitted with these lines."""
    story = nothing_known()
    story.take(ORDER_SUBMITTED, order_event(lines=lines))
    return story


def supplier_orders(events: Iterable[Event]) -> list[tuple[str, str, list[str]]]:
    """Type, ID and line IDs of each supplier order that ``events`` tell of."""
    return [
        (event.type.name, event.body.order.id, [line.id for line in event.body.line_items])
        for event in events
        if isinstance(event.body, SupplierOrderEvent)
    ]
