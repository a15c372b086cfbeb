"""Deliveries: what is to be sent to whom, and what becomes of it. Pure.

A delivery is one event for one target. Its ID is derived from both, so that the same event never
makes a second one; the attempts it takes change its state and nothing else::

    Pending --sent--> Delivered
       |  \\--missed--> Pending, later      (until the deadline)
       \\---refused, or the deadline--> Failed
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.base import Resource, Time
from shared.contracts.fulfillment import NotificationResult
from shared.contracts.registry import NOTIFICATION_DELIVERED, NOTIFICATION_FAILED
from shared.messaging.message import Event, derived_id

EMAIL_LANE = "email"


class Channel(StrEnum):
    EMAIL = "Email"
    WEBHOOK = "Webhook"


class Status(StrEnum):
    PENDING = "Pending"
    DELIVERED = "Delivered"
    FAILED = "Failed"


class Delivery(Resource):
    """One event on its way to one target. Times are in UTC.

    ``target`` is the webhook's ID, or what :func:`mailbox_id` makes of an address; ``lane`` names
    what shares a limit: a webhook, or the mail server. ``next_attempt`` is when it may be sent,
    and, while somebody is sending it, the end of its lease. ``address`` and ``body`` (the event's
    JSON as it came) are there only as long as they are needed to send.
    """

    channel: Channel
    target: str
    lane: str
    event_type: str
    order_id: str | None = None
    status: Status = Status.PENDING
    attempts: int = 0
    next_attempt: Time | None = None
    error: str | None = None
    created: Time
    deadline: Time
    occurred: Time
    completed: Time | None = None
    address: str | None = None
    body: str | None = None
    trace: str | None = None

    def traced(self, trace: str | None) -> "Delivery":
        """As an attempt sees it whose own ``traceparent`` is this."""
        return self if trace == self.trace else self.model_copy(update={"trace": trace})

    def leased(self, until: datetime) -> "Delivery":
        """As held by one dispatcher until then; nobody else sends it before."""
        return self.model_copy(update={"next_attempt": until})

    def delivered(self, now: datetime) -> "Delivery":
        return self._completed(Status.DELIVERED, now, self.attempts + 1, None)

    def failed(self, now: datetime, error: str, attempts: int) -> "Delivery":
        """As given up after ``attempts`` in all."""
        return self._completed(Status.FAILED, now, attempts, error)

    def missed(self, now: datetime, error: str, wait: timedelta) -> "Delivery":
        """As after an attempt that may be repeated: due again after ``wait``, but not later than
        the deadline, at which it fails."""
        if now >= self.deadline:
            return self.failed(now, error, self.attempts + 1)
        return self.model_copy(
            update={
                "attempts": self.attempts + 1,
                "error": error,
                "next_attempt": min(now + wait, self.deadline),
            }
        )

    def overdue(self, now: datetime) -> bool:
        """Whether its time is over. The last attempt is made at the deadline itself."""
        return now > self.deadline + _LAST_CHANCE

    def _completed(
        self, status: Status, now: datetime, attempts: int, error: str | None
    ) -> "Delivery":
        return self.model_copy(
            update={
                "status": status,
                "attempts": attempts,
                "error": error,
                "completed": now,
                "next_attempt": None,
                "address": None,
                "body": None,
            }
        )


# How long after its deadline a delivery is still taken for the last attempt.
_LAST_CHANCE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Sent:
    """The target took it."""


@dataclass(frozen=True, slots=True)
class Missed:
    """The attempt failed and may be repeated. ``target_down``: the fault says something of the
    whole target (no answer, an error of its server), not of this one notification."""

    error: str
    target_down: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """The target will never take this one."""

    error: str


Outcome = Sent | Missed | Refused


def conclude(delivery: Delivery, outcome: Outcome, now: datetime, wait: timedelta) -> Delivery:
    """``delivery`` after an attempt; ``wait`` is for the case that it is repeated."""
    match outcome:
        case Sent():
            return delivery.delivered(now)
        case Refused(error):
            return delivery.failed(now, error, delivery.attempts + 1)
        case Missed(error):
            return delivery.missed(now, error, wait)


def result_events(id: str, delivery: Delivery) -> tuple[Event, ...]:
    """What a delivery that came to its end tells the world; nothing while it is pending."""
    if delivery.status is Status.PENDING:
        return ()
    delivered = delivery.status is Status.DELIVERED
    return (
        Event(
            NOTIFICATION_DELIVERED if delivered else NOTIFICATION_FAILED,
            NotificationResult(
                id=id,
                channel=delivery.channel,
                target=delivery.target,
                event_type=delivery.event_type,
                order_id=delivery.order_id,
                attempts=delivery.attempts,
                error=delivery.error,
            ),
        ),
    )


def delivery_id(cause: Iterable[str], channel: Channel, target: str) -> str:
    """``cause`` names, for ever, what is told: an event, or a shipment of an order that left."""
    return derived_id("notification", *cause, channel, target)


def mailbox_id(address: str) -> str:
    """Names a mailbox without being its address."""
    return derived_id("mailbox", address.lower())


def webhook_lane(webhook_id: str) -> str:
    return f"webhook:{webhook_id}"
