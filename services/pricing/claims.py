"""Claims: what a request wants of the allotments, and whether it can have it.

Pure but for the books, which are one batch's own: a claim gets everything that it demands, or
nothing, and deciding it again comes to the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.pricing.allotments import ANYWHERE, Book, Grant, Units, plus
from services.pricing.domain.promotions import exceeds_limit
from services.pricing.quotes import Notes
from services.pricing.sourcing import Places, Shortage, Sourced, StockLine, source
from shared.contracts.base import Error
from shared.contracts.catalog import Promotion
from shared.contracts.orders import LineSource


class Demand(Protocol):
    """What an order wants of one allotment."""

    @property
    def allotment(self) -> str: ...

    def open(self, book: Book) -> bool:
        """Whether the allotment counts at all."""
        ...

    def choose(self, supply: Units, places: Places, *, can_exceed: bool) -> Sourced | Shortage:
        """Which units of ``supply`` to take."""
        ...

    def refusal(self, shortage: Shortage) -> Error: ...


@dataclass(frozen=True, slots=True)
class StockDemand:
    """Units of a product for some lines."""

    allotment: str
    product_id: str
    lines: Sequence[StockLine]

    def open(self, book: Book) -> bool:
        return book.enabled

    def choose(self, supply: Units, places: Places, *, can_exceed: bool) -> Sourced | Shortage:
        return source(self.lines, supply, places, can_exceed=can_exceed)

    def refusal(self, shortage: Shortage) -> Error:
        return Error(
            error_code="Inventory.Insufficient",
            message=(
                f"Of product {self.product_id} {shortage.available} are available, "
                f"{shortage.requested} were ordered; order fewer or wait for stock."
            ),
            data={
                "ProductID": self.product_id,
                "LineItemIDs": [line.line_id for line in self.lines],
                "Available": shortage.available,
                "Requested": shortage.requested,
            },
        )


@dataclass(frozen=True, slots=True)
class RedemptionDemand:
    """One redemption of a promotion, out of ``limit``."""

    allotment: str
    promotion: Promotion
    limit: int
    per_user: bool

    def open(self, book: Book) -> bool:
        book.begin()
        return True

    def choose(self, supply: Units, places: Places, *, can_exceed: bool) -> Sourced | Shortage:
        left = self.limit + supply.get(ANYWHERE, 0)
        return Sourced({ANYWHERE: 1}, {}) if left >= 1 else Shortage(max(0, left), 1)

    def refusal(self, shortage: Shortage) -> Error:
        return exceeds_limit(self.promotion, self.limit, per_user=self.per_user)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request makes of an order's grants. ``base`` is the version of the order's quote and
    ``held`` are its grants; ``promise`` False: what is demanded is only checked, and what is held
    is given back."""

    order_id: str
    request: str
    base: int
    held: Mapping[str, Grant]
    demands: Sequence[Demand] = ()
    promise: bool = False

    def notes(self) -> Notes:
        """What the claim's quote notes."""
        return Notes.of_grants(self.base, self.held.values())

    def touches(self) -> set[str]:
        return {*self.held, *(demand.allotment for demand in self.demands)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a claim. ``left`` are allotments with units that an earlier try moved and that
    are not wanted any more."""

    errors: list[Error] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    sources: dict[str, list[LineSource]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)


def decide(claim: Claim, books: Mapping[str, Book], places: Places, now: datetime) -> Outcome:
    """Moves the units of ``claim`` in ``books``: all that it demands, or nothing."""
    touched = sorted(claim.touches())
    if any(books[id].is_ahead(claim.order_id, claim.base) for id in touched):
        # The quote that this claim is based on is out of date: its write will lose the race, and
        # then everything is decided again.
        return Outcome()
    errors: list[Error] = []
    targets: dict[str, Sourced] = {}
    for demand in claim.demands:
        book = books[demand.allotment]
        if not demand.open(book):
            continue
        found = _choose(claim, demand, book, places)
        if isinstance(found, Shortage):
            errors.append(demand.refusal(found))
        else:
            targets[demand.allotment] = found
    promised = claim.promise and not errors
    outcome = Outcome(errors)
    for id in touched:
        book = books[id]
        if not book.exists:
            continue
        target = targets[id].units if promised and id in targets else {}
        held = claim.held.get(id)
        moved = book.moved(claim.order_id, claim.request, claim.base)
        grant = book.move(claim.order_id, claim.request, claim.base, held, target, now)
        if grant is not None:
            outcome.grants.append(grant)
        if moved is not None and (grant is None or grant.mark != moved.mark):
            outcome.left.add(id)
    if promised:
        for chosen in targets.values():
            outcome.sources.update(chosen.by_line)
    return outcome


def _choose(claim: Claim, demand: Demand, book: Book, places: Places) -> Sourced | Shortage:
    held = claim.held.get(demand.allotment)
    current: Units = {} if held is None else held.units
    movement = book.moved(claim.order_id, claim.request, claim.base)
    if movement is not None:
        # The same units again, or none.
        return demand.choose(plus(current, movement.units), places, can_exceed=False)
    return demand.choose(plus(book.records, current), places, can_exceed=book.order_can_exceed)
