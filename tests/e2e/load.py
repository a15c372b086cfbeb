"""A small load: orders that are placed, shipped by both of their suppliers, and audited."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.goods import (
    SHIPPED_AT,
    line,
    order_body,
    priced_product,
    quantities,
    shipment_body,
)
from tests.support.outside import Body, OutsideSystem

_LIMIT = 120.0


@dataclass
class Load:
    """``count`` orders of two suppliers: three units in two shipments from the one, two units in
    a shipment from the other that is announced first. All IDs end in ``mark``."""

    outside: OutsideSystem
    mark: str
    count: int
    running: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def suppliers(self) -> tuple[str, str]:
        return f"one-{self.mark}", f"two-{self.mark}"

    @property
    def orders(self) -> list[str]:
        return [f"o{number:03d}-{self.mark}" for number in range(self.count)]

    def email(self, order: str) -> str:
        return f"{order}@example.com"

    async def prepare(self) -> None:
        """Saves the catalogue; of each product there is exactly as much as will be ordered."""
        one, two = self.suppliers
        resources: list[tuple[str, Body]] = [("Buyer", {"ID": f"b-{self.mark}", "Name": "Buyer"})]
        for supplier, each in ((one, 3), (two, 2)):
            stock = {"ID": f"p-{supplier}", "QuantityAvailable": each * self.count}
            resources += [
                ("Supplier", {"ID": supplier, "Name": "Supplier"}),
                *priced_product(f"p-{supplier}", supplier, 10),
                ("Inventory", stock),
            ]
        await self.outside.save_all(resources)

    def begin(self, orders: list[str]) -> None:
        """Places these orders and lets their suppliers act."""
        self.running += [asyncio.create_task(self._whole(order)) for order in orders]

    async def end(self) -> None:
        """Returns when every order that was begun is completed."""
        await asyncio.gather(*self.running)

    def completed(self) -> int:
        """How many orders are completed."""
        return sum(bool(self.outside.all("OrderCompleted", order)) for order in self.orders)

    async def placed(self, count: int) -> None:
        """Returns when so many orders were submitted."""
        await self.outside.until(
            lambda: sum(bool(self.outside.all("OrderSubmitted", x)) for x in self.orders) >= count,
            lambda: f"not {count} orders were submitted",
            _LIMIT,
        )

    async def _whole(self, order: str) -> None:
        one, two = self.suppliers
        body = order_body(
            order,
            f"b-{self.mark}",
            line("L1", f"p-{one}", 3),
            line("L2", f"p-{two}", 2),
            order={"FromUser": {"ID": order, "Email": self.email(order)}},
            Payments=[{"Type": "CreditCard"}],
        )
        await self._send("PlaceOrder", body, order)
        await self.outside.events("SupplierOrderForwarded", order, 2, _LIMIT)
        left = {"DateShipped": SHIPPED_AT}
        ids = self.shipments(order)
        await self._send("CreateShipment", shipment_body(ids[0], (order, "L1", 2), **left), ids[0])
        await self._send(
            "CreateShipment", shipment_body(ids[1], (f"{order}-{one}", "L1", 1), **left), ids[1]
        )
        await self._send("CreateShipment", shipment_body(ids[2], (order, "L2", 2)), ids[2])
        await self._send("UpdateShipment", {"ID": ids[2], **left}, f"leave-{ids[2]}")
        await self.outside.event("OrderCompleted", order, _LIMIT)
        await self.outside.events("SupplierOrderCompleted", order, 2, _LIMIT)

    async def _send(self, type: str, body: Body, id: str) -> None:
        await self.outside.command(type, body, id=id)

    def shipments(self, order: str) -> list[str]:
        return [f"{order}-s{number}" for number in range(3)]

    async def audit(self) -> None:
        """Every order was handled once and exactly; nothing was refused or set aside."""
        for order in self.orders:
            self._audit_order(order)
        marked = [
            record
            for record in self.outside.dead_letters
            if self.mark.encode() in (record.value or b"") + (record.key or b"")
        ]
        assert marked == []
        # Every unit of stock is promised, once: nothing is left, and nothing was missing.
        for supplier in self.suppliers:
            order = f"left-{supplier}"
            id = await self.outside.command(
                "PlaceOrder", order_body(order, f"b-{self.mark}", line("L1", f"p-{supplier}"))
            )
            (error,) = (await self.outside.rejection(id, order))["Errors"]
            assert (error["ErrorCode"], error["Data"]["Available"]) == ("Inventory.Insufficient", 0)

    def _audit_order(self, order: str) -> None:
        outside, (one, two) = self.outside, self.suppliers
        told: dict[str, list[Any]] = {
            type: outside.all(type, order)
            for type in (
                "CommandRejected", "OrderSubmitted", "OrderCompleted", "OrderCanceled",
                "SupplierOrderForwarded", "SupplierOrderCompleted", "SupplierOrderCanceled",
                "LineItemsHeld",
            )
        }  # fmt: skip
        assert {type: len(bodies) for type, bodies in told.items() if bodies} == {
            "OrderSubmitted": 1,
            "OrderCompleted": 1,
            "SupplierOrderForwarded": 2,
            "SupplierOrderCompleted": 2,
        }, (order, told["CommandRejected"])
        for type in ("SupplierOrderForwarded", "SupplierOrderCompleted"):
            parts = sorted(body["Order"]["ID"] for body in told[type])
            assert parts == sorted([f"{order}-{one}", f"{order}-{two}"])
        (completed,) = told["OrderCompleted"]
        assert quantities(completed) == {"L1": 3, "L2": 2}
        assert quantities(outside.all("OrderShipmentsChanged", order)[-1]) == {"L1": 3, "L2": 2}
        for shipment in self.shipments(order):
            assert len(outside.all("ShipmentCreated", shipment)) == 1
            assert len(outside.all("ShipmentShipped", shipment)) == 1
