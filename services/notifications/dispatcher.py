"""The dispatcher: sends what is due, each target at its own pace.

Fresh deliveries come straight from the batch that made them; whatever finds no room, has to be
tried again or was left behind by a crash waits in the database, where the dispatcher looks for it
lane by lane. A delivery that a dispatcher holds is leased: its ``next_attempt`` lies ahead, so
nobody else takes it, and if the process dies it is due again when the lease ends.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import cast

import structlog

from services.notifications.domain import (
    EMAIL_LANE,
    Channel,
    Delivery,
    Missed,
    Outcome,
    Sent,
    Status,
    conclude,
    result_events,
)
from services.notifications.lanes import Lane
from services.notifications.limits import Limits
from services.notifications.results import Results
from services.notifications.senders import Sender
from services.notifications.store import DeliveryStore
from shared.aggregates import Aggregate
from shared.endings import heed_cancellation
from shared.logs import identifier, told
from shared.messaging.faults import INFRASTRUCTURE_FAULTS
from shared.messaging.outbox import entries_of
from shared.messaging.processor import Clock
from shared.metrics import Metrics
from shared.tracing.port import ServiceTracing
from shared.tracing.traceparent import trace_id_of

log = structlog.get_logger()


_OUTCOMES = {
    Status.PENDING: "retried",
    Status.DELIVERED: "delivered",
    Status.FAILED: "failed",
}
# Overdue deliveries that are given up in one look at a lane.
_OVERDUE_PAGE = 200


class Dispatcher:
    """Sends deliveries until it is cancelled."""

    def __init__(
        self,
        store: DeliveryStore,
        results: Results,
        senders: Mapping[Channel, Sender],
        clock: Clock,
        metrics: Metrics,
        limits: Limits,
        tracing: ServiceTracing | None = None,
    ) -> None:
        self._store = store
        self._results = results
        self._senders = senders
        self._clock = clock
        self._metrics = metrics
        self._limits = limits
        self._tracing = tracing
        self._lanes: dict[str, Lane] = {}
        self._held = 0
        self._running = False
        self._attempts: set[asyncio.Task[None]] = set()
        # Lanes that could send but for the limit of all, in the order they came.
        self._blocked: dict[str, None] = {}
        self._look = asyncio.Event()

    def admit(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Leases those of fresh ``deliveries`` that there is room for; the others stay due, and
        are found in the database. Whoever asks writes them and then brings them to :meth:`take`."""
        now = self._clock()
        until = now + timedelta(seconds=self._limits.lease)
        free = self._limits.held - self._held if self._running else 0
        room: dict[str, int] = {}
        admitted = []
        for delivery in deliveries:
            lane = self._lane(delivery.lane)
            left = room.setdefault(lane.key, lane.room(now))
            if left > 0 and free > 0:
                room[lane.key] = left - 1
                free -= 1
                admitted.append(delivery.leased(until))
            else:
                lane.behind = True
                admitted.append(delivery)
        return admitted

    def take(self, aggregates: Sequence[Aggregate[Delivery]]) -> None:
        """Takes deliveries that are written and leased."""
        now = self._clock()
        for aggregate in aggregates:
            delivery = _of(aggregate)
            if self._leased(delivery, now):
                lane = self._lane(delivery.lane)
                lane.queue.append(aggregate)
                self._held += 1
        for key in dict.fromkeys(_of(aggregate).lane for aggregate in aggregates):
            self._start(self._lane(key))

    async def run(self) -> None:
        """Sends until cancelled; then lets what is under way end, writes the results and gives
        back what it holds, all within a few seconds."""
        self._running = True
        beside = [asyncio.create_task(task()) for task in (self._results.run, self._poll)]
        try:
            await asyncio.gather(*beside)
        finally:
            self._running = False
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._wind_up()

    async def _wind_up(self) -> None:
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=self._limits.grace)
        late = list(self._attempts)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for lane in self._lanes.values():
            self._give_back(list(lane.queue), self._clock())
            lane.queue.clear()
        # What cannot be written now is sent again when its lease ends.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.grace):
                await self._results.flush()
        for sender in self._senders.values():
            await sender.close()

    # --- what is due ------------------------------------------------------------------------

    async def _poll(self) -> None:
        while True:
            try:
                await self._take_due()
            except INFRASTRUCTURE_FAULTS as error:
                log.warning("due_deliveries_unread", error=told(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), self._limits.poll)
            heed_cancellation()
            self._look.clear()

    async def _take_due(self) -> None:
        due = await self._store.due_lanes(self._clock())
        for key in self._lanes.keys() - due:
            self._lanes[key].behind = False
        self._forget_idle()
        # A lane that closed with deliveries on their way to it reopens with them.
        for lane in list(self._lanes.values()):
            self._start(lane)
        for key in due:
            more = True
            while more:
                more = await self._take_from(self._lane(key))

    async def _take_from(self, lane: Lane) -> bool:
        """Leases what ``lane`` has room for; returns whether to look again at once."""
        now = self._clock()
        room = min(lane.room(now), self._limits.held - self._held)
        if room <= 0:
            return False
        limit = room + _OVERDUE_PAGE
        found = await self._store.due(lane.key, now, limit)
        overdue = [aggregate for aggregate in found if _of(aggregate).overdue(now)]
        for aggregate in overdue:
            delivery = _of(aggregate)
            error = delivery.error or "its time was over before it could be sent"
            after = delivery.failed(now, error, delivery.attempts)
            self._settle(aggregate, after, now, delivery.trace)
        wanted = [aggregate for aggregate in found if not _of(aggregate).overdue(now)]
        lane.behind = len(found) == limit or len(wanted) > room
        until = now + timedelta(seconds=self._limits.lease)
        for aggregate in wanted[:room]:
            aggregate.state = _of(aggregate).leased(until)
        lost = await self._store.save(wanted[:room])
        self.take([aggregate for aggregate in wanted[:room] if aggregate.id not in lost])
        if len(overdue) < limit:
            return False
        # Written before the next look, which would find them again.
        await self._results.flush()
        return True

    def _forget_idle(self) -> None:
        for key in [key for key, lane in self._lanes.items() if lane.idle]:
            del self._lanes[key]

    # --- attempts ---------------------------------------------------------------------------

    def _start(self, lane: Lane) -> None:
        """Begins as many attempts of ``lane`` as the limits allow."""
        now = self._clock()
        while self._running and lane.may_send(now):
            if len(self._attempts) >= self._limits.total:
                self._blocked[lane.key] = None
                return
            aggregate = lane.queue.popleft()
            self._held -= 1
            # With the lease nearly over somebody else may take it: it is due again anyway.
            if not self._leased(_of(aggregate), now, self._limits.attempt):
                lane.behind = True
                continue
            lane.sending += 1
            attempt = asyncio.create_task(self._attempt(lane, aggregate))
            self._attempts.add(attempt)
            attempt.add_done_callback(partial(self._ended, lane))
        if lane.behind and len(lane.queue) <= lane.length // 4 and lane.room(now):
            self._look.set()

    def _ended(self, lane: Lane, attempt: asyncio.Task[None]) -> None:
        self._attempts.discard(attempt)
        lane.sending -= 1
        while self._blocked and len(self._attempts) < self._limits.total:
            key = next(iter(self._blocked))
            del self._blocked[key]
            self._start(self._lane(key))
        self._start(lane)

    async def _attempt(self, lane: Lane, aggregate: Aggregate[Delivery]) -> None:
        delivery = _of(aggregate)
        outcome, trace = await self._traced(aggregate.id, delivery)
        now = self._clock()
        if isinstance(outcome, Missed) and outcome.target_down:
            closed = lane.failed(now)
            if lane.closed_until is not None:
                self._held -= len(closed)
                self._give_back(closed, lane.closed_until)
        else:
            lane.worked()
        wait = self._limits.retry.wait(delivery.attempts + 1)
        self._settle(aggregate, conclude(delivery, outcome, now, wait), now, trace)
        if not isinstance(outcome, Sent):
            log.info(
                "notification_not_sent",
                **_log_fields(aggregate.id, delivery.traced(trace)),
                attempts=delivery.attempts + 1,
                error=_kind(outcome.error),
            )

    async def _traced(self, id: str, delivery: Delivery) -> tuple[Outcome, str | None]:
        """One attempt, and the trace that what follows from it continues."""
        if self._tracing is None:
            return await self._outcome(id, delivery), delivery.trace
        with self._tracing.attempt(
            f"send {delivery.channel.value} {delivery.event_type}",
            delivery.trace,
            _span_attributes(id, delivery),
        ) as attempt:
            outcome = await self._outcome(id, delivery.traced(attempt.trace))
            if not isinstance(outcome, Sent):
                attempt.failed(_kind(outcome.error))
            return outcome, attempt.trace

    async def _outcome(self, id: str, delivery: Delivery) -> Outcome:
        try:
            async with asyncio.timeout(self._limits.attempt):
                return await self._senders[delivery.channel].send(id, delivery)
        except TimeoutError:
            return Missed(f"no answer within {self._limits.attempt:g} s")
        except Exception as error:
            # A defect of a sender: it is tried again like a fault, and seen in the log. The
            # exception's text may quote the event, so only its kind is told.
            log.error("attempt_broke", **_log_fields(id, delivery), error=type(error).__name__)
            return Missed(f"the attempt broke ({type(error).__name__})", target_down=False)

    def _settle(
        self, aggregate: Aggregate[Delivery], after: Delivery, now: datetime, trace: str | None
    ) -> None:
        """Hands on what became of a delivery; the event that tells it continues ``trace``."""
        aggregate.state = after
        aggregate.outbox = entries_of(
            f"result|{aggregate.id}", result_events(aggregate.id, after), now, trace
        )
        self._metrics.notifications.labels(after.channel.value, _OUTCOMES[after.status]).inc()
        self._results.add(aggregate)

    def _give_back(self, aggregates: Sequence[Aggregate[Delivery]], due: datetime) -> None:
        for aggregate in aggregates:
            aggregate.state = _of(aggregate).leased(due)
            self._results.add(aggregate)

    def _leased(self, delivery: Delivery, now: datetime, least: float = 0.0) -> bool:
        """Whether the lease lasts for another ``least`` seconds."""
        until = delivery.next_attempt
        return until is not None and until > now + timedelta(seconds=least)

    def _lane(self, key: str) -> Lane:
        lane = self._lanes.get(key)
        if lane is None:
            limits = self._limits
            lane = self._lanes[key] = Lane(
                key,
                limits.mails if key == EMAIL_LANE else limits.webhook,
                limits.lane,
                limits.trip_after,
                limits.trip,
            )
        return lane


def _kind(error: str) -> str:
    """An outcome's error without the target's own words, which may repeat anything."""
    return error.partition(":")[0]


def _log_fields(id: str, delivery: Delivery) -> dict[str, str | None]:
    return {
        "key": identifier(delivery.order_id),
        "message_id": id,
        "trace_id": trace_id_of(delivery.trace),
        "channel": delivery.channel.value,
        "type": delivery.event_type,
    }


def _span_attributes(id: str, delivery: Delivery) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "ordermesh.notification.id": id,
        "ordermesh.notification.channel": delivery.channel.value,
        "ordermesh.notification.attempt": delivery.attempts + 1,
        "cloudevents.event_type": delivery.event_type,
    }
    if delivery.order_id is not None:
        attributes["ordermesh.order.id"] = delivery.order_id
    return attributes


def _of(aggregate: Aggregate[Delivery]) -> Delivery:
    """The delivery: one that the dispatcher sees is always there."""
    return cast(Delivery, aggregate.state)
