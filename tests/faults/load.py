"""The load: a foreign client that orders, approves, cancels and ships, from a seed.

It keeps its own ledger of what Kafka acknowledged; whatever is in there the engine has to answer
for. It knows nothing of faults: it waits for what it expects, however long that takes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import cycle, islice

from tests.e2e.goods import SHIPPED_AT, shipment_body
from tests.faults.orders import Kind, Plan, catalogue, plans, target
from tests.support.outside import Body, OutsideSystem, key_of

_PATIENCE = 240.0
"""Seconds that an order waits for one event; the longest fault takes about a minute."""

_AGAIN = 0.5
"""Seconds after which a command that Kafka refused is sent again."""

_TOUCH_PAUSE = 0.7
"""Seconds from one to the next; all of the catalogue takes longer than an outbox waits to be
cleared."""

_ANSWERS = ("OrderSubmitted", "OrderAwaitingApproval", "OrderCanceled", "CommandRejected")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command that Kafka acknowledged. ``key`` is the record's."""

    id: str
    type: str
    key: str
    body: Body


@dataclass
class Ledger:
    """What was accepted, by ``ce_id``; and what was refused at first, which may have arrived or
    not, with the reason."""

    accepted: dict[str, Accepted] = field(default_factory=dict)
    in_doubt: dict[str, str] = field(default_factory=dict)

    def of_type(self, *types: str) -> list[Accepted]:
        return [command for command in self.accepted.values() if command.type in types]


class Load:
    """Places ``rate`` orders a second until it is told to stop, but at most ``most``. While
    ``at_once`` are on their way it places none, so that a slow machine is not flooded. ``hot`` is
    a product that is in every order; ``first`` is the number of the first order."""

    def __init__(
        self,
        outside: OutsideSystem,
        *,
        seed: int = 1,
        rate: float = 10.0,
        at_once: int = 150,
        most: int = 2_000,
        hot: str | None = None,
        first: int = 1,
    ) -> None:
        self.ledger = Ledger()
        self.stuck: list[str] = []
        """What an order waited for in vain."""
        self.plans: dict[str, Plan] = {}
        self._outside = outside
        self._seed = seed
        self._hot = hot
        self._first = first
        self._rate = rate
        self._most = most
        self._at_once = at_once
        self._room = asyncio.Semaphore(at_once)
        self._stopping = asyncio.Event()
        self._placing: asyncio.Task[None] | None = None
        self._lives: list[asyncio.Task[None]] = []
        self._acts: dict[Kind, Callable[[Plan], Awaitable[None]]] = {
            Kind.SHIP: self._ship,
            Kind.PART: self._ship,
            Kind.CANCEL: self._cancel,
            Kind.HASTY: self._nothing,
            Kind.LATE: self._cancel_late,
            Kind.EXTRA: self._ship_too_much,
            Kind.APPROVE: self._approve,
            Kind.DECLINE: self._decline,
            Kind.WAIT: self._nothing,
            Kind.UNKNOWN: self._nothing,
            Kind.UNPAID: self._nothing,
        }

    def next(self, first: int) -> "Load":
        """Another like this, not begun, whose first order has the number ``first``."""
        return Load(
            self._outside,
            seed=self._seed,
            rate=self._rate,
            at_once=self._at_once,
            most=self._most,
            hot=self._hot,
            first=first,
        )

    # --- its course -------------------------------------------------------------------------

    async def prepare(self, hook_url: str, targets: Mapping[str, str]) -> None:
        """Saves the catalogue and further webhooks (URLs by IDs); returns when they count."""
        more = [target(id, url) for id, url in targets.items()]
        await self._outside.save_all([*catalogue(hook_url), *more])

    def begin(self) -> None:
        """Starts to place orders."""
        self._placing = asyncio.create_task(self._place_all())
        self._lives.append(asyncio.create_task(self._touch_catalogue()))

    async def under_way(self, count: int, limit: float = 60.0) -> None:
        """Returns when ``count`` orders more than now have been answered."""
        start = self.answered()
        await self._outside.until(
            lambda: self.answered() >= start + count,
            lambda: (
                f"{self.answered() - start} of {count} orders were answered; of {self._most} that "
                f"are to be, {len(self.plans)} were placed"
            ),
            limit,
        )

    async def caught_up(self, limit: float = 180.0) -> float:
        """Waits until every order that is accepted by now was answered; the seconds it took."""
        began = time.monotonic()
        orders = [command.key for command in self.ledger.of_type("PlaceOrder")]

        def missing() -> list[str]:
            # Asked again after every event, for ever fewer.
            orders[:] = [order for order in orders if not self._is_answered(order)]
            return orders

        await self._outside.until(
            lambda: not missing(), lambda: f"never answered: {missing()}", limit
        )
        return time.monotonic() - began

    async def finish(self) -> None:
        """Places no more orders; returns when every order was played to its end, or gave up."""
        self._stopping.set()
        if self._placing is not None:
            await self._placing
        await asyncio.gather(*self._lives)

    async def abandon(self) -> None:
        """Stops at once, after a test that failed."""
        self._stopping.set()
        tasks = [task for task in (self._placing, *self._lives) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def answered(self) -> int:
        """How many orders were answered."""
        return sum(map(self._is_answered, self.plans))

    def _is_answered(self, order: str) -> bool:
        return any(self._outside.all(type, order) for type in _ANSWERS)

    # --- placing ----------------------------------------------------------------------------

    async def _place_all(self) -> None:
        next_at = time.monotonic()
        for plan in islice(plans(self._seed, self._hot, self._first), self._most):
            await self._room.acquire()
            if self._stopping.is_set():
                return
            self.plans[plan.id] = plan
            self._lives.append(asyncio.create_task(self._life(plan)))
            # Orders that had to wait for room are not made up for.
            next_at = max(next_at + 1 / self._rate, time.monotonic())
            if await self._stops_within(next_at - time.monotonic()):
                return

    async def _stops_within(self, seconds: float) -> bool:
        """Waits so long; at once True when the load has to stop."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    async def _life(self, plan: Plan) -> None:
        try:
            placing = self._send("PlaceOrder", plan.body, f"place-{plan.id}")
            if plan.kind is Kind.HASTY:
                await asyncio.gather(placing, self._command("CancelOrder", plan))
            else:
                await placing
            first = await self._outside.first_of(_ANSWERS, plan.id, _PATIENCE)
            if first != "CommandRejected":
                await self._acts[plan.kind](plan)
        except AssertionError as error:
            self.stuck.append(f"{plan.id} ({plan.kind}): {error}")
        finally:
            self._room.release()

    async def _touch_catalogue(self) -> None:
        """Saves parties, prices and products again as they are, one after another, so that every
        service has to do."""
        kinds = ("Buyer", "Supplier", "PriceSchedule", "Product")
        resources = [resource for resource in catalogue("") if resource[0] in kinds]
        for round, (kind, body) in enumerate(cycle(resources)):
            id = f"touch-{self._first}-{kind}-{body['ID']}-{round}"
            await self._send(f"Save{kind}", body, id)
            if await self._stops_within(_TOUCH_PAUSE):
                return

    # --- what is done with an order -----------------------------------------------------------

    async def _nothing(self, plan: Plan) -> None:
        """Its answer was all."""

    async def _ship(self, plan: Plan) -> None:
        await self._event("SupplierOrderForwarded", plan, len(plan.suppliers))
        for body in plan.shipments:
            await self._send("CreateShipment", body, f"create-{body['ID']}")
        for id in sorted(plan.announced):
            await self._send("UpdateShipment", {"ID": id, "DateShipped": SHIPPED_AT}, f"leave-{id}")
        await self._event("OrderShipmentsChanged", plan, len(plan.shipments) + len(plan.announced))
        if plan.kind is not Kind.PART:
            await self._event("OrderCompleted", plan)

    async def _ship_too_much(self, plan: Plan) -> None:
        await self._ship(plan)
        first = plan.body["LineItems"][0]
        id = f"{plan.id}-extra"
        body = shipment_body(id, (plan.id, first["ID"], 1), DateShipped=SHIPPED_AT)
        await self._send("CreateShipment", body, f"create-{id}")
        await self._event("CommandRejected", plan)

    async def _cancel(self, plan: Plan) -> None:
        await self._event("SupplierOrderForwarded", plan, len(plan.suppliers))
        await self._command("CancelOrder", plan)
        await self._event("OrderCanceled", plan)

    async def _cancel_late(self, plan: Plan) -> None:
        await self._ship(plan)
        await self._command("CancelOrder", plan)
        await self._event("CommandRejected", plan)

    async def _approve(self, plan: Plan) -> None:
        await self._command("ApproveOrder", plan)
        told = ("OrderApproved", "CommandRejected")
        if await self._outside.first_of(told, plan.id, _PATIENCE) == "OrderApproved":
            await self._ship(plan)

    async def _decline(self, plan: Plan) -> None:
        await self._command("DeclineOrder", plan)
        await self._event("OrderDeclined", plan)

    # --- in and out -------------------------------------------------------------------------

    async def _command(self, type: str, plan: Plan) -> None:
        await self._send(type, {"OrderID": plan.id}, f"{type}-{plan.id}")

    async def _event(self, type: str, plan: Plan, count: int = 1) -> None:
        await self._outside.events(type, plan.id, count, _PATIENCE)

    async def _send(self, type: str, body: Body, id: str) -> None:
        """Sends a command and enters it into the ledger once Kafka has acknowledged it. What Kafka
        refuses is sent again under its ID, as every outside system has to."""
        end = time.monotonic() + _PATIENCE
        while id not in self.ledger.accepted:
            try:
                await self._outside.command(type, body, id=id)
                self.ledger.accepted[id] = Accepted(id, type, key_of(type, body), body)
            except AssertionError as error:
                self.ledger.in_doubt[id] = str(error)
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(_AGAIN)
