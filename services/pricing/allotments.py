"""Allotments: bounded counters that grant units to orders.

One mechanism for stock (an allotment for each product, its units by location) and for redemption
limits of promotions (an allotment for each promotion, and for each promotion and user). Here is
what one allotment holds and how its units move; ``granting`` is the protocol around it.
"""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from shared.aggregates import Aggregate
from shared.contracts.base import Resource, Time

ANYWHERE = "*"
"""Where units are that stand at no location in particular. No ID has this character."""

Units = Mapping[str, int]
"""How many units, by location."""


def plus(left: Units, right: Units, sign: int = 1) -> dict[str, int]:
    """``left`` + ``sign`` x ``right``, without zeros."""
    result = dict(left)
    for location, count in right.items():
        result[location] = result.get(location, 0) + sign * count
    return {location: count for location, count in result.items() if count}


class Movement(Resource):
    """Units that an allotment has handed to an order (negative: taken back) and whose note in the
    order's quote may not be written yet.

    ``request`` is the identity of the message that asked for it and ``base`` the version of the
    quote that it was decided on, so only a write over that version can note it. ``mark`` is the
    allotment's version that first had it, which tells it from others; ``at`` is when.
    """

    request: str
    base: int
    mark: int
    at: Time
    units: dict[str, int]


class Allotment(Resource):
    """The state of a counter. ``records`` is what is left, by location; of redemptions it is
    minus what was used, because their limit is the promotion's and may change.

    ``pending`` are the movements under way, by order. Only stock can be not ``enabled`` (nothing
    is counted) or have ``order_can_exceed`` (grants go below zero).
    """

    enabled: bool = True
    order_can_exceed: bool = False
    notification_point: int | None = None
    records: dict[str, int] = Field(default_factory=dict)
    pending: dict[str, Movement] = Field(default_factory=dict)


class Grant(Resource):
    """What a quote notes of an allotment: the ``units`` it holds, by location, since the movement
    with this ``mark``. Without units: they were given back by it."""

    allotment: str
    mark: int
    units: dict[str, int] = Field(default_factory=dict)


def inventory_id(product_id: str) -> str:
    return f"inventory/{product_id}"


def redemptions_id(promotion_id: str) -> str:
    return f"promotion/{promotion_id}"


def user_redemptions_id(promotion_id: str, buyer_id: str, user_id: str | None) -> str:
    """One user's redemptions; the buyer's own where an order names no user. User IDs are only
    unique within their buyer."""
    user = buyer_id if user_id is None else f"{buyer_id}/{user_id}"
    return f"promotion/{promotion_id}/user/{user}"


class Book:
    """An allotment open for a batch: many movements, one write."""

    __slots__ = (
        "aggregate",
        "changed",
        "enabled",
        "exists",
        "order_can_exceed",
        "pending",
        "records",
    )

    def __init__(self, aggregate: Aggregate[Allotment]) -> None:
        state = aggregate.state
        self.aggregate = aggregate
        self.exists = state is not None
        self.enabled = state is not None and state.enabled
        self.order_can_exceed = state is not None and state.order_can_exceed
        self.records = {} if state is None else dict(state.records)
        self.pending = {} if state is None else dict(state.pending)
        self.changed = False

    @property
    def id(self) -> str:
        return self.aggregate.id

    def begin(self) -> None:
        """Starts a counter that is not there yet, at zero."""
        self.exists = self.enabled = True

    def moved(self, order_id: str, request: str, base: int) -> Movement | None:
        """What another try of the same decision has moved already."""
        movement = self.pending.get(order_id)
        if movement is None or (movement.request, movement.base) != (request, base):
            return None
        return movement

    def is_ahead(self, order_id: str, base: int) -> bool:
        """Whether an order's movement was decided on a later quote than version ``base``."""
        movement = self.pending.get(order_id)
        return movement is not None and movement.base > base

    def settle(self, order_id: str, *, noted: bool) -> None:
        """Ends an order's movement: it is ``noted`` in the quote, or else never will be and is
        undone."""
        movement = self.pending.pop(order_id)
        if not noted:
            self._put(movement.units)
        self.changed = True

    def move(
        self,
        order_id: str,
        request: str,
        base: int,
        held: Grant | None,
        target: Units,
        now: datetime,
    ) -> Grant | None:
        """Moves units until the order holds ``target``, having held ``held`` by its quote's
        version ``base``; returns what the quote has to note. Doing it again moves nothing.

        What another try has moved is used or left, never changed: a process that thinks the
        request its own may be noting it right now. What is left is undone once it is not noted.
        """
        before: Units = {} if held is None else held.units
        movement = self.moved(order_id, request, base)
        if movement is None:
            units = plus(target, before, -1)
            if not units:
                return held if target else None
            movement = Movement(
                request=request, base=base, mark=self.aggregate.version + 1, at=now, units=units
            )
            self._put(plus({}, units, -1))
            self.pending[order_id] = movement
            self.changed = True
        elif plus(before, movement.units) != target:
            return held
        return Grant(allotment=self.id, mark=movement.mark, units=dict(target))

    def _put(self, units: Units) -> None:
        # A record stays when it is empty: it says that the place has had stock.
        for location, count in units.items():
            self.records[location] = self.records.get(location, 0) + count

    def close(self) -> Aggregate[Allotment]:
        """The aggregate with everything that moved, ready to be written."""
        state = self.aggregate.state
        self.aggregate.state = Allotment(
            enabled=self.enabled,
            order_can_exceed=self.order_can_exceed,
            notification_point=None if state is None else state.notification_point,
            records=self.records,
            pending=self.pending,
        )
        self.changed = False
        return self.aggregate
