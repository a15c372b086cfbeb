"""One order in full agreement, to be changed by a test: documents as the services keep them and
what was said of them."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aiokafka import TopicPartition

from services.checkout.domain.state import OrderState
from services.forwarding.domain import Forwarding
from services.pricing.quotes import Quote
from services.reconcile.findings import Finding
from services.reconcile.heard import (
    Heard,
    Readers,
    Said,
    order_digest,
    part_digest,
    shipment_digest,
)
from services.reconcile.kept import Kept, Whole
from services.reconcile.orders import compare_order
from services.reconcile.shipments import compare_shipment, items_of
from services.reconcile.told import (
    compare_shipment_told,
    compare_told,
    event_type,
    supplier_order_event,
)
from services.shipments.ledger import Ledger
from services.shipments.shipment import ShipmentState
from services.topic_reader import Place
from tests.support.fakes import START

SERVICES = ("checkout", "pricing", "forwarding", "shipments")


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def line(id: str, quantity: int, shipped: int = 0) -> dict[str, Any]:
    return {
        "ID": id, "ProductID": f"p-{id}", "Quantity": quantity, "QuantityShipped": shipped,
        "SupplierID": "north", "UnitPrice": "10.00", "LineTotal": f"{quantity * 10}.00",
    }  # fmt: skip


def kept(state: Any, **more: Any) -> Kept[Any]:
    return Kept("O-1", 3, state, at(10), **more)


@dataclass
class World:
    """Documents by kind, each in full agreement with the others: an order of two lines, 2 and 1
    units; ``shipped`` of line L1 are on shipment S-1 and have left; with all 3 it is completed."""

    order: dict[str, Any]
    quote: dict[str, Any] | None
    forwarding: dict[str, Any] | None
    ledger: dict[str, Any] | None
    shipment: dict[str, Any] | None = None
    heard: Heard = field(default_factory=Heard)
    read_to: int = 1_000
    seen: frozenset[str] = frozenset()

    def whole(self) -> Whole:
        def of(kind: Any, document: Any) -> Any:
            if document is None:
                return None
            return kept(kind.model_validate(document), seen=self.seen)

        return Whole(
            "O-1",
            of(OrderState, self.order),
            of(Quote, self.quote),
            of(Forwarding, self.forwarding),
            of(Ledger, self.ledger),
        )

    def carried(self) -> Kept[ShipmentState] | None:
        if self.shipment is None:
            return None
        return replace(kept(ShipmentState.model_validate(self.shipment)), id="S-1")

    def said(self) -> "World":
        """Says on the topics what is kept, as it is now."""
        whole, shipment = self.whole(), self.carried()
        assert whole.order is not None
        state = whole.order.state
        type = event_type(state)
        if type is not None:
            event = state.event(type)
            updated = round(state.order.last_updated.timestamp() * 1000)
            said = self._event("orders.events", type.name, order_digest(event.body), updated)
            self.heard.orders["O-1"] = said
            self.heard.submitted["O-1"] = replace(said, type="OrderSubmitted", id="submitted")
        for part in whole.forwarding.state.parts if whole.forwarding else []:
            updated = round(part.order.last_updated.timestamp() * 1000)
            content = part_digest(supplier_order_event(part))
            said = self._event("supplier-orders.events", "SupplierOrderForwarded", content, updated)
            self.heard.parts[part.order.id] = self.heard.forwarded[part.order.id] = said
        if shipment is not None and shipment.state.shipment is not None:
            sent = shipment.state.shipment
            content = shipment_digest(items_of(shipment.state), sent.date_shipped)
            self.heard.reconciled["S-1"] = self._event(
                "shipments.events", "ShipmentReconciled", content, sent.revision
            )
        return self

    def _event(self, topic: str, type: str, digest: str, counts: int) -> Said:
        return Said(Place(topic, 0, 5), at(5), type, f"id-{type}", digest, counts)

    def readers(self) -> Readers:
        topics = [
            "orders.events", "supplier-orders.events", "shipments.events", "pricing.requests",
            "pricing.results",
        ]  # fmt: skip
        read = {TopicPartition(topic, 0): self.read_to for topic in topics}
        return Readers(dict.fromkeys(SERVICES, read))

    def findings(self) -> dict[str, Finding]:
        """All that disagrees, by kind."""
        whole, readers, shipment = self.whole(), self.readers(), self.carried()
        found = [*compare_order(whole, self.heard, readers), *compare_told(whole, self.heard)]
        if shipment is not None:
            found += compare_shipment_told(shipment, self.heard)
        for id in sorted(whole.shipment_ids() | ({"S-1"} if shipment else set())):
            found += compare_shipment(
                id, shipment if id == "S-1" else None, whole, self.heard, readers
            )
        kinds = {finding.kind: finding for finding in found}
        assert len(kinds) == len(found), "a kind was found twice"
        return kinds


def world(shipped: int = 0) -> World:
    """A world in agreement; ``shipped`` is 0, 2 (all of line L1) or 3 (everything)."""
    done = shipped == 3
    items = {"L1": 2} if shipped == 2 else {"L1": 2, "L2": 1} if done else {}
    lines = [line("L1", 2, items.get("L1", 0)), line("L2", 1, items.get("L2", 0))]
    share = {"S-1": {"Revision": 1, "Left": True, "Items": items}} if items else {}
    status = "Completed" if done else "Open"
    dates = {"DateCreated": at(0), "DateSubmitted": at(1), "LastUpdated": at(2)}
    order = {
        "Order": {
            "ID": "O-1", "FromCompanyID": "acme", "Currency": "USD", "Status": status,
            "IsSubmitted": True, "LineItemCount": 2, "Total": "30.00", **dates,
        },
        "LineItems": lines, "Promised": True, "Shares": share,
    }  # fmt: skip
    part = {
        "Order": {
            "ID": "O-1-north", "FromCompanyID": "market", "ToCompanyID": "north",
            "BuyerOrderID": "O-1", "Status": status, "Currency": "USD", "LineItemCount": 2, **dates,
        },
        "LineItems": lines,
    }  # fmt: skip
    grant = {"Allotment": "inventory/p-L1", "Mark": 1, "Units": {"berlin": 2}}
    entries = [
        {"ShipmentID": "S-1", "LineItemID": id, "Quantity": count, "Version": 1}
        for id, count in items.items()
    ]
    made = World(
        order,
        {"RequestID": "r-1", "Promised": True, "Grants": [grant]},
        {"Parts": [part], "Accepted": at(0), "Forwarded": at(2), "Shares": share},
        {
            "BuyerID": "acme",
            "Lines": {"L1": 2, "L2": 1},
            "Parts": [{"ID": "O-1-north", "SupplierID": "north", "LineItemIDs": ["L1", "L2"]}],
            "Entries": entries,
        },
    )
    if items:
        made.shipment = {
            "Shipment": {"ID": "S-1", "Revision": 1, "DateCreated": at(3), "DateShipped": at(4)},
            "Items": [
                {"OrderID": "O-1", "LineItemID": id, "QuantityShipped": count}
                for id, count in items.items()
            ],
        }
    # Nothing is shared between the services.
    for name in ("order", "quote", "forwarding", "ledger", "shipment"):
        setattr(made, name, deepcopy(getattr(made, name)))
    return made.said()
