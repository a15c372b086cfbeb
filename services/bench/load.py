"""The load: whole orders of three lines from two suppliers, with a promotion, a payment and two
shipments each. A client that costs little, because it shares the machine with what it measures."""

import asyncio
import json
import time
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.checks import DeploymentError

PRODUCTS = 200
_STALLED_SECONDS = 30.0


def catalogue() -> list[tuple[str, dict[str, Any]]]:
    """Commands that make the marketplace: 10 buyers, 2 suppliers, 200 products, one promotion.
    Every fourth product has tracked stock."""
    commands: list[tuple[str, dict[str, Any]]] = [
        ("SaveBuyer", {"ID": f"bench-buyer-{n}", "Name": f"Buyer {n}"}) for n in range(10)
    ]
    commands += [
        ("SaveSupplier", {"ID": f"bench-supplier-{n}", "Name": f"Supplier {n}"}) for n in range(2)
    ]
    breaks = [{"Quantity": 1, "Price": 19.99}, {"Quantity": 3, "Price": 17.49}]
    for number in range(PRODUCTS):
        product = f"bench-product-{number}"
        schedule = {"ID": product, "Name": product, "PriceBreaks": breaks}
        commands.append(("SavePriceSchedule", schedule))
        body: dict[str, Any] = {
            "ID": product,
            "Name": f"Product {number}",
            "DefaultSupplierID": f"bench-supplier-{number % 2}",
            "DefaultPriceScheduleID": product,
        }
        if number % 4 == 0:
            body["Inventory"] = {"Enabled": True, "QuantityAvailable": 100_000_000}
        commands.append(("SaveProduct", body))
    promotion = {
        "ID": "bench-promotion",
        "Code": "BENCH",
        "DiscountType": "Percentage",
        "Value": 10,
    }
    commands.append(("SavePromotion", promotion))
    return commands


def order_body(order: str, number: int) -> bytes:
    """``PlaceOrder`` of three lines: two of the first supplier, one of the second."""
    first = number * 2 % PRODUCTS
    address = {
        "FirstName": "Ada", "LastName": "Example", "Street1": f"{number} Main Street",
        "City": "Portland", "State": "OR", "Zip": "97201", "Country": "US",
    }  # fmt: skip
    return json.dumps(
        {
            "Order": {
                "ID": order,
                "FromCompanyID": f"bench-buyer-{number % 10}",
                "FromUser": {"ID": "ada", "FirstName": "Ada", "LastName": "Example",
                             "Email": "ada@example.com"},
                "BillingAddress": address,
                "ShippingAddress": address,
                "xp": {"Channel": "bench", "Cart": number},
            },
            "LineItems": [
                {"ID": "L1", "ProductID": f"bench-product-{first}", "Quantity": 3},
                {"ID": "L2", "ProductID": f"bench-product-{(first + 2) % PRODUCTS}", "Quantity": 1},
                {"ID": "L3", "ProductID": f"bench-product-{(first + 1) % PRODUCTS}", "Quantity": 2},
            ],
            "Payments": [{"ID": "P1", "Type": "CreditCard", "Amount": 500}],
            "Promotions": ["BENCH"],
        }
    ).encode()  # fmt: skip


_ITEMS = (("L1", 3), ("L2", 1)), (("L3", 2),)


def _shipment(order: str, supplier: int, now: str) -> bytes:
    items = [
        {"OrderID": order, "LineItemID": line, "QuantityShipped": quantity}
        for line, quantity in _ITEMS[supplier]
    ]
    return json.dumps(
        {
            "ID": f"{order}-S{supplier}", "SupplierID": f"bench-supplier-{supplier}",
            "Shipper": "Bench Parcel", "TrackingNumber": f"BP{order}", "DateShipped": now,
            "Items": items,
        }
    ).encode()  # fmt: skip


class Load:
    """Places orders, ships what is forwarded, and notes when each order got how far.

    Times are those of the records, in seconds since 1970: an order is accepted when the broker
    took its command, forwarded with the first of its supplier orders.
    """

    def __init__(self, kafka: str) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=kafka, acks="all", linger_ms=5, compression_type="lz4",
            max_batch_size=256 * 1024,
        )  # fmt: skip
        self._consumer = AIOKafkaConsumer(
            "orders.events", "supplier-orders.events", "commands.rejected", "catalog.events",
            bootstrap_servers=kafka, auto_offset_reset="earliest",
        )  # fmt: skip
        self.placed = 0
        self.saved = 0
        self.rejected: list[bytes] = []
        self.accepted: dict[str, float] = {}
        self.forwarded: dict[str, float] = {}
        self.completed: dict[str, float] = {}
        self._heard = time.monotonic()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._producer.start()
        await self._consumer.start()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._consumer.stop()
        await self._producer.stop()

    async def load_catalogue(self) -> None:
        commands = catalogue()
        for number, (name, body) in enumerate(commands):
            await self._send(
                "catalog.commands", name, body["ID"], json.dumps(body).encode(), str(number)
            )
        await self._until(lambda: self.saved >= len(commands))

    async def burst(self, prefix: str, count: int, in_flight: int) -> float:
        """Places ``count`` orders with at most ``in_flight`` under way; returns the seconds from
        the first placed to the last completed."""
        started, done = time.time(), len(self.completed)
        for number in range(count):
            while number - (len(self.completed) - done) >= in_flight:
                self._check()
                await asyncio.sleep(0.005)
            await self._place(f"{prefix}-{number}", number)
        await self._until(lambda: len(self.completed) - done >= count)
        return max(self.completed.values()) - started

    async def steady(self, prefix: str, rate: float, seconds: float) -> list[str]:
        """Places ``rate`` orders/s for ``seconds``, whatever becomes of them; returns their IDs
        once all are completed."""
        started, done, orders = time.monotonic(), len(self.completed), []
        for number in range(int(rate * seconds)):
            wait = started + number / rate - time.monotonic()
            if wait > 0.001:
                await asyncio.sleep(wait)
            orders.append(f"{prefix}-{number}")
            await self._place(orders[-1], number)
        await self._until(lambda: len(self.completed) - done >= len(orders))
        return orders

    async def _place(self, order: str, number: int) -> None:
        self.placed += 1
        sent = await self._send(
            "orders.commands", "PlaceOrder", order, order_body(order, number), f"place-{order}"
        )
        sent.add_done_callback(
            lambda taken: self.accepted.__setitem__(order, taken.result().timestamp / 1000)
        )

    async def _send(
        self, topic: str, name: str, key: str, body: bytes, id: str
    ) -> "asyncio.Future[Any]":
        headers = [
            ("ce_type", name.encode()), ("ce_source", b"/bench"), ("ce_id", id.encode()),
        ]  # fmt: skip
        sent: asyncio.Future[Any] = await self._producer.send(
            topic, key=key.encode(), value=body, headers=headers
        )
        return sent

    async def _read(self) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=20, max_records=2_000)
            for place, records in batches.items():
                for record in records:
                    await self._take(place.topic, record)
                self._heard = time.monotonic()
            # Events come by the dozen; a short rest makes them cheaper to take in.
            await asyncio.sleep(0.01)

    async def _take(self, topic: str, record: Any) -> None:
        name = dict(record.headers)["ce_type"]
        if name == b"SupplierOrderForwarded":
            order = record.key.decode()
            self.forwarded.setdefault(order, record.timestamp / 1000)
            supplier = 0 if b'"ToCompanyID":"bench-supplier-0"' in record.value else 1
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            shipment = f"{order}-S{supplier}"
            await self._send(
                "shipments.commands", "CreateShipment", shipment, _shipment(order, supplier, now),
                shipment,
            )  # fmt: skip
        elif name == b"OrderCompleted":
            self.completed[record.key.decode()] = record.timestamp / 1000
        elif name == b"CommandRejected":
            self.rejected.append(record.value)
        elif topic == "catalog.events":
            self.saved += 1

    async def _until(self, done: Any) -> None:
        self._heard = time.monotonic()
        while not done():
            self._check()
            await asyncio.sleep(0.02)

    def _check(self) -> None:
        if self._reading is not None and self._reading.done():
            self._reading.result()
        if self.rejected:
            raise DeploymentError(f"A command of the benchmark was refused: {self.rejected[0]!r}")
        if time.monotonic() - self._heard > _STALLED_SECONDS:
            raise DeploymentError(
                f"Nothing was heard for {_STALLED_SECONDS:.0f} s: {self.placed} orders placed, "
                f"{len(self.forwarded)} forwarded, {len(self.completed)} completed."
            )
