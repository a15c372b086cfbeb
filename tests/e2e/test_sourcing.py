"""Who fills a line, and from where."""

from typing import Any

from tests.e2e.conftest import NewID
from tests.e2e.goods import (
    SHIPPED_AT,
    line,
    open_shop,
    order_body,
    place,
    priced_product,
    quantities,
    refused,
    shipment_body,
)
from tests.support.outside import OutsideSystem

DENVER = {"City": "Denver", "Country": "US", "Latitude": 39.74, "Longitude": -104.99}
BOSTON = {"City": "Boston", "Country": "US", "Latitude": 42.36, "Longitude": -71.06}
# Nearer to Boston than to Denver.
NEW_YORK = {"City": "New York", "Country": "US", "Latitude": 40.71, "Longitude": -74.01}


async def test_lines_without_a_supplier_are_held_until_one_is_assigned(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    order, orphaned, late = own("order"), own("orphaned"), own("late")
    await outside.save_all(
        [*priced_product(orphaned, None, 7), ("Supplier", {"ID": late, "Name": "Late"})]
    )

    await place(
        outside,
        order_body(order, shop.buyer, line("L1", shop.product), line("L2", orphaned, 2)),
    )

    held = await outside.event("LineItemsHeld", order)
    assert held["BuyerOrderID"] == order
    assert held["Reason"]
    assert [(x["ID"], x["ProductID"], x["Quantity"]) for x in held["LineItems"]] == [
        ("L2", orphaned, 2)
    ]
    first = await outside.event("SupplierOrderForwarded", order)
    assert (first["Order"]["ID"], [x["ID"] for x in first["LineItems"]]) == (
        f"{order}-{shop.supplier}",
        ["L1"],
    )
    unknown = await refused(
        outside,
        "AssignSupplier",
        {
            "OrderID": order,
            "Assignments": [
                {"LineItemID": "L2", "SupplierID": "nobody"},
                {"LineItemID": "L1", "SupplierID": late},
            ],
        },
        order,
    )
    assert [(x["ErrorCode"], x["Data"]) for x in unknown] == [
        ("NotFound", {"ObjectType": "Supplier", "ObjectID": "nobody"}),
        ("NotFound", {"ObjectType": "LineItem", "ObjectID": "L1"}),
    ]

    await outside.command(
        "AssignSupplier",
        {"OrderID": order, "Assignments": [{"LineItemID": "L2", "SupplierID": late}]},
    )

    second = (await outside.events("SupplierOrderForwarded", order, 2))[1]
    assert second["Order"]["ID"] == f"{order}-{late}"
    assert [(x["ID"], x["Quantity"], x["SupplierID"]) for x in second["LineItems"]] == [
        ("L2", 2, late)
    ]
    await outside.command(
        "CreateShipment",
        shipment_body(
            own("s"), (order, "L1", 1), (f"{order}-{late}", "L2", 2), DateShipped=SHIPPED_AT
        ),
    )
    assert quantities(await outside.event("OrderCompleted", order)) == {"L1": 1, "L2": 2}


async def test_the_marketplace_itself_may_be_a_supplier(outside: OutsideSystem, own: NewID) -> None:
    shop = await open_shop(outside, own("shop"))
    order, product = own("order"), own("ours")
    await outside.save_all(priced_product(product, "marketplace", 7))

    await place(
        outside, order_body(order, shop.buyer, line("L1", product), line("L2", shop.product))
    )

    parts = await outside.events("SupplierOrderForwarded", order, 2)
    assert {
        x["Order"]["ID"]: (
            x["Order"]["FromCompanyID"],
            x["Order"]["ToCompanyID"],
            [one["ID"] for one in x["LineItems"]],
        )
        for x in parts
    } == {
        f"{order}-marketplace": ("marketplace", "marketplace", ["L1"]),
        f"{order}-{shop.supplier}": ("marketplace", shop.supplier, ["L2"]),
    }


async def test_stock_comes_from_the_nearest_location_that_has_it(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    west, east = own("west"), own("east")

    def rule(**more: Any) -> dict[str, Any]:
        return {"ID": shop.supplier, "Strategy": "Nearest", **more}

    await outside.save_all(
        [
            ("Location", {"ID": west, "OwnerID": shop.supplier, "Address": DENVER, "Priority": 1}),
            ("Location", {"ID": east, "OwnerID": shop.supplier, "Address": BOSTON, "Priority": 2,
                          "Type": "Store"}),
            ("SourcingRule", rule(AllowSplit=False)),
            ("Inventory", {"ID": shop.product, "LocationID": west, "QuantityAvailable": 100}),
        ]
    )  # fmt: skip
    await outside.save(
        "Inventory", {"ID": shop.product, "LocationID": east, "QuantityAvailable": 6}
    )

    async def sources(name: str, quantity: int) -> list[tuple[str, int]]:
        """Orders to New York; where the supplier is told to take the line from."""
        order = own(name)
        await place(
            outside,
            order_body(
                order, shop.buyer, line("L1", shop.product, quantity),
                order={"ShippingAddress": NEW_YORK},
            ),
        )  # fmt: skip
        part = await outside.event("SupplierOrderForwarded", order)
        return [(x["LocationID"], x["Quantity"]) for x in part["LineItems"][0]["Sources"]]

    assert await sources("near", 4) == [(east, 4)]
    # Two are left in the east: too few for a line that may not be split, until it may.
    assert await sources("far", 3) == [(west, 3)]
    await outside.save("SourcingRule", rule(AllowSplit=True))
    assert await sources("split", 3) == [(east, 2), (west, 1)]
    errors = await refused(
        outside,
        "PlaceOrder",
        order_body(own("much"), shop.buyer, line("L1", shop.product, 97)),
        own("much"),
    )
    assert [(x["ErrorCode"], x["Data"]) for x in errors] == [
        (
            "Inventory.Insufficient",
            {
                "ProductID": shop.product,
                "LineItemIDs": ["L1"],
                "Available": 96,
                "Requested": 97,
            },
        )
    ]
