"""From events to deliveries: who is told what. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.notifications.domain import (
    EMAIL_LANE,
    Channel,
    Delivery,
    delivery_id,
    mailbox_id,
    webhook_lane,
)
from services.notifications.views import OrderShipmentView, OrderView, ShipmentView
from shared.contracts.catalog import Webhook
from shared.mail.addresses import mailbox
from shared.messaging.message import Message

# Subscribing to it takes its name: it is for operators, no part of the public contract.
_ONLY_BY_NAME = frozenset({"LineItemsHeld"})


@dataclass(frozen=True, slots=True)
class Plan:
    """The deliveries of a batch by ID, in the order of their events. ``repeated`` counts, by
    channel, those that were planned more than once; ``unreachable`` are the orders whose buyer
    would have been written to but has no usable address."""

    deliveries: dict[str, Delivery]
    repeated: list[Channel]
    unreachable: list[str]


@dataclass(frozen=True, slots=True)
class Planner:
    """Decides whom an event is told. ``mail``: e-mails are sent at all. ``keep``: for how long a
    delivery is tried."""

    mail: bool
    keep: timedelta

    def plan(
        self, messages: Sequence[Message[Any]], webhooks: Iterable[Webhook], now: datetime
    ) -> Plan:
        """The deliveries of ``messages``, to be made at ``now``."""
        subscribers = _by_type(webhooks)
        plan = Plan({}, [], [])
        for message in messages:
            for webhook in subscribers.get(message.type.name, subscribers[_ANY]):
                self._add(
                    plan,
                    message,
                    (message.identity,),
                    now,
                    channel=Channel.WEBHOOK,
                    target=webhook.id,
                    lane=webhook_lane(webhook.id),
                )
            if self.mail and isinstance(message.body, OrderView):
                self._mail(plan, message, message.body, now)
        return plan

    def _mail(self, plan: Plan, message: Message[Any], body: OrderView, now: datetime) -> None:
        cause: tuple[str, ...] = (message.identity,)
        if isinstance(body, OrderShipmentView):
            if body.shipment is None or body.shipment.date_shipped is None:
                return
            # A shipment may change many times after it left; the buyer is told once.
            cause = ("shipped", message.key, body.shipment.id)
        address = mailbox(body.email)
        if address is None:
            plan.unreachable.append(message.key)
            return
        self._add(
            plan,
            message,
            cause,
            now,
            channel=Channel.EMAIL,
            target=mailbox_id(address),
            lane=EMAIL_LANE,
            address=address,
        )

    def _add(
        self,
        plan: Plan,
        message: Message[Any],
        cause: tuple[str, ...],
        now: datetime,
        *,
        channel: Channel,
        target: str,
        lane: str,
        address: str | None = None,
    ) -> None:
        id = delivery_id(cause, channel, target)
        if id in plan.deliveries:
            plan.repeated.append(channel)
            return
        plan.deliveries[id] = Delivery(
            channel=channel,
            target=target,
            lane=lane,
            event_type=message.type.name,
            order_id=_order_id(message),
            created=now,
            deadline=now + self.keep,
            occurred=message.accepted,
            next_attempt=now,
            address=address,
            body=message.value.decode(),
            trace=message.trace,
        )


_ANY = "*"


def _by_type(webhooks: Iterable[Webhook]) -> dict[str, list[Webhook]]:
    """Who wants what, by ``ce_type``; under ``*``, what goes for every type not listed."""
    webhooks = list(webhooks)
    every = [webhook for webhook in webhooks if webhook.event_types is None]
    wanted: dict[str, list[Webhook]] = {_ANY: every}
    named = {name for webhook in webhooks for name in webhook.event_types or ()}
    for name in named | _ONLY_BY_NAME:
        wanted[name] = [
            webhook
            for webhook in webhooks
            if (
                name not in _ONLY_BY_NAME
                if webhook.event_types is None
                else name in webhook.event_types
            )
        ]
    return wanted


def _order_id(message: Message[Any]) -> str | None:
    """The buyer's order that an event is about: it is the key of all but the shipments' events,
    which may be about several."""
    if isinstance(message.body, ShipmentView):
        return message.body.order_id
    return message.key or None
