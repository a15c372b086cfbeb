"""Shares of an order: sums over sets."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.shipped import Share, Shares, departed, order_ids, quantities, with_shipment
from tests.support.builders import shipment_event


def test_counts_only_the_items_of_the_order() -> None:
    event = shipment_event("S-1", {("O-1", "1"): 2, ("O-1", "2"): 1, ("O-2", "1"): 7})

    shares = with_shipment({}, event, "O-1")

    assert shares == {"S-1": Share(revision=1, left=True, items={"1": 2, "2": 1})}


def test_sums_over_shipments_and_tells_what_has_left() -> None:
    packed = shipment_event("S-1", {("O-1", "1"): 2}, shipped=None)
    gone = shipment_event("S-2", {("O-1", "1"): 3})

    shares = with_shipment(with_shipment({}, packed, "O-1"), gone, "O-1")

    assert quantities(shares) == {"1": 5}
    assert departed(shares) == {"1": 3}


def test_a_revision_that_is_not_newer_changes_nothing() -> None:
    shares = with_shipment({}, shipment_event(revision=2), "O-1")

    again = with_shipment(shares, shipment_event(revision=2), "O-1")
    older = with_shipment(shares, shipment_event(items={("O-1", "1"): 9}, revision=1), "O-1")

    assert again is shares
    assert older is shares


def test_an_order_that_was_removed_keeps_the_revision_but_no_units() -> None:
    shares = with_shipment({}, shipment_event(revision=1), "O-1")
    moved = shipment_event(items={("O-2", "1"): 2}, revision=3, removed=["O-1"])

    emptied = with_shipment(shares, moved, "O-1")
    late = with_shipment(emptied, shipment_event(revision=2), "O-1")

    assert emptied == {"S-1": Share(revision=3, left=True, items={})}
    assert quantities(emptied) == {}
    assert late is emptied


def test_several_items_of_one_line_add_up() -> None:
    event = shipment_event(items={("O-1", "1"): 2})
    twice = event.model_copy(update={"items": [*event.items, *event.items]})

    shares = with_shipment({}, twice, "O-1")

    assert quantities(shares) == {"1": 4}


def test_a_shipment_concerns_the_orders_it_carries_and_those_it_no_longer_does() -> None:
    event = shipment_event(
        items={("O-2", "1"): 1, ("O-2", "2"): 1, ("O-3", "1"): 1}, removed=["O-1", "O-3"]
    )

    concerned = order_ids(event)

    assert concerned == ["O-2", "O-3", "O-1"]


histories = st.lists(
    st.tuples(
        st.sampled_from(["S-1", "S-2", "S-3"]),
        st.integers(1, 6),
        st.dictionaries(st.sampled_from(["1", "2"]), st.integers(1, 5)),
        st.booleans(),
    ),
    max_size=12,
    # A shipment has one content for each revision.
    unique_by=lambda event: event[:2],
)


@given(histories, st.data())
def test_any_order_and_number_of_deliveries_ends_with_each_shipments_last_revision(
    history: list[tuple[str, int, dict[str, int], bool]], data: st.DataObject
) -> None:
    deliveries = data.draw(
        st.permutations([*history, *data.draw(st.lists(st.sampled_from(history), max_size=6))])
        if history
        else st.just([])
    )

    shares: Shares = {}
    for id, revision, items, left in deliveries:
        event = shipment_event(
            id,
            {("O-1", line): units for line, units in items.items()},
            revision=revision,
            shipped=None if not left else shipment_event().shipment.date_shipped,
        )
        shares = with_shipment(shares, event, "O-1")

    last = {id: (items, left) for id, _, items, left in sorted(history, key=lambda e: e[1])}
    assert quantities(shares) == sum((Counter(items) for items, _ in last.values()), Counter())
    assert departed(shares) == sum((Counter(i) for i, left in last.values() if left), Counter())
