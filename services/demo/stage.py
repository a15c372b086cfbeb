"""What the outside systems heard and did, in one place."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from services.demo.outside import Body, OutsideEvent, OutsideSystem

CREATION = "create-"
"""With a shipment's ID after it, the ``ce_id`` of the command that reports it."""

QUIET_SECONDS = 20.0
"""When nothing was heard for so long, the demo says what is missing instead of waiting on."""


@dataclass
class Stage:
    """Everything that outside systems heard and did, by order."""

    wanted: int
    saved: int = 0
    accepted: dict[str, float] = field(default_factory=dict)
    forwarded: dict[str, float] = field(default_factory=dict)
    completed: dict[str, float] = field(default_factory=dict)
    latest: dict[str, Body] = field(default_factory=dict)
    """The last event of each order."""
    state: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, list[Body]] = field(default_factory=dict)
    other_refusals: list[Body] = field(default_factory=list)
    supplier_orders: dict[str, str] = field(default_factory=dict)
    """Status by supplier order ID."""
    shipments: dict[str, int] = field(default_factory=dict)
    """Units that the suppliers sent out, by shipment."""
    reconciled: int = 0
    notified: dict[str, str] = field(default_factory=dict)
    """Outcome by notification ID."""
    expected_notifications: int = 0
    departures: set[tuple[str, str]] = field(default_factory=set)
    """Mailed departures: (order, shipment)."""
    to_ship: asyncio.Queue[Body] = field(default_factory=asyncio.Queue)
    to_judge: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    finished: set[str] = field(default_factory=set)
    """Orders that need nobody any more."""

    @property
    def done(self) -> int:
        return len(self.finished)

    def hear(self, event: OutsideEvent) -> None:
        """Takes in one event."""
        body = event.body
        if event.type.endswith("Saved"):
            self.saved += 1
        elif event.type == "CommandRejected":
            if body["Command"]["Type"] == "PlaceOrder":
                self.rejected[body["OrderID"]] = body["Errors"]
                self.finished.add(body["OrderID"])
            else:
                self.other_refusals.append(body)
        elif event.type == "SupplierOrderForwarded":
            self.supplier_orders[body["Order"]["ID"]] = "Open"
            self.forwarded.setdefault(body["BuyerOrderID"], event.time)
            self.to_ship.put_nowait(body)
        elif event.type.startswith("SupplierOrder"):
            self.supplier_orders[body["Order"]["ID"]] = body["Order"]["Status"]
        elif event.type == "ShipmentReconciled":
            self.reconciled += 1
        elif event.type.startswith("Notification"):
            self.notified[body["ID"]] = event.type.removeprefix("Notification")
        elif event.type.startswith("Order"):
            self._order(event)
        self.moved.set()

    def _order(self, event: OutsideEvent) -> None:
        order = event.body["Order"]
        self.latest[order["ID"]] = event.body
        self.state[order["ID"]] = order["Status"]
        if order["Status"] in ("Completed", "Canceled", "Declined"):
            self.finished.add(order["ID"])
        if event.type == "OrderCompleted":
            self.completed[order["ID"]] = event.time
        if event.type == "OrderAwaitingApproval":
            self.to_judge.put_nowait(order["ID"])
        # Mail on submission, each departure, completion and cancellation, where there is a
        # mailbox; the webhook gets the last two.
        ended = event.type in ("OrderCompleted", "OrderCanceled")
        self.expected_notifications += ended
        if "Email" not in order["FromUser"]:
            return
        self.expected_notifications += ended or event.type in ("OrderSubmitted", "OrderApproved")
        if event.type == "OrderShipmentsChanged" and "DateShipped" in event.body["Shipment"]:
            self.departures.add((order["ID"], event.body["Shipment"]["ID"]))

    @property
    def refused_units(self) -> Counter[str]:
        """Units of shipments that were refused, by the first reason given: a supplier may ship
        while the order is canceled."""
        reasons = {
            body["Command"]["ID"].removeprefix(CREATION): body["Errors"][0]["ErrorCode"]
            for body in self.other_refusals
            if body["Command"]["Type"] == "CreateShipment"
        }
        units = Counter[str]()
        for shipment, reason in reasons.items():
            units[reason] += self.shipments[shipment]
        return units

    async def until_notified(self, outside: OutsideSystem) -> None:
        """Waits until every notification that is due has an outcome."""
        while len(self.notified) < self.due:
            if time.monotonic() - outside.last_event > QUIET_SECONDS:
                return
            await asyncio.sleep(0.05)

    @property
    def due(self) -> int:
        """Notifications that the events so far call for."""
        return self.expected_notifications + len(self.departures)
