"""Pricing's request side on stores in memory: several processes, crashes, interleavings."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from services.pricing.allotments import Allotment
from services.pricing.domain.reference import Reference
from services.pricing.granting import Granting
from services.pricing.quote_memory import QuoteMemory
from services.pricing.quotes import Quote, fold_quote
from services.pricing.requests import OrderRequests, RequestProcessor
from services.pricing.sourcing import Places
from shared.aggregates import Aggregate
from shared.contracts.base import Resource
from shared.contracts.orders import OrderPriced, PriceOrder
from shared.contracts.registry import ORDER_PRICED, PRICE_ORDER, RELEASE_ORDER
from shared.messaging.message import Message
from shared.messaging.processor import AggregateProcessor
from shared.metrics import Metrics
from tests.support.fakes import FakeClock, FakePublisher, FakeStore, message
from tests.unit.pricing.builders import line, reference, request, terms

S = TypeVar("S", bound=Resource)


class Crash(Exception):
    """The process is gone."""


class SteppedStore(FakeStore[S]):
    """A store whose calls let other processes go first, before and after: as many times as the
    next of ``steps`` says."""

    def __init__(self, state: type[S], steps: Iterable[int] = ()) -> None:
        super().__init__(state)
        self.steps: Iterator[int] = iter(steps)

    async def _step(self) -> None:
        for _ in range(next(self.steps, 0)):
            await asyncio.sleep(0)

    async def load(
        self, ids: Iterable[str], *, presumed_new: Collection[str] = ()
    ) -> dict[str, Aggregate[S]]:
        await self._step()
        found = await super().load(ids, presumed_new=presumed_new)
        await self._step()
        return found

    async def save(self, aggregates: Sequence[Aggregate[S]]) -> set[str]:
        await self._step()
        lost = await super().save(aggregates)
        await self._step()
        return lost


class Shop:
    """What the processes share: the stores, the catalogue and the clock."""

    def __init__(self, stock: dict[str, int] | None = None, **catalogue: Any) -> None:
        self.allotments = SteppedStore(Allotment)
        self.quotes = SteppedStore(Quote)
        self.reference: Reference = reference(**catalogue)
        self.places = Places("marketplace")
        self.clock = FakeClock()
        for product, quantity in (stock or {}).items():
            self.allotments.put(f"inventory/{product}", Allotment(records={"*": quantity}))

    def process(self) -> "Process":
        return Process(self)

    def left(self, product: str = "mug") -> dict[str, int]:
        state = self.allotments.state(f"inventory/{product}")
        assert state is not None
        return state.records

    def pending(self, product: str = "mug") -> list[str]:
        state = self.allotments.state(f"inventory/{product}")
        assert state is not None
        return list(state.pending)

    def held(self, order: str, allotment: str = "inventory/mug") -> int:
        """Units that an order's quote holds."""
        quote = self.quotes.state(order)
        grants = [] if quote is None else quote.grants
        return sum(sum(grant.units.values()) for grant in grants if grant.allotment == allotment)


class Process:
    """One pricing process; a crashed one is replaced by a new one."""

    def __init__(self, shop: Shop) -> None:
        self.publisher = FakePublisher("pricing")
        metrics = Metrics()
        quotes = QuoteMemory(shop.quotes)

        async def places(ids: set[str]) -> Places:
            return shop.places

        async def read(requests: Sequence[PriceOrder]) -> Reference:
            return shop.reference

        granting = Granting(
            shop.allotments, quotes, places, shop.clock, metrics.lost_races.labels("pricing").inc
        )
        self._processor = RequestProcessor(
            AggregateProcessor(
                service="pricing",
                types=(PRICE_ORDER, RELEASE_ORDER),
                store=quotes,
                fold=fold_quote,
                prepare=OrderRequests(read, terms(), granting).answer,
                publisher=self.publisher,
                clock=shop.clock,
                metrics=metrics,
            ),
            granting,
        )

    async def take(self, *messages: Message[Any]) -> None:
        await self._processor.process(messages)

    def answers(self) -> list[OrderPriced]:
        return self.publisher.bodies(ORDER_PRICED)


def ask(order: str = "O-1", quantity: int = 1, **fields: Any) -> Message[PriceOrder]:
    """A request for mugs, or for the ``line_items`` given."""
    lines = fields.pop("line_items", [line(quantity=quantity)])
    return message(PRICE_ORDER, request(*lines, order_id=order, **fields))


def release(order: str = "O-1") -> Message[Any]:
    return message(RELEASE_ORDER, {"OrderID": order})
