"""What the benchmark trades in: a catalogue, orders and the shipments that fill them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SUPPLIERS = 2
_QUANTITIES = (3, 1, 2)
_SCHEDULES = 200


@dataclass(frozen=True, slots=True)
class Goods:
    """``products`` in the catalogue, every fourth with tracked stock; orders of ``lines`` lines,
    alternately of two suppliers, with a promotion and a payment."""

    products: int = 200
    lines: int = 3

    def catalogue(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Commands that make the marketplace: 10 buyers, 2 suppliers, the products with their
        price schedules, one promotion."""
        for n in range(10):
            yield "SaveBuyer", {"ID": f"bench-buyer-{n}", "Name": f"Buyer {n}"}
        for n in range(SUPPLIERS):
            yield "SaveSupplier", {"ID": f"bench-supplier-{n}", "Name": f"Supplier {n}"}
        breaks = [{"Quantity": 1, "Price": 19.99}, {"Quantity": 3, "Price": 17.49}]
        for n in range(min(self.products, _SCHEDULES)):
            name = f"bench-prices-{n}"
            yield "SavePriceSchedule", {"ID": name, "Name": name, "PriceBreaks": breaks}
        for n in range(self.products):
            product: dict[str, Any] = {
                "ID": _product(n),
                "Name": f"Product {n}",
                "DefaultSupplierID": f"bench-supplier-{n % SUPPLIERS}",
                "DefaultPriceScheduleID": f"bench-prices-{n % _SCHEDULES}",
            }
            if n % 4 == 0:
                product["Inventory"] = {"Enabled": True, "QuantityAvailable": 100_000_000}
            yield "SaveProduct", product
        yield (
            "SavePromotion",
            {"ID": "bench-promotion", "Code": "BENCH", "DiscountType": "Percentage", "Value": 10},
        )

    def order(self, id: str, number: int) -> bytes:
        """The body of a ``PlaceOrder``."""
        address = {
            "FirstName": "Ada", "LastName": "Example", "Street1": f"{number} Main Street",
            "City": "Portland", "State": "OR", "Zip": "97201", "Country": "US",
        }  # fmt: skip
        first = number * 2
        lines = [
            {
                "ID": f"L{line}",
                "ProductID": _product((first + line) % self.products),
                "Quantity": _quantity(line),
            }
            for line in range(self.lines)
        ]
        return json.dumps(
            {
                "Order": {
                    "ID": id,
                    "FromCompanyID": f"bench-buyer-{number % 10}",
                    "FromUser": {"ID": "ada", "FirstName": "Ada", "LastName": "Example",
                                 "Email": "ada@example.com"},
                    "BillingAddress": address,
                    "ShippingAddress": address,
                    "xp": {"Channel": "bench", "Cart": number},
                },
                "LineItems": lines,
                "Payments": [{"ID": "P1", "Type": "CreditCard", "Amount": 100 * self.lines + 200}],
                "Promotions": ["BENCH"],
            }
        ).encode()  # fmt: skip

    def shipment(self, order: str, supplier: int, now: str) -> bytes:
        """The body of a ``CreateShipment`` of all that ``supplier`` (0 or 1) has of an order."""
        items = [
            {"OrderID": order, "LineItemID": f"L{line}", "QuantityShipped": _quantity(line)}
            for line in range(supplier, self.lines, SUPPLIERS)
        ]
        return json.dumps(
            {
                "ID": f"{order}-S{supplier}", "SupplierID": f"bench-supplier-{supplier}",
                "Shipper": "Bench Parcel", "TrackingNumber": f"BP{order}", "DateShipped": now,
                "Items": items,
            }
        ).encode()  # fmt: skip


def _product(number: int) -> str:
    return f"bench-product-{number}"


def _quantity(line: int) -> int:
    return _QUANTITIES[line % len(_QUANTITIES)]
