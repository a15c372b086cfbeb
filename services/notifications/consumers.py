"""From a batch of events to written deliveries, in one round trip."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from services.notifications.dispatcher import Dispatcher
from services.notifications.domain import Channel, Delivery, result_events
from services.notifications.planning import Planner
from services.notifications.store import DeliveryStore
from services.notifications.subscriptions import Subscriptions
from shared.aggregates import Aggregate
from shared.contracts.registry import MessageType
from shared.messaging import failpoints
from shared.messaging.message import Message
from shared.messaging.outbox import OutboxEntry, entries_of
from shared.messaging.processor import Clock
from shared.messaging.publisher import Publisher
from shared.metrics import Metrics


class EventProcessor:
    """Makes deliveries of events and hands them to the dispatcher. With ``discard_mail`` e-mails
    count as delivered when they are written."""

    def __init__(
        self,
        types: Iterable[MessageType[Any]],
        planner: Planner,
        subscriptions: Subscriptions,
        store: DeliveryStore,
        dispatcher: Dispatcher,
        publisher: Publisher,
        clock: Clock,
        metrics: Metrics,
        *,
        discard_mail: bool = False,
    ) -> None:
        self.types = frozenset(types)
        self._planner = planner
        self._subscriptions = subscriptions
        self._store = store
        self._dispatcher = dispatcher
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics
        self._discard_mail = discard_mail

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        webhooks = await self._subscriptions.active()
        plan = self._planner.plan(messages, webhooks.values(), self._clock())
        self._count("duplicate", plan.repeated)
        self._count("no_address", [Channel.EMAIL] * len(plan.unreachable))
        if not plan.deliveries:
            return
        discarded = [
            Aggregate(id, state=delivery.delivered(delivery.created))
            for id, delivery in plan.deliveries.items()
            if self._discards(delivery)
        ]
        to_send = {
            id: delivery for id, delivery in plan.deliveries.items() if not self._discards(delivery)
        }
        admitted = self._dispatcher.admit(list(to_send.values()))
        fresh = [
            Aggregate(id, state=delivery) for id, delivery in zip(to_send, admitted, strict=True)
        ]
        # A delivery is never written over: what exists already was made by this event before,
        # and whoever holds it sends it.
        failpoints.reached("before_write", plan.deliveries)
        existing = await self._store.save([*discarded, *fresh])
        failpoints.reached("after_write", plan.deliveries)
        self._count("duplicate", [plan.deliveries[id].channel for id in existing])
        # What is discarded has no outbox: its event follows from it alone, so a batch that comes
        # again after a crash tells it again, under the same ID.
        await self._publisher.publish(entry for one in discarded for entry in _result(one))
        self._count("delivered", [Channel.EMAIL for one in discarded if one.id not in existing])
        self._dispatcher.take([aggregate for aggregate in fresh if aggregate.id not in existing])

    def _discards(self, delivery: Delivery) -> bool:
        return self._discard_mail and delivery.channel is Channel.EMAIL

    def _count(self, outcome: str, channels: Iterable[Channel]) -> None:
        for channel, count in Counter(channels).items():
            self._metrics.notifications.labels(channel.value, outcome).inc(count)


def _result(aggregate: Aggregate[Delivery]) -> list[OutboxEntry]:
    """What tells of a delivery that came to its end with its creation."""
    delivery = aggregate.state
    if delivery is None:
        return []
    return entries_of(
        f"result|{aggregate.id}",
        result_events(aggregate.id, delivery),
        delivery.created,
        delivery.trace,
    )
