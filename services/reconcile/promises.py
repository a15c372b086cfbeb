"""A buyer's order against what pricing answered and promised. Pure."""

from collections import Counter
from collections.abc import Iterator

from services.checkout.domain.state import OrderState, Phase
from services.pricing.allotments import inventory_id
from services.pricing.quotes import Quote
from services.reconcile.common import FILLED
from services.reconcile.findings import Finding, Publish, Resend
from services.reconcile.heard import Heard, Readers
from services.reconcile.kept import Kept
from shared.contracts.orders import ReleaseOrder
from shared.contracts.registry import (
    RELEASE_ORDER,
)
from shared.messaging.message import Event


def unanswered(
    order: Kept[OrderState], quote: Kept[Quote] | None, heard: Heard, readers: Readers
) -> Iterator[Finding]:
    state = order.state
    if order.outbox:
        # Its question has not left; the outbox is told of by itself.
        return
    asked, answered = heard.asked.get(order.id), heard.priced.get(order.id)
    again = (
        f"Send CancelOrder for {order.id} and place it again; nothing was promised to it."
        if state.phase is Phase.PRICING
        else f"Restore {order.id} in checkout from a backup; its approval waits for ever."
    )
    if quote is not None and quote.state.request_id == state.request_id:
        known = answered is not None and answered.id == state.request_id
        yield Finding(
            "answer-missed", order.id,
            {"checkout": f"waits for pricing ({state.phase})", "pricing": "has answered"},
            again, max(order.changed, quote.changed),
            repair=Resend("pricing", answered.place, order.seen, order.version)
            if known and answered is not None
            else None,
            under_way=known and answered is not None
            and not readers.has_read("checkout", answered),
        )  # fmt: skip
        return
    known = asked is not None and asked.id == state.request_id
    yield Finding(
        "question-missed", order.id,
        {
            "checkout": f"waits for pricing ({state.phase})",
            "pricing": "never heard of it" if quote is None else "knows an earlier question only",
        },
        again, order.changed,
        repair=Resend(
            "checkout", asked.place,
            quote.seen if quote else frozenset(), quote.version if quote else 0,
        )
        if known and asked is not None
        else None,
        under_way=known and asked is not None and not readers.has_read("pricing", asked),
    )  # fmt: skip


def promise(
    order: Kept[OrderState], quote: Kept[Quote] | None, heard: Heard, readers: Readers
) -> Iterator[Finding]:
    state = order.state
    filled = state.status in FILLED and state.phase is Phase.SETTLED
    held = quote is not None and quote.state.promised
    since = order.changed if quote is None else max(order.changed, quote.changed)
    asked = heard.asked.get(order.id)
    unread = asked is not None and not readers.has_read("pricing", asked)
    if filled and not held:
        yield Finding(
            "not-promised", order.id,
            {
                "checkout": f"{state.status}, stock promised",
                "pricing": "nothing asked" if quote is None
                else "given back" if quote.state.released else "promised nothing",
            },
            f"Nobody holds stock for {order.id}. Cancel and place it again, or lower the stock of"
            " its products with SaveInventory by what it ordered.",
            since, under_way=unread,
        )  # fmt: skip
    if not filled and held and quote is not None:
        release = Event(RELEASE_ORDER, ReleaseOrder(order_id=order.id))
        what = "refused" if state.phase is Phase.REJECTED else str(state.status)
        yield Finding(
            "stock-not-released", order.id,
            {"checkout": what, "pricing": "still holds its stock"},
            f"Run this with --repair: it sends ReleaseOrder for {order.id}.",
            since,
            repair=Publish("checkout", release, f"{order.id}|{quote.version}"),
            under_way=unread,
        )  # fmt: skip
    if filled and held and quote is not None:
        yield from _promised_units(order, quote)


def _promised_units(order: Kept[OrderState], quote: Kept[Quote]) -> Iterator[Finding]:
    ordered: Counter[str] = Counter()
    for line in order.state.line_items:
        ordered[line.product_id] += line.quantity
    grants = quote.state.held()
    for product, units in sorted(ordered.items()):
        # A product without a grant was not tracked when it was ordered.
        grant = grants.get(inventory_id(product))
        if grant is not None and sum(grant.units.values()) != units:
            yield Finding(
                "promised-quantity", order.id,
                {
                    "checkout": f"{units} of {product} ordered",
                    "pricing": f"{sum(grant.units.values())} promised",
                },
                f"Correct the stock of {product} with SaveInventory once you know which is right;"
                " the order itself keeps what it says.",
                max(order.changed, quote.changed), product,
            )  # fmt: skip
