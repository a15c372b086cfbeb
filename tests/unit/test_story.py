"""An order's story, told from documents as the services keep them."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from services.checkout.domain.state import OrderState
from services.cli_orders import print_story
from services.forwarding.domain import Forwarding
from services.notifications.domain import Delivery
from services.pricing.quotes import Quote
from services.shipments.shipment import ShipmentState
from services.story import Sources, Story, tell
from tests.support.fakes import START


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def line_document(id: str = "1", **fields: Any) -> dict[str, Any]:
    return {
        "ID": id,
        "ProductID": "mug",
        "Quantity": 2,
        "UnitPrice": "10.00",
        "LineSubtotal": "20.00",
        "LineTotal": "20.00",
        "SupplierID": "north",
        **fields,
    }


def order_document(*, order: dict[str, Any] | None = None, **state: Any) -> dict[str, Any]:
    """An open order of two lines, as checkout keeps it."""
    return {
        "Order": {
            "ID": "O-1",
            "FromCompanyID": "acme",
            "FromUser": {"ID": "ada", "Email": "ada@example.com"},
            "Currency": "USD",
            "Status": "Open",
            "IsSubmitted": True,
            "DateCreated": at(0),
            "DateSubmitted": at(1),
            "LastUpdated": at(1),
            "Subtotal": "1234.50",
            "ShippingCost": "5.00",
            "TaxCost": "1.40",
            "PromotionDiscount": "3.00",
            "Total": "1237.90",
            **(order or {}),
        },
        "LineItems": [line_document(), line_document("2", Quantity=3, SupplierID="south")],
        "Phase": "Settled",
        "Source": "/shop",
        "Promised": True,
        **state,
    }


def part_document(supplier: str, line: str, status: str = "Open", **order: Any) -> dict[str, Any]:
    id = f"O-1-{supplier}"
    return {
        "Order": {
            "ID": id,
            "FromCompanyID": "marketplace",
            "ToCompanyID": supplier,
            "BuyerOrderID": "O-1",
            "Status": status,
            "Currency": "USD",
            "LineItemCount": 1,
            "Total": "20.00",
            "DateCreated": at(2),
            "DateSubmitted": at(2),
            "LastUpdated": at(2),
            **order,
        },
        "LineItems": [line_document(line, SupplierID=supplier)],
    }


def forwarding_document(*parts: dict[str, Any], held: Any = ()) -> dict[str, Any]:
    return {
        "BuyerOrder": order_document()["Order"] if held else None,
        "Parts": list(parts),
        "Held": list(held),
        "Accepted": at(0),
        "Forwarded": at(2),
    }


def shipment_document(id: str = "S-1", **shipment: Any) -> dict[str, Any]:
    return {
        "Shipment": {"ID": id, "DateCreated": at(10), **shipment},
        "Items": [
            {"OrderID": "O-1", "LineItemID": "1", "QuantityShipped": 2},
            {"OrderID": "O-2", "LineItemID": "7", "QuantityShipped": 5},
        ],
    }


def delivery_document(**fields: Any) -> dict[str, Any]:
    return {
        "Channel": "Email",
        "Target": "mailbox-1",
        "Lane": "email",
        "EventType": "OrderSubmitted",
        "OrderID": "O-1",
        "Status": "Delivered",
        "Attempts": 1,
        "Created": at(2),
        "Deadline": at(999),
        "Occurred": at(1),
        "Completed": at(4),
        **fields,
    }


def story(
    order: dict[str, Any] | None = None,
    *,
    forwarding: dict[str, Any] | None = None,
    quote: dict[str, Any] | None = None,
    shipments: dict[str, dict[str, Any]] | None = None,
    deliveries: list[dict[str, Any]] | None = None,
) -> Story:
    return tell(
        Sources(
            OrderState.model_validate(order or order_document()),
            Quote.model_validate(quote) if quote else None,
            Forwarding.model_validate(forwarding) if forwarding else None,
            {id: ShipmentState.model_validate(s) for id, s in (shipments or {}).items()},
            [Delivery.model_validate(delivery) for delivery in deliveries or []],
        )
    )


def printed(story: Story) -> str:
    text = StringIO()
    print_story(story, Console(file=text, width=200, markup=False, highlight=False))
    return text.getvalue()


NORTH, SOUTH = part_document("north", "1"), part_document("south", "2")
SHARE = {"Revision": 1, "Left": True, "Items": {"1": 2, "2": 1}}


@pytest.mark.parametrize(
    ("order", "forwarding", "expected"),
    [
        pytest.param(
            order_document(Phase="Pricing", order={"Status": "Unsubmitted"}),
            None,
            "pricing, to price the order and promise its stock",
            id="being priced",
        ),
        pytest.param(
            order_document(Phase="Promising", order={"Status": "AwaitingApproval"}),
            None,
            "pricing, to promise the stock of the approved order",
            id="being approved",
        ),
        pytest.param(
            order_document(Phase="Rejected", order={"Status": "Unsubmitted"}),
            None,
            "the sender, to correct what it was refused for; the ID may be used again",
            id="refused",
        ),
        pytest.param(
            order_document(order={"Status": "AwaitingApproval"}),
            None,
            "an approver, to send ApproveOrder or DeclineOrder",
            id="awaiting approval",
        ),
        pytest.param(
            order_document(),
            None,
            "forwarding, to split the order over its suppliers",
            id="not forwarded",
        ),
        pytest.param(
            order_document(Shares={"S-1": SHARE}),
            {"Shares": {"S-1": SHARE}},
            "forwarding, to split the order over its suppliers",
            id="only a shipment of it was heard of",
        ),
        pytest.param(
            order_document(),
            forwarding_document(NORTH, held=[line_document("2")]),
            "somebody to name a supplier with AssignSupplier for line 2",
            id="held",
        ),
        pytest.param(
            order_document(Shares={"S-1": SHARE}),
            forwarding_document(NORTH, SOUTH),
            "shipments that have left: 3 of 5 units have",
            id="partly shipped",
        ),
        pytest.param(order_document(order={"Status": "Completed"}), None, None, id="completed"),
        pytest.param(order_document(order={"Status": "Canceled"}), None, None, id="canceled"),
    ],
)
def test_says_what_the_order_waits_for(
    order: dict[str, Any], forwarding: dict[str, Any] | None, expected: str | None
) -> None:
    told = story(order, forwarding=forwarding)

    assert told.waits_for == expected


def test_the_time_line_is_sorted_and_names_the_events() -> None:
    told = story(
        order_document(order={"Status": "Completed", "DateCompleted": at(13)}),
        forwarding=forwarding_document(
            part_document("north", "1", "Completed", DateCompleted=at(12)),
            held=[line_document("2")],
        ),
        shipments={"S-1": shipment_document(DateShipped=at(11), DateDelivered=at(20))},
        deliveries=[
            delivery_document(),
            delivery_document(EventType="OrderShipmentsChanged", Occurred=at(14), Completed=None),
        ],
    )

    assert [(m.at, m.event, m.subject) for m in told.timeline] == [
        (at(0), "PlaceOrder", "order O-1"),
        (at(1), "OrderSubmitted", "order O-1"),
        (at(2), "SupplierOrderForwarded", "supplier order O-1-north"),
        (at(2), "LineItemsHeld", "line 2"),
        (at(4), "NotificationDelivered", "Email about OrderSubmitted"),
        (at(10), "ShipmentCreated", "shipment S-1"),
        (at(11), "ShipmentShipped", "shipment S-1"),
        (at(12), "SupplierOrderCompleted", "supplier order O-1-north"),
        (at(13), "OrderCompleted", "order O-1"),
        (at(14), "OrderShipmentsChanged", "order O-1"),
        (at(20), "ShipmentDelivered", "shipment S-1"),
    ]


def test_an_approved_order_was_not_submitted_separately() -> None:
    told = story(order_document(order={"DateApproved": at(5), "DateSubmitted": at(5)}))

    assert [moment.event for moment in told.timeline] == ["PlaceOrder", "OrderApproved"]


def test_a_shipment_is_told_with_the_orders_own_items_only() -> None:
    told = story(shipments={"S-1": shipment_document()})

    [shipment] = told.shipments
    assert [(i.order_id, i.line_item_id, i.quantity_shipped) for i in shipment.items] == [
        ("O-1", "1", 2)
    ]


def test_a_shipment_that_waits_for_its_order_is_told_and_an_emptied_one_is_not() -> None:
    told = story(
        shipments={
            "S-1": {"WaitingFor": ["O-1-south"], "WaitingUntil": at(99)},
            "S-2": {**shipment_document("S-2"), "Items": []},
        }
    )

    [shipment] = told.shipments
    assert (shipment.id, shipment.waits_for, shipment.items) == ("S-1", ["O-1-south"], [])


@pytest.mark.parametrize(
    ("quote", "stock"),
    [
        (None, "not asked for yet"),
        ({"RequestID": "r"}, "not promised"),
        ({"RequestID": "r", "Promised": True}, "promised"),
        ({"RequestID": "r", "Released": True}, "given back"),
    ],
)
def test_says_what_pricing_holds(quote: dict[str, Any] | None, stock: str) -> None:
    assert story(quote=quote).stock == stock


def test_no_mailbox_is_told_of_a_notification() -> None:
    told = story(
        deliveries=[
            delivery_document(
                Status="Failed",
                Attempts=3,
                Error="550 5.1.1 <ada@example.com>: no such user",
                Address="ada@example.com",
                Body='{"Order": {}}',
            )
        ]
    )

    assert told.notifications is not None
    [notification] = told.notifications
    assert (notification.status, notification.attempts) == ("Failed", 3)
    assert notification.error == "550 5.1.1 <(mailbox)>: no such user"
    assert "ada@" not in notification.model_dump_json()


def test_deliveries_that_could_not_be_searched_are_not_taken_for_none() -> None:
    order = OrderState.model_validate(order_document())

    told = tell(Sources(order, deliveries=None))

    assert told.notifications is None
    assert "too many are kept to search them" in printed(told)


def test_the_json_document_has_the_wires_names() -> None:
    told = story(forwarding=forwarding_document(NORTH), shipments={"S-1": shipment_document()})

    document = told.model_dump(mode="json", exclude_none=True)

    assert document["Order"]["ID"] == "O-1"
    assert document["Order"]["Total"] == 1237.9
    assert document["WaitsFor"] == "shipments that have left: 0 of 5 units have"
    assert document["SupplierOrders"][0]["Order"]["ID"] == "O-1-north"
    assert document["Shipments"][0]["ID"] == "S-1"
    assert set(document["Timeline"][0]) == {"At", "Event", "Subject"}


def test_prints_the_whole_story() -> None:
    told = story(
        order_document(
            LineItems=[
                line_document(QuantityShipped=2, Sources=[{"LocationID": "berlin", "Quantity": 2}]),
                line_document("2", Quantity=3, SupplierID="south"),
            ],
            Promotions=[{"ID": "p", "Code": "SPRING", "Amount": "3.00"}],
            Payments=[{"ID": "1", "Type": "PurchaseOrder", "Amount": "1237.90"}],
        ),
        forwarding=forwarding_document(NORTH, held=[line_document("2", SupplierID=None)]),
        shipments={
            "S-1": shipment_document(DateShipped=at(11), Shipper="UPS", TrackingNumber="1Z999")
        },
        deliveries=[delivery_document()],
    )

    text = printed(told)

    for expected in (
        "acme, user ada",
        "-3.00 (SPRING)",
        "1,237.90 USD",
        "PurchaseOrder 1,237.90",
        "berlin: 2",
        "Held until AssignSupplier names a supplier",
        "O-1-north",
        "2 of line 1",
        "2026-01-02 03:04:16.000",
        "1Z999",
        "mailbox-1",
        "SupplierOrderForwarded",
    ):
        assert expected in text
    assert "ada@example.com" not in text


def test_prints_what_a_refused_order_was_refused_for() -> None:
    told = story(
        order_document(
            Phase="Rejected",
            Errors=[{"ErrorCode": "NotFound", "Message": "There is no product cup."}],
            order={"Status": "Unsubmitted"},
        )
    )

    text = printed(told)

    assert "Refused" in text
    assert "There is no product cup." in text
    assert told.timeline[-1].event == "CommandRejected"


def test_what_others_wrote_cannot_command_the_terminal() -> None:
    told = story(order_document(Comments="\x1b[2Jring [bold]twice[/bold]\x07"))

    text = printed(told)

    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[2Jring [bold]twice[/bold]" in text
