"""The shipments service on fakes or on real stores, spoken to in a few words."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from services.shipments.batch import WaitingRules
from services.shipments.consumers import (
    LEDGER_TYPES,
    CommandConsumer,
    LedgerConsumer,
    OrderNews,
    SupplierOrderNews,
)
from services.shipments.handlers import ShipmentHandlers
from services.shipments.ledger import Ledger
from services.shipments.shipment import ShipmentState
from services.shipments.store import Ledgers, Shipments
from shared.aggregates import Aggregate
from shared.contracts.base import Error, Resource
from shared.contracts.fulfillment import CreateShipment, ShipmentEvent, UpdateShipment
from shared.contracts.orders import CommandRejected
from shared.contracts.registry import (
    COMMAND_REJECTED,
    CREATE_SHIPMENT,
    SHIPMENT_RECONCILED,
    UPDATE_SHIPMENT,
)
from shared.messaging.message import Message
from shared.metrics import Metrics
from shared.service import Resources
from shared.settings import Settings
from tests.support.fakes import FakeClock, FakePublisher, FakeStore, message

S = TypeVar("S", bound=Resource)

SUBMITTED, APPROVED, CANCELED, FORWARDED = LEDGER_TYPES

Items = Mapping[tuple[str, str], int]
"""Units by order, as named, and line."""


class PausingStore(FakeStore[S]):
    """Lets others go on before it answers, when it is told how."""

    pause: Callable[[], Awaitable[None]] | None = None

    async def load(
        self, ids: Iterable[str], *, presumed_new: Collection[str] = ()
    ) -> dict[str, Aggregate[S]]:
        if self.pause is not None:
            await self.pause()
        return await super().load(ids, presumed_new=presumed_new)

    async def save(self, aggregates: Sequence[Aggregate[S]]) -> set[str]:
        if self.pause is not None:
            await self.pause()
        return await super().save(aggregates)


class FakeLedgers(PausingStore[Ledger]):
    def __init__(self) -> None:
        super().__init__(Ledger)

    async def of_supplier_orders(self, ids: Iterable[str]) -> Sequence[Aggregate[Ledger]]:
        wanted = set(ids)
        every = [self.aggregate(id) for id in self.documents()]
        return [a for a in every if a.state and wanted & {part.id for part in a.state.parts}]


class FakeShipments(PausingStore[ShipmentState]):
    def __init__(self) -> None:
        super().__init__(ShipmentState)

    def _waiting(self) -> dict[str, ShipmentState]:
        states = {id: self.state(id) for id in sorted(self.documents())}
        return {id: state for id, state in states.items() if state and state.waiting}

    async def waiting_for(self, orders: Iterable[str]) -> Sequence[str]:
        wanted = set(orders)
        return [id for id, s in self._waiting().items() if wanted & set(s.waiting_for or ())]

    async def waiting(self, after: str, limit: int) -> Mapping[str, Sequence[str]]:
        found = {id: s.waiting_for or [] for id, s in self._waiting().items() if id > after}
        return dict(list(found.items())[:limit])

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        states = {id: self.state(id) for id in sorted(self.documents())}
        due = [id for id, s in states.items() if s and s.waiting_until and s.waiting_until <= now]
        return due[:limit]

    async def count_waiting(self) -> int:
        return len(self._waiting())


class World:
    """One instance of the service. Its stores may be shared with others."""

    def __init__(
        self,
        shipments: Shipments | None = None,
        ledgers: Ledgers | None = None,
        *,
        limit: int = 100,
        seconds: int = 60,
    ) -> None:
        self.shipments: Any = shipments if shipments is not None else FakeShipments()
        self.ledgers: Any = ledgers if ledgers is not None else FakeLedgers()
        self.publisher = FakePublisher("shipments")
        self.clock = FakeClock()
        self.metrics = Metrics()
        self.handlers = ShipmentHandlers(
            service="shipments",
            shipments=self.shipments,
            ledgers=self.ledgers,
            publisher=self.publisher,
            clock=self.clock,
            metrics=self.metrics,
            rules=WaitingRules(limit, timedelta(seconds=seconds)),
        )
        resources = Resources(
            Settings(), cast("Any", None), self.publisher, self.metrics, self.clock
        )
        self._processors = (
            LedgerConsumer("shipments", self.ledgers, self.handlers, resources),
            CommandConsumer(self.handlers),
        )

    async def take(self, *messages: Message[Any]) -> None:
        """Takes one batch, as the runner does."""
        for processor in self._processors:
            share = [message for message in messages if message.type in processor.types]
            if share:
                await processor.process(share)

    async def relay(self) -> None:
        """Publishes what a crash left behind, as the outbox relay does."""
        later = self.clock() + timedelta(days=1)
        unsent = [found.id async for found in self.shipments.unsent(later, 1000)]
        for aggregate in (await self.shipments.load(unsent)).values():
            await self.publisher.publish(
                entry for entry in aggregate.outbox if not self.publisher.is_published(entry.id)
            )

    @property
    def rejections(self) -> list[CommandRejected]:
        return self.publisher.bodies(COMMAND_REJECTED)

    @property
    def errors(self) -> list[Error]:
        """All errors of all refusals, in order."""
        return [error for rejected in self.rejections for error in rejected.errors]

    @property
    def codes(self) -> list[str]:
        return [error.error_code for error in self.errors]

    @property
    def reconciled(self) -> list[ShipmentEvent]:
        return self.publisher.bodies(SHIPMENT_RECONCILED)


def order(
    id: str = "O-1", lines: Mapping[str, int] | None = None, *, type: Any = SUBMITTED, **at: Any
) -> Message[OrderNews]:
    """An order of ten of line 1 and ten of line 2, or of ``lines``."""
    status = "Canceled" if type is CANCELED else "Open"
    quantities = {"1": 10, "2": 10} if lines is None else lines
    body = {
        "Order": {"ID": id, "FromCompanyID": "acme", "Status": status},
        "LineItems": [{"ID": line, "Quantity": units} for line, units in quantities.items()],
    }
    return message(type, body, key=id, **at)


def forwarded(
    order_id: str = "O-1",
    supplier: str = "north",
    lines: Sequence[str] = ("1", "2"),
    *,
    id: str | None = None,
    **at: Any,
) -> Message[SupplierOrderNews]:
    body = {
        "Order": {"ID": id or f"{order_id}-{supplier}", "ToCompanyID": supplier},
        "LineItems": [{"ID": line} for line in lines],
        "BuyerOrderID": order_id,
    }
    return message(FORWARDED, body, key=order_id, **at)


def create(
    id: str = "S-1",
    items: Items | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Message[CreateShipment]:
    """Two of line 1 of O-1, or ``items``. ``fields`` have wire names."""
    carried = {("O-1", "1"): 2} if items is None else items
    return message(CREATE_SHIPMENT, {"ID": id, "Items": _items(carried), **fields}, **(at or {}))


def update(
    id: str = "S-1",
    items: Items | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Message[UpdateShipment]:
    carried = {} if items is None else {"Items": _items(items)}
    return message(UPDATE_SHIPMENT, {"ID": id, **carried, **fields}, **(at or {}))


def taken(ledger: Ledger | None) -> dict[tuple[str, str], int]:
    """Units by shipment and line."""
    assert ledger is not None
    return {(e.shipment_id, e.line_item_id): e.quantity for e in ledger.entries}


def _items(items: Items) -> list[dict[str, Any]]:
    return [
        {"OrderID": order_id, "LineItemID": line, "QuantityShipped": units}
        for (order_id, line), units in items.items()
    ]
