"""Sourcing: which locations fill which lines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.allotments import ANYWHERE
from services.pricing.sourcing import (
    Places,
    Shortage,
    Sourced,
    StockLine,
    great_circle_km,
    source,
)
from shared.contracts.base import Address
from shared.contracts.catalog import Location, SourcingRule, SourcingStrategy

HERE = Address(country="US", state="NY", city="New York", zip="10001", latitude=40.7, longitude=-74)


def stock_line(quantity: int, id: str = "L1", owner: str = "north") -> StockLine:
    return StockLine(id, quantity, owner, HERE)


def places(*locations: Location, **rule: Any) -> Places:
    """Locations, and a rule for ``north`` where one is given."""
    rules = {"north": SourcingRule(id="north", **rule)} if rule else {}
    return Places("marketplace", {each.id: each for each in locations}, rules)


def location(id: str, priority: int = 100, owner: str | None = "north", **fields: Any) -> Location:
    return Location(**{"id": id, "owner_id": owner, "priority": priority, **fields})


def at(latitude: float, longitude: float) -> Address:
    return Address(latitude=latitude, longitude=longitude)


def taken(result: Sourced | Shortage) -> dict[str, int]:
    assert isinstance(result, Sourced)
    return result.units


def test_a_lower_priority_number_is_asked_first_and_a_line_may_be_split() -> None:
    result = source([stock_line(5)], {"A": 4, "B": 3}, places(location("A", 2), location("B", 1)))

    assert taken(result) == {"B": 3, "A": 2}


def test_each_line_has_its_share() -> None:
    result = source(
        [stock_line(2), stock_line(2, "L2")], {"A": 3, "B": 3}, places(location("A"), location("B"))
    )

    assert isinstance(result, Sourced)
    assert {id: [(s.location_id, s.quantity) for s in of] for id, of in result.by_line.items()} == {
        "L1": [("A", 2)],
        "L2": [("A", 1), ("B", 1)],
    }


def test_without_splitting_one_location_must_cover_the_line() -> None:
    rule = {"allow_split": False}
    where = places(location("A", 1), location("B", 2), **rule)

    assert taken(source([stock_line(4)], {"A": 3, "B": 4}, where)) == {"B": 4}
    assert source([stock_line(5)], {"A": 3, "B": 4}, where) == Shortage(4, 5)


def test_only_active_locations_of_the_owner_count() -> None:
    where = places(
        location("mine"),
        location("theirs", owner="south"),
        location("ours", owner=None),
        location("shut", active=False),
    )
    supply = {"mine": 1, "theirs": 2, "ours": 4, "shut": 8, "unknown": 16}

    assert source([stock_line(99)], supply, where) == Shortage(1, 99)
    assert source([stock_line(99, owner="marketplace")], supply, where) == Shortage(4, 99)


def test_unlocated_stock_is_for_everybody_and_comes_last() -> None:
    supply = {ANYWHERE: 5, "A": 1}

    result = source([stock_line(3)], supply, places(location("A")))

    assert taken(result) == {"A": 1, ANYWHERE: 2}
    assert isinstance(result, Sourced)
    assert [(s.location_id, s.quantity) for s in result.by_line["L1"]] == [("A", 1)]
    assert taken(source([stock_line(3, owner="else")], supply, places())) == {ANYWHERE: 3}


def test_what_is_missing_is_taken_from_the_first_place_where_orders_can_exceed() -> None:
    where = places(location("A", 1), location("B", 2))

    result = source([stock_line(9)], {"A": 1, "B": 2}, where, can_exceed=True)

    assert taken(result) == {"A": 7, "B": 2}
    assert taken(source([stock_line(2)], {}, places(), can_exceed=True)) == {ANYWHERE: 2}


def test_the_nearest_location_is_asked_first() -> None:
    where = places(
        location("boston", 1, address=at(42.36, -71.06)),
        location("newark", 9, address=at(40.74, -74.17)),
        location("nowhere", 0),
        strategy=SourcingStrategy.NEAREST,
    )

    assert taken(source([stock_line(1)], {"boston": 5, "newark": 5, "nowhere": 5}, where)) == {
        "newark": 1
    }


@pytest.mark.parametrize(
    ("closer", "farther"),
    [
        ({"country": "US"}, {"country": "CA", "zip": "10001"}),
        ({"country": "US", "state": "ny"}, {"country": "US", "state": "NJ", "zip": "1000"}),
        (
            {"country": "US", "state": "NY", "city": "New York"},
            {"country": "US", "state": "NY", "city": "Albany", "zip": "10001"},
        ),
        ({"country": "US", "zip": "1000"}, {"country": "US", "zip": "1999"}),
    ],
)
def test_without_coordinates_the_closest_address_is_nearest(
    closer: dict[str, str], farther: dict[str, str]
) -> None:
    where = places(
        location("far", 1, address=Address(**farther)),
        location("near", 2, address=Address(**closer)),
        strategy=SourcingStrategy.NEAREST,
    )

    assert taken(source([stock_line(1)], {"far": 1, "near": 1}, where)) == {"near": 1}


def test_a_distance_on_the_globe() -> None:
    # From the equator to the pole is a quarter of a great circle of 6371.0088 km radius.
    assert round(great_circle_km((0, 13), (90, 0)), 1) == 10007.6
    assert round(great_circle_km((0, 179), (0, -179)), 1) == 222.4
    assert great_circle_km((52.52, 13.405), (52.52, 13.405)) == 0


@given(
    quantities=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    supply=st.dictionaries(st.sampled_from([*"ABC", ANYWHERE]), st.integers(-3, 20)),
    split=st.booleans(),
)
def test_no_more_is_taken_than_there_is_and_taking_it_again_from_that_alone_is_the_same(
    quantities: list[int], supply: dict[str, int], split: bool
) -> None:
    lines = [stock_line(quantity, f"L{at}") for at, quantity in enumerate(quantities)]
    where = places(*(location(id) for id in "ABC"), allow_split=split)

    result = source(lines, supply, where)

    if isinstance(result, Shortage):
        assert result.available < result.requested == sum(quantities)
    else:
        assert sum(result.units.values()) == sum(quantities)
        assert all(0 < count <= supply[place] for place, count in result.units.items())
        assert source(lines, result.units, where) == result
