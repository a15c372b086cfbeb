"""Shipments: parts, several of a line, several orders in one, announced first, changed, refused,
early, and never claimed."""

from datetime import UTC, datetime

from tests.e2e.conftest import WAITING_SECONDS, NewID, Orphan
from tests.e2e.goods import (
    SHIPPED_AT,
    line,
    open_shop,
    order_body,
    place,
    quantities,
    refused,
    shipment_body,
    utc,
)
from tests.support.outside import OutsideSystem


async def test_an_order_completes_only_when_its_last_announced_unit_has_left(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    order, other = own("order"), own("other")
    supplier_order = f"{order}-{shop.supplier}"
    first, second, third = own("s1"), own("s2"), own("s3")
    await place(
        outside,
        order_body(order, shop.buyer, line("L1", shop.product, 5), line("L2", shop.product, 2)),
    )
    await place(outside, order_body(other, shop.buyer, line("L1", shop.product)))

    await outside.command(
        "CreateShipment", shipment_body(first, (order, "L1", 2), DateShipped=SHIPPED_AT)
    )
    await outside.events("OrderShipmentsChanged", order, 1)
    # Announced: three more of the same line, one of another under the supplier's order ID, and
    # one of another order.
    await outside.command(
        "CreateShipment",
        shipment_body(
            second, (order, "L1", 3), (supplier_order, "L2", 1), (other, "L1", 1),
            TrackingNumber="before",
        ),
    )  # fmt: skip
    await outside.events("OrderShipmentsChanged", order, 2)
    await outside.command(
        "UpdateShipment", shipment_body(second, (order, "L2", 0), TrackingNumber="after")
    )
    await outside.events("OrderShipmentsChanged", order, 3)
    await outside.command(
        "CreateShipment", shipment_body(third, (order, "L2", 2), DateShipped=SHIPPED_AT)
    )
    await outside.events("OrderShipmentsChanged", order, 4)
    assert "OrderCompleted" not in " ".join(outside.types(order) + outside.types(other))
    await outside.command("UpdateShipment", {"ID": second, "DateShipped": SHIPPED_AT})

    completed = await outside.event("OrderCompleted", order)
    other_completed = await outside.event("OrderCompleted", other)
    changed = await outside.events("OrderShipmentsChanged", order, 5)
    assert [quantities(event) for event in changed] == [
        {"L1": 2, "L2": 0},
        {"L1": 5, "L2": 1},
        {"L1": 5, "L2": 0},
        {"L1": 5, "L2": 2},
        {"L1": 5, "L2": 2},
    ]
    assert {event["Order"]["Status"] for event in changed} == {"Open"}
    assert [event["Shipment"]["ID"] for event in changed] == [first, second, second, third, second]
    assert changed[4]["Shipment"] == {
        "ID": second, "TrackingNumber": "after", "DateShipped": SHIPPED_AT,
    }  # fmt: skip
    assert len(outside.all("OrderCompleted", order)) == 1
    assert quantities(completed) == {"L1": 5, "L2": 2}
    assert quantities(other_completed) == {"L1": 1}
    assert utc(completed["Order"]["DateCompleted"]) >= utc(changed[3]["Order"]["LastUpdated"])
    shipped = await outside.event("ShipmentShipped", second)
    assert shipped["Shipment"]["TrackingNumber"] == "after"
    assert [
        (x["OrderID"], x["SupplierOrderID"], x["LineItemID"], x["QuantityShipped"])
        for x in shipped["Items"]
    ] == [
        (order, supplier_order, "L1", 3),
        (other, f"{other}-{shop.supplier}", "L1", 1),
    ]
    part = await outside.event("SupplierOrderCompleted", order)
    assert (part["Order"]["ID"], quantities(part)) == (supplier_order, {"L1": 5, "L2": 2})


async def test_a_delivered_shipment_is_told_once_and_may_not_be_delivered_before_it_left(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    order, shipment = own("order"), own("s")
    await place(outside, order_body(order, shop.buyer, line("L1", shop.product)))
    await outside.command(
        "CreateShipment", shipment_body(shipment, (order, "L1", 1), DateShipped=SHIPPED_AT)
    )
    await outside.event("OrderCompleted", order)

    early = {"ID": shipment, "DateDelivered": "2031-05-02T09:29:59Z"}
    (error,) = await refused(outside, "UpdateShipment", early, order)
    await outside.command("UpdateShipment", {"ID": shipment, "DateDelivered": SHIPPED_AT})

    assert error["ErrorCode"] == "ValidationFailure"
    delivered = await outside.event("ShipmentDelivered", shipment)
    assert delivered["Shipment"]["DateDelivered"] == SHIPPED_AT
    assert delivered["Shipment"]["Revision"] == 2
    assert outside.types(order).count("OrderCompleted x1") == 1


async def test_shipments_that_were_never_ordered_are_refused_with_the_numbers(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    order = own("order")
    await place(outside, order_body(order, shop.buyer, line("L1", shop.product, 5)))
    await outside.command("CreateShipment", shipment_body(own("s1"), (order, "L1", 3)))
    await outside.event("OrderShipmentsChanged", order)

    over = await refused(
        outside, "CreateShipment", shipment_body(own("s2"), (order, "L1", 3)), order
    )
    unknown_line = await refused(
        outside, "CreateShipment",
        shipment_body(own("s3"), (order, "L1", 2), (order, "L9", 1)), order,
    )  # fmt: skip
    raised = await refused(
        outside, "UpdateShipment", shipment_body(own("s1"), (order, "L1", 6)), order
    )
    unknown_shipment = await refused(
        outside, "UpdateShipment", shipment_body(own("s4"), (order, "L1", 1)), order
    )
    other_content = await refused(
        outside, "CreateShipment", shipment_body(own("s1"), (order, "L1", 1)), order
    )

    assert [(x["ErrorCode"], x["Data"]) for x in over] == [
        ("ShipmentItem.QuantityExceeded",
         {"OrderID": order, "LineItemID": "L1", "Ordered": 5, "AlreadyShipped": 3, "Requested": 3}),
    ]  # fmt: skip
    assert [(x["ErrorCode"], x["Data"]) for x in unknown_line] == [
        ("NotFound", {"ObjectType": "LineItem", "ObjectID": "L9", "OrderID": order})
    ]
    assert [(x["ErrorCode"], x["Data"]) for x in raised] == [
        ("ShipmentItem.QuantityExceeded",
         {"OrderID": order, "LineItemID": "L1", "Ordered": 5, "AlreadyShipped": 0, "Requested": 6}),
    ]  # fmt: skip
    assert [(x["ErrorCode"], x["Data"]) for x in unknown_shipment] == [
        ("NotFound", {"ObjectType": "Shipment", "ObjectID": own("s4")})
    ]
    assert [(x["ErrorCode"], x["Data"]) for x in other_content] == [
        ("IdExists", {"ObjectType": "Shipment", "ObjectID": own("s1")})
    ]
    # Nothing of what was refused counts: the remaining two units can still be shipped.
    await outside.command(
        "CreateShipment", shipment_body(own("s5"), (order, "L1", 2), DateShipped=SHIPPED_AT)
    )
    changed = await outside.events("OrderShipmentsChanged", order, 2)
    assert [quantities(event) for event in changed] == [{"L1": 3}, {"L1": 5}]


async def test_a_canceled_order_takes_no_shipments(outside: OutsideSystem, own: NewID) -> None:
    shop = await open_shop(outside, own("shop"))
    order = own("order")
    await place(outside, order_body(order, shop.buyer, line("L1", shop.product, 1000)))
    await outside.command("CancelOrder", {"OrderID": order})
    await outside.event("SupplierOrderCanceled", order)

    # Shipments may hear of the cancellation a moment later; then it takes them no more.
    def answers(shipments: int) -> bool:
        taken = [x for x in range(shipments) if outside.all("ShipmentCreated", own(f"s{x}"))]
        return len(taken) + len(outside.all("CommandRejected", order)) == shipments

    for number in range(1000):
        await outside.command("CreateShipment", shipment_body(own(f"s{number}"), (order, "L1", 1)))
        await outside.until(lambda: answers(number + 1), lambda: "no answer", 10)  # noqa: B023
        if outside.all("CommandRejected", order):
            break

    errors = [e for x in outside.all("CommandRejected", order) for e in x["Errors"]]
    assert [(x["ErrorCode"], x["Data"]) for x in errors] == [
        (
            "Order.CannotShipBadStatus",
            {"OrderID": order, "LineItemID": "L1", "Status": "Canceled"},
        )
    ]


async def test_shipments_that_come_before_their_order_wait_and_are_applied(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    order = own("order")
    by_buyers, by_suppliers = own("s1"), own("s2")
    await outside.command("CreateShipment", shipment_body(by_buyers, (order, "L1", 1)))
    await outside.command(
        "CreateShipment",
        shipment_body(by_suppliers, (f"{order}-{shop.supplier}", "L1", 2), DateShipped=SHIPPED_AT),
    )
    await outside.command("UpdateShipment", {"ID": by_buyers, "DateShipped": SHIPPED_AT})

    await place(outside, order_body(order, shop.buyer, line("L1", shop.product, 3)))

    completed = await outside.event("OrderCompleted", order)
    assert quantities(completed) == {"L1": 3}
    assert outside.all("CommandRejected", order) == []
    assert outside.types(by_buyers) == [
        "ShipmentCreated x1", "ShipmentReconciled x2", "ShipmentShipped x1",
    ]  # fmt: skip
    part = await outside.event("SupplierOrderCompleted", order)
    assert quantities(part) == {"L1": 3}


async def test_a_shipment_whose_order_never_comes_is_refused_when_its_time_is_over(
    outside: OutsideSystem, orphan: Orphan
) -> None:
    answer = await outside.rejection(
        orphan.command_id, orphan.order_id, limit=WAITING_SECONDS + 20.0
    )

    assert (datetime.now(UTC) - orphan.sent).total_seconds() >= WAITING_SECONDS
    assert [(x["ErrorCode"], x["Data"]) for x in answer["Errors"]] == [
        (
            "NotFound",
            {
                "ObjectType": "Order",
                "ObjectID": orphan.order_id,
                "WaitedSeconds": WAITING_SECONDS,
            },
        )
    ]
