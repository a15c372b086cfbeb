"""The dispatcher's limits."""

from dataclasses import dataclass

from services.notifications.backoff import Backoff

_RETRY = Backoff(1.0, 300.0)
_TRIP = Backoff(2.0, 60.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, how long, how often. Times are in seconds.

    ``webhook`` and ``mails``: attempts at once for one webhook and for the mail server. ``held``
    and ``lane``: deliveries in memory, in all and for one lane. ``lease`` must be well above
    ``attempt``.
    """

    total: int = 200
    webhook: int = 8
    mails: int = 4
    held: int = 4_000
    lane: int = 500
    attempt: float = 10.0
    lease: float = 30.0
    poll: float = 1.0
    grace: float = 3.0
    retry: Backoff = _RETRY
    trip_after: int = 4
    trip: Backoff = _TRIP
