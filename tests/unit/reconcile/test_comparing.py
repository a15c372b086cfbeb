"""Who disagrees about an order, by what each side keeps and what was said."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.reconcile.findings import Publish, Resend
from tests.unit.reconcile.world import World, at, line, world

Change = Callable[[World], None]


@pytest.mark.parametrize("shipped", [0, 2, 3])
def test_where_all_agree_nothing_is_found(shipped: int) -> None:
    assert world(shipped).findings() == {}


def put(path: str, value: object) -> Change:
    """Sets what ``path`` (document, then keys and indexes) names; None removes it."""
    document, *keys = path.split("/")

    def change(world: World) -> None:
        if not keys:
            setattr(world, document, value)
            return
        inner = getattr(world, document)
        for key in keys[:-1]:
            inner = inner[int(key) if isinstance(inner, list) else key]
        if value is None:
            del inner[keys[-1]]
        else:
            inner[int(keys[-1]) if isinstance(inner, list) else keys[-1]] = value

    return change


SHARE = {"S-1": {"Revision": 1, "Left": True, "Items": {"L1": 1}}}


@pytest.mark.parametrize(
    ("shipped", "change", "expected"),
    [
        (0, put("forwarding", None), {"not-forwarded"}),
        (0, put("forwarding", {"Canceled": True}), {"forwarding-canceled"}),
        (0, put("ledger", None), {"ledger-missing", "ledger-part-missing"}),
        (0, put("ledger/Lines/L1", 5), {"ledger-lines"}),
        (0, put("ledger/Canceled", True), {"ledger-canceled"}),
        (0, put("ledger/Parts", []), {"ledger-part-missing"}),
        (0, put("quote", None), {"not-promised"}),
        (0, put("quote/Promised", False), {"not-promised"}),
        (0, put("quote/Grants/0/Units", {"berlin": 1}), {"promised-quantity"}),
        (0, put("order/Order/Comments", "by hand"), {"order-not-told"}),
        (
            0,
            put("order/Order/Status", "Completed"),
            {"order-completed-early", "order-not-told"},
        ),
        (
            3,
            put("order/Order/Status", "Open"),
            {"order-not-completed", "order-not-told"},
        ),
        (
            0,
            put("order/LineItems/0", line("L1", 2, 1)),
            {"order-quantities", "order-not-told"},
        ),
        (0, put("forwarding/Parts/0/LineItems", [line("L1", 2)]), {"lines-not-covered"}),
        (
            0,
            put("forwarding/Parts/0/LineItems/0", {**line("L1", 2), "QuantityShipped": 1}),
            {"supplier-order-quantities"},
        ),
        (
            0,
            put("forwarding/Parts/0/Order/Status", "Completed"),
            {"supplier-order-status", "supplier-order-not-told"},
        ),
        (
            0,
            put("forwarding/Parts/0/Order/ToCompanyID", "south"),
            {"line-at-other-supplier", "supplier-order-not-told"},
        ),
        (2, put("order/Shares", SHARE), {"shipment-missed-by-checkout", "order-quantities"}),
        (
            2,
            put("forwarding/Shares", SHARE),
            {"shipment-missed-by-forwarding", "supplier-order-quantities"},
        ),
        (2, put("ledger/Entries", []), {"ledger-entries"}),
        (2, put("ledger/Entries/0/Quantity", 3), {"ledger-entries", "over-shipped"}),
        (
            2,
            put("shipment", None),
            {"shipment-missed-by-checkout", "shipment-missed-by-forwarding", "ledger-entries"},
        ),
        (
            2,
            put("shipment/Items/0/QuantityShipped", 1),
            {
                "shipment-not-told",
                "shipment-missed-by-checkout",
                "shipment-missed-by-forwarding",
                "ledger-entries",
            },
        ),
        (
            0,
            put("order/Phase", "Rejected"),
            {"stock-not-released", "forwarded-unasked"},
        ),
    ],
)
def test_each_kind_of_disagreement_is_found_alone(
    shipped: int, change: Change, expected: set[str]
) -> None:
    changed = world(shipped)
    change(changed)

    found = changed.findings()

    assert set(found) == expected
    for finding in found.values():
        assert finding.order_id == "O-1"
        assert finding.since == at(10)
        assert len(finding.says) == 2
        assert finding.next
        assert not finding.under_way


def canceled() -> World:
    made = world()
    made.order["Order"]["Status"] = made.forwarding["Parts"][0]["Order"]["Status"] = "Canceled"
    made.forwarding["Canceled"] = made.ledger["Canceled"] = True
    made.order["Promised"] = made.quote["Promised"] = False
    return made.said()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (put("order/Order/Currency", "USD"), set()),
        (put("quote/Promised", True), {"stock-not-released"}),
        (put("forwarding/Canceled", False), {"forwarding-not-canceled"}),
        (put("forwarding", None), {"forwarding-not-canceled"}),
        (put("ledger/Canceled", False), {"ledger-not-canceled"}),
        (put("ledger", None), {"ledger-missing"}),
    ],
)
def test_a_cancellation_has_to_arrive_everywhere(change: Change, expected: set[str]) -> None:
    changed = canceled()
    change(changed)

    found = changed.findings()

    assert set(found) == expected
    assert all(finding.repair is not None for finding in found.values())


def test_an_order_that_checkout_lost_is_told_with_all_that_others_know() -> None:
    lost = replace(world().whole(), order=None)
    changed = world()
    changed.whole = lambda: lost  # type: ignore[method-assign]

    [finding] = changed.findings().values()

    assert finding.kind == "order-unknown"
    assert set(finding.says) == {"checkout", "forwarding", "shipments", "pricing"}


def waiting(request_id: str = "r-1") -> World:
    made = world()
    made.order |= {"Phase": "Pricing", "RequestID": request_id}
    made.order["Order"]["Status"] = "Unsubmitted"
    made.forwarding = made.ledger = None
    place = made.heard.orders["O-1"]
    made.heard.priced["O-1"] = replace(place, id="r-1")
    made.heard.asked["O-1"] = replace(place, id=request_id)
    made.heard.orders.clear()
    return made


@pytest.mark.parametrize(
    ("request_id", "kind"), [("r-1", "answer-missed"), ("r-2", "question-missed")]
)
def test_a_question_to_pricing_needs_its_answer(request_id: str, kind: str) -> None:
    [finding] = waiting(request_id).findings().values()

    assert finding.kind == kind
    assert isinstance(finding.repair, Resend)


def test_what_its_reader_has_not_read_yet_is_under_way() -> None:
    changed = world()
    changed.forwarding = None
    changed.read_to = 5

    [finding] = changed.findings().values()

    assert finding.under_way


def test_a_missed_event_is_sent_again_from_its_topic() -> None:
    changed = world()
    changed.forwarding = None

    [finding] = changed.findings().values()

    assert isinstance(finding.repair, Resend)
    assert str(finding.repair.place) == "orders.events/0/5"


def test_a_missed_event_that_no_topic_has_is_made_of_the_state() -> None:
    changed = world()
    changed.forwarding = None
    changed.heard.submitted.clear()

    [finding] = changed.findings().values()

    assert isinstance(finding.repair, Publish)
    assert finding.repair.event.type.name == "OrderSubmitted"


def test_an_older_state_is_never_published_over_a_later_event() -> None:
    changed = world()
    said = changed.heard.orders["O-1"]
    changed.heard.orders["O-1"] = replace(said, digest="other", counts=said.counts + 1)

    [finding] = changed.findings().values()

    assert (finding.kind, finding.repair) == ("order-not-told", None)
    assert "backup" in finding.next


def test_a_state_that_was_never_told_is_published() -> None:
    changed = world(3)
    changed.heard.orders.clear()

    [finding] = changed.findings().values()

    assert isinstance(finding.repair, Publish)
    assert finding.repair.event.type.name == "OrderCompleted"
    assert finding.says["orders.events"] == "never told"


def test_what_the_topics_have_forgotten_is_not_missed() -> None:
    changed = world(3)
    for of in (changed.heard.orders, changed.heard.parts, changed.heard.reconciled):
        of.clear()
    for topic in ("orders.events", "supplier-orders.events", "shipments.events"):
        changed.heard._raise_horizon(topic, at(11))

    assert changed.findings() == {}


def test_a_shipment_that_nobody_was_told_of_is_published_once_for_all() -> None:
    changed = world(2)
    changed.order["Shares"] = changed.forwarding["Shares"] = {}
    for lines in (changed.order["LineItems"], changed.forwarding["Parts"][0]["LineItems"]):
        lines[0] = line("L1", 2)
    changed.said()
    changed.heard.reconciled.clear()

    found = changed.findings()

    causes = {
        finding.repair.cause for finding in found.values() if isinstance(finding.repair, Publish)
    }
    assert set(found) == {
        "shipment-not-told", "shipment-missed-by-checkout", "shipment-missed-by-forwarding",
    }  # fmt: skip
    assert causes == {"S-1|1|topic"}


def test_a_revision_that_was_taken_in_cannot_be_repaired_by_telling_it_again() -> None:
    changed = world(2)
    changed.forwarding["Shares"]["S-1"] = {"Revision": 1, "Left": False, "Items": {"L1": 2}}

    [finding] = changed.findings().values()

    assert (finding.kind, finding.repair) == ("shipment-missed-by-forwarding", None)
    assert "UpdateShipment" in finding.next
