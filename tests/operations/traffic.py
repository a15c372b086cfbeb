"""Orders that keep coming while something is broken."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import uuid4

from tests.e2e.goods import SHIPPED_AT, Shop, line, open_shop, order_body, shipment_body
from tests.support.outside import Body, OutsideSystem

MAIL = "ada@example.com"


class Traffic:
    """Places orders of one shop, ships them, and remembers none of them."""

    def __init__(self, outside: OutsideSystem, shop: Shop) -> None:
        self.outside = outside
        self.shop = shop
        self._sent: set[asyncio.Task[str]] = set()

    def place(self, count: int, product: str | None = None) -> list[str]:
        """Sends so many orders, of ``product`` or the shop's own, and does not wait."""
        ids = [f"o-{uuid4().hex}" for _ in range(count)]
        for id in ids:
            body = order_body(
                id,
                self.shop.buyer,
                line("L1", product or self.shop.product),
                order={"FromUser": {"ID": "ada", "Email": MAIL}},
            )
            self.send("PlaceOrder", body)
        return ids

    def ship(self, orders: Iterable[str]) -> None:
        """Sends the whole of each of these orders on its way."""
        for order in orders:
            body = shipment_body(f"s-{order}", (order, "L1", 1), DateShipped=SHIPPED_AT)
            self.send("CreateShipment", body)

    def send(self, type: str, body: Body) -> None:
        """Sends a command and does not wait: Kafka may be down."""
        task = asyncio.create_task(self.outside.command(type, body))
        self._sent.add(task)
        task.add_done_callback(self._sent.discard)

    async def settle(self) -> None:
        """Returns when Kafka has taken all that was sent."""
        await asyncio.gather(*self._sent)

    async def flow(self, pause: float = 0.25) -> None:
        """An order every so many seconds, each shipped a little later, until cancelled."""
        placed: list[str] = []
        while True:
            placed += self.place(1)
            if len(placed) > 8:
                self.ship([placed.pop(0)])
            await asyncio.sleep(pause)

    def give_up(self) -> None:
        for task in list(self._sent):
            task.cancel()


@asynccontextmanager
async def traffic(kafka: str) -> AsyncIterator[Traffic]:
    """Orders flow while it is entered."""
    async with OutsideSystem(kafka) as outside:
        sent = Traffic(outside, await open_shop(outside, uuid4().hex[:6]))
        flowing = asyncio.create_task(sent.flow())
        try:
            yield sent
        finally:
            flowing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await flowing
            sent.give_up()
