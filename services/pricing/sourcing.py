"""Sourcing: from which warehouses and stores the units of a line come.

A line takes stock from its supplier's own locations, and from stock that stands at no location in
particular, which belongs to whoever supplies. Stock at a location that is inactive, deleted or of
somebody else is not there for it. A line without a supplier is the marketplace's.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.pricing.allotments import ANYWHERE, Units
from shared.contracts.base import Address
from shared.contracts.catalog import Location, SourcingRule, SourcingStrategy
from shared.contracts.orders import LineSource

_EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class StockLine:
    """What one line needs of its product's stock. ``owner_id`` is its supplier."""

    line_id: str
    quantity: int
    owner_id: str
    ship_to: Address | None


@dataclass(frozen=True, slots=True)
class Places:
    """The locations that stock stands at, by ID, and the rules of their owners."""

    marketplace_id: str
    locations: Mapping[str, Location] = field(default_factory=dict)
    rules: Mapping[str, SourcingRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sourced:
    """``units`` by location for all lines together, and each line's own share."""

    units: dict[str, int]
    by_line: dict[str, list[LineSource]]


@dataclass(frozen=True, slots=True)
class Shortage:
    """Of ``requested`` units only ``available`` can be had."""

    available: int
    requested: int


def source(
    lines: Sequence[StockLine], supply: Units, places: Places, *, can_exceed: bool = False
) -> Sourced | Shortage:
    """Chooses stock of one product for ``lines``, each in turn, out of ``supply``. With
    ``can_exceed`` what is missing is taken from the place that is asked first."""
    left = {location: max(0, count) for location, count in supply.items()}
    total: dict[str, int] = {}
    by_line: dict[str, list[LineSource]] = {}
    available = 0
    for line in lines:
        rule = places.rules.get(line.owner_id)
        order = _asked(line, left, places, rule)
        taken, most = _take(line.quantity, order, left, rule is None or rule.allow_split)
        missing = line.quantity - sum(taken.values())
        if missing and can_exceed:
            first = order[0] if order else ANYWHERE
            taken[first] = taken.get(first, 0) + missing
            most = line.quantity
        available += most
        for location, count in taken.items():
            left[location] = max(0, left.get(location, 0) - count)
            total[location] = total.get(location, 0) + count
        sources = [
            LineSource(location_id=location, quantity=count)
            for location, count in taken.items()
            if location != ANYWHERE
        ]
        if sources:
            by_line[line.line_id] = sources
    requested = sum(line.quantity for line in lines)
    if sum(total.values()) < requested:
        return Shortage(available, requested)
    return Sourced(total, by_line)


def _take(
    quantity: int, order: Sequence[str], left: Units, split: bool
) -> tuple[dict[str, int], int]:
    """What ``quantity`` takes from where, and how many could have been had."""
    if not split:
        for location in order:
            if left[location] >= quantity:
                return {location: quantity}, quantity
        return {}, max((left[location] for location in order), default=0)
    taken = {}
    for location in order:
        count = min(left[location], quantity)
        if count:
            taken[location] = count
            quantity -= count
    return taken, sum(taken.values())


def _asked(line: StockLine, left: Units, places: Places, rule: SourcingRule | None) -> list[str]:
    """The places that may fill ``line``, in the order in which they are asked; unlocated stock
    last, because nothing is known of where it is."""
    if len(left) == 1 and ANYWHERE in left:
        return [ANYWHERE]
    usable = []
    for id in left:
        location = places.locations.get(id)
        if location is None or not location.active:
            continue
        if (location.owner_id or places.marketplace_id) == line.owner_id:
            usable.append(location)
    nearest = rule is not None and rule.strategy is SourcingStrategy.NEAREST
    usable.sort(
        key=lambda location: (
            _distance(location.address, line.ship_to) if nearest else (0, 0.0),
            location.priority,
            location.id,
        )
    )
    order = [location.id for location in usable]
    if ANYWHERE in left:
        order.append(ANYWHERE)
    return order


def _distance(place: Address | None, to: Address | None) -> tuple[int, float]:
    """How far, for comparing: kilometres where both ends have coordinates; those that have not
    come after, ranked by how much of the postal address agrees."""
    if place is None or to is None:
        return 2, 0.0
    here = _coordinates(place)
    there = _coordinates(to)
    if here is not None and there is not None:
        return 0, great_circle_km(here, there)
    return 1, -_closeness(place, to)


def _coordinates(address: Address) -> tuple[float, float] | None:
    if address.latitude is None or address.longitude is None:
        return None
    return address.latitude, address.longitude


def great_circle_km(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Distance in km between two (latitude, longitude) in degrees, on a sphere (haversine)."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*here, *there))
    chord = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def _closeness(place: Address, to: Address) -> float:
    """How much of two postal addresses agrees, from the country down: the same country, then the
    state, then the city, then leading characters of the postal code. A part counts only when
    those above it agree."""
    if not _same(place.country, to.country):
        return 0.0
    rank = 1.0
    if _same(place.state, to.state):
        rank += 100.0
        if _same(place.city, to.city):
            rank += 100.0
    for left, right in zip(place.zip or "", to.zip or "", strict=False):
        if left != right:
            break
        rank += 1.0
    return rank


def _same(left: str | None, right: str | None) -> bool:
    return left is not None and right is not None and left.casefold() == right.casefold()
