"""Traces are on and none of those that begin here is recorded."""

from tests.e2e.conftest import NewID
from tests.e2e.goods import line, open_shop, order_body, place
from tests.support.collector import Collector
from tests.support.outside import OutsideSystem

_ID, _SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_with_ratio_0_nothing_is_exported_and_the_decision_travels(
    outside: OutsideSystem, own: NewID, unasked: Collector
) -> None:
    shop = await open_shop(outside, own("shop"))

    await place(outside, order_body(own("o"), shop.buyer, line("L1", shop.product)))
    await outside.event("SupplierOrderForwarded", own("o"))

    (submitted,) = outside.traces("OrderSubmitted", own("o"))
    (forwarded,) = outside.traces("SupplierOrderForwarded", own("o"))
    assert submitted == forwarded
    assert submitted is not None
    assert submitted.endswith("-00")
    assert unasked.trace_of("process PlaceOrder", ordermesh__order__id=own("o")) is None


async def test_a_trace_that_began_elsewhere_is_recorded_as_was_decided_there(
    outside: OutsideSystem, own: NewID, unasked: Collector
) -> None:
    shop = await open_shop(outside, own("shop"))
    body = order_body(own("o"), shop.buyer, line("L1", shop.product))

    await outside.command("PlaceOrder", body, trace=f"00-{_ID}-{_SPAN}-01")
    await outside.event("SupplierOrderForwarded", own("o"))

    wanted = {"process PlaceOrder", "process PriceOrder", "process OrderPriced"}
    await unasked.until(
        lambda: {span.name for span in unasked.trace(_ID)} >= wanted,
        lambda: f"only {unasked.trace(_ID)}",
    )
    placing = next(s for s in unasked.trace(_ID) if s.name == "process PlaceOrder")
    assert placing.parent == _SPAN
    # Nobody else's order: all that was exported is of this trace, or a batch of it.
    others = {span.name for span in unasked.spans() if span.trace != _ID and not span.parent}
    assert all(name.endswith(" batch") for name in others)
