"""Kafka in: which messages the service takes, as much of them as it reads, and who gets them."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.shipments.handlers import ShipmentHandlers
from services.shipments.ledger import Ledger
from services.shipments.store import Ledgers
from shared.contracts.base import Resource
from shared.contracts.orders import OrderStatus
from shared.contracts.registry import (
    CREATE_SHIPMENT,
    ORDER_APPROVED,
    ORDER_CANCELED,
    ORDER_SUBMITTED,
    SUPPLIER_ORDER_FORWARDED,
    UPDATE_SHIPMENT,
    MessageType,
)
from shared.messaging.message import Message
from shared.messaging.processor import AggregateProcessor, Decision, no_context
from shared.service import Resources


class OrderSeen(Resource):
    id: str
    from_company_id: str
    status: str


class LineSeen(Resource):
    id: str
    quantity: int


class OrderNews(Resource):
    """What is read of an event on ``orders.events``."""

    order: OrderSeen
    line_items: list[LineSeen]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.order.id,)

    @property
    def ledger_id(self) -> str:
        return self.order.id

    def enter(self, ledger: Ledger) -> Ledger:
        return ledger.with_order(
            self.order.from_company_id,
            {line.id: line.quantity for line in self.line_items},
            self.order.status == OrderStatus.CANCELED,
        )


class SupplierOrderSeen(Resource):
    id: str
    to_company_id: str


class ForwardedLineSeen(Resource):
    id: str


class SupplierOrderNews(Resource):
    """What is read of an event on ``supplier-orders.events``."""

    order: SupplierOrderSeen
    line_items: list[ForwardedLineSeen]
    buyer_order_id: str

    @property
    def names(self) -> tuple[str, ...]:
        return self.buyer_order_id, self.order.id

    @property
    def ledger_id(self) -> str:
        return self.buyer_order_id

    def enter(self, ledger: Ledger) -> Ledger:
        return ledger.with_part(
            self.order.id, self.order.to_company_id, (line.id for line in self.line_items)
        )


_SUBMITTED = ORDER_SUBMITTED.reading(OrderNews)
LEDGER_TYPES: tuple[MessageType[Any], ...] = (
    _SUBMITTED,
    ORDER_APPROVED.reading(OrderNews),
    ORDER_CANCELED.reading(OrderNews),
    SUPPLIER_ORDER_FORWARDED.reading(SupplierOrderNews),
)


def fold_ledger(
    state: Ledger | None, message: Message[OrderNews | SupplierOrderNews], context: None
) -> Decision[Ledger]:
    """Enters into an order's ledger what an event tells of it."""
    ledger = message.body.enter(state if state is not None else Ledger())
    return Decision(ledger.with_trace(message.trace))


class LedgerConsumer:
    """Keeps the ledgers, then applies the shipments that waited for one of them."""

    types = frozenset(LEDGER_TYPES)

    def __init__(
        self, service: str, ledgers: Ledgers, handlers: ShipmentHandlers, resources: Resources
    ) -> None:
        self._handlers = handlers
        self._keep = AggregateProcessor(
            service=service,
            types=LEDGER_TYPES,
            store=ledgers,
            fold=fold_ledger,
            prepare=no_context,
            publisher=resources.publisher,
            clock=resources.clock,
            metrics=resources.metrics,
            keys=_ledger_of,
            observe=self._observe,
            creating=[_SUBMITTED],
        )
        self._unentered: set[str] = set()

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        self._unentered.clear()
        await self._keep.process(messages)
        await self._handlers.wake(
            {name for message in messages for name in message.body.names},
            {message.body.ledger_id for message in messages} - self._unentered,
        )

    def _observe(
        self, message: Message[Any], before: Ledger | None, decision: Decision[Ledger]
    ) -> None:
        """Notes the ledgers that have just been written without any entry: whoever enters
        something from now on finds the order in them."""
        if decision.state is not None and decision.state.entries:
            self._unentered.discard(message.key)
        else:
            self._unentered.add(message.key)


class CommandConsumer:
    """Takes the shipments' commands."""

    types: frozenset[MessageType[Any]] = frozenset((CREATE_SHIPMENT, UPDATE_SHIPMENT))

    def __init__(self, handlers: ShipmentHandlers) -> None:
        self._handlers = handlers

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        await self._handlers.take(messages)


def _ledger_of(message: Message[Any]) -> Iterable[str]:
    return (message.body.ledger_id,)
