"""Lanes: what waits for one target, how much of it goes at once, and when none does."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from services.notifications.backoff import Backoff
from services.notifications.domain import Delivery
from shared.aggregates import Aggregate


@dataclass(slots=True)
class Lane:
    """The deliveries of one target that this process holds.

    After ``trip_after`` faults in a row the lane closes: nothing goes to a target that is down.
    When ``closed_until`` has passed one delivery goes as a probe; if it fails too, the lane stays
    closed for longer. ``behind``: more is waiting in the database than was taken.
    """

    key: str
    limit: int
    length: int
    trip_after: int
    backoff: Backoff
    queue: deque[Aggregate[Delivery]] = field(default_factory=deque)
    sending: int = 0
    faults: int = 0
    trips: int = 0
    closed_until: datetime | None = None
    behind: bool = False

    def room(self, now: datetime) -> int:
        """How many more deliveries it may hold."""
        if self._closed(now):
            return 0
        if self.trips:
            return max(0, 1 - self.sending - len(self.queue))
        return max(0, self.length - len(self.queue))

    def may_send(self, now: datetime) -> bool:
        if not self.queue or self._closed(now):
            return False
        return self.sending < (1 if self.trips else self.limit)

    def worked(self) -> None:
        """Notes that the target answered."""
        self.faults = self.trips = 0
        self.closed_until = None

    def failed(self, now: datetime) -> list[Aggregate[Delivery]]:
        """Notes a fault of the target. When that closes the lane, returns what it held: it must
        wait in the database until ``closed_until``."""
        if self._closed(now):
            return []
        self.faults += 1
        if self.faults < self.trip_after and not self.trips:
            return []
        self.trips += 1
        self.closed_until = now + self.backoff.wait(self.trips)
        held = list(self.queue)
        self.queue.clear()
        return held

    @property
    def idle(self) -> bool:
        """Whether forgetting it loses nothing."""
        return not (self.queue or self.sending or self.faults or self.trips or self.behind)

    def _closed(self, now: datetime) -> bool:
        return self.closed_until is not None and now < self.closed_until
