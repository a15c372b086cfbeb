"""From a batch of events to written deliveries, in one round trip."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from services.notifications.dispatcher import Dispatcher
from services.notifications.domain import Channel, Delivery, result_events
from services.notifications.planning import Planner
from services.notifications.store import DeliveryStore
from services.notifications.subscriptions import Subscriptions
from shared.contracts.registry import MessageType
from shared.messaging import failpoints
from shared.messaging.message import Message
from shared.messaging.outbox import entries_of
from shared.messaging.processor import Clock
from shared.messaging.publisher import Publisher
from shared.metrics import Metrics
from shared.mongo.aggregates import Aggregate


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
            self._discarded(id, delivery)
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
        done = [aggregate for aggregate in discarded if aggregate.id not in existing]
        await self._publisher.publish(entry for one in done for entry in one.outbox)
        self._count("delivered", [Channel.EMAIL] * len(done))
        self._dispatcher.take([aggregate for aggregate in fresh if aggregate.id not in existing])

    def _discards(self, delivery: Delivery) -> bool:
        return self._discard_mail and delivery.channel is Channel.EMAIL

    def _discarded(self, id: str, delivery: Delivery) -> Aggregate[Delivery]:
        delivered = delivery.delivered(delivery.created)
        entries = entries_of(
            f"result|{id}", result_events(id, delivered), delivery.created, delivery.trace
        )
        return Aggregate(id, state=delivered, outbox=entries)

    def _count(self, outcome: str, channels: Iterable[Channel]) -> None:
        for channel, count in Counter(channels).items():
            self._metrics.notifications.labels(channel.value, outcome).inc(count)
