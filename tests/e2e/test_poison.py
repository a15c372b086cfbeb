"""Bad records among good ones, foreign ways to send a command, and duplicates of everything."""

import asyncio
import json
from uuid import uuid4

import pytest

from tests.e2e.conftest import NewID
from tests.e2e.goods import (
    SHIPPED_AT,
    Shop,
    line,
    open_shop,
    order_body,
    place,
    quantities,
    refused,
    shipment_body,
)
from tests.support.outside import Body, Headers, OutsideSystem, Record
from tests.support.poison import headers, poisons
from tests.support.receivers import MailReceiver

DL_HEADERS = ["dl_topic", "dl_partition", "dl_offset", "dl_error", "dl_attempts", "dl_time"]


@pytest.mark.parametrize("topic", ["orders.commands", "shipments.commands"])
async def test_exactly_the_bad_records_are_set_aside_unchanged_and_their_neighbours_applied(
    outside: OutsideSystem, own: NewID, topic: str
) -> None:
    shop = await open_shop(outside, own("shop"))
    key = own("poisoned").encode()
    orders = [own(f"order{number}") for number in range(5)]
    if topic == "orders.commands":
        type, event = "PlaceOrder", "OrderSubmitted"
        good = [order_body(order, shop.buyer, line("L1", shop.product)) for order in orders]
        bad = poisons(type, order_body(key.decode(), shop.buyer, line("L1", shop.product)))
    else:
        type, event = "CreateShipment", "OrderCompleted"
        for order in (*orders, key.decode()):
            await place(outside, order_body(order, shop.buyer, line("L1", shop.product)))
        good = [
            shipment_body(own(f"s{number}"), (order, "L1", 1), DateShipped=SHIPPED_AT)
            for number, order in enumerate(orders)
        ]
        bad = poisons(type, shipment_body(key.decode(), (key.decode(), "L1", 1)))

    # A good command after every third bad record; all go out at once.
    sending: dict[str, asyncio.Future[tuple[int, int]]] = {}
    neighbours = []
    for number, (name, (value, head)) in enumerate(bad.items()):
        sending[name] = asyncio.ensure_future(outside.produce(topic, value, key, head))
        if number % 3 == 0:
            neighbours.append(outside.command(type, good[number // 3]))
    await asyncio.gather(*sending.values(), *neighbours)

    for order in orders:
        await outside.event(event, order)

    def ours(record: Record) -> bool:
        return record.key == key

    await outside.until(
        lambda: len(outside.letters(topic, ours)) >= len(bad),
        lambda: f"{len(outside.letters(topic, ours))} of {len(bad)} dead letters",
        20,
    )
    letters = {
        (int(letter.header("dl_partition")), int(letter.header("dl_offset"))): letter
        for letter in outside.letters(topic, ours)
    }
    assert len(outside.letters(topic, ours)) == len(letters) == len(bad)
    for name, (value, head) in bad.items():
        letter = letters[sending[name].result()]
        assert letter.value == value, name
        assert letter.headers[: len(head)] == head, name
        assert [header for header, _ in letter.headers[len(head) :]] == DL_HEADERS, name
        assert letter.header("dl_topic") == topic
        assert letter.header("dl_attempts") == "1"
        assert letter.header("dl_error"), name
    mark = own("").encode()
    assert not outside.letters(topic, lambda x: mark in (x.key or b"") and not ours(x))
    # What was set aside changed nothing and was not refused a second time.
    assert not outside.all("CommandRejected", key.decode())
    assert not outside.all("ShipmentCreated", key.decode())


async def test_commands_without_a_key_or_with_a_wrong_one_are_applied_once(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    keyless, misplaced, anonymous = own("keyless"), own("misplaced"), own("anonymous")

    def value(order: str) -> bytes:
        return json.dumps(order_body(order, shop.buyer, line("L1", shop.product))).encode()

    nameless = [x for x in headers("PlaceOrder") if x[0] not in ("ce_id", "ce_source")]
    await outside.produce("orders.commands", value(keyless), None, headers("PlaceOrder"))
    await outside.produce("orders.commands", value(misplaced), b"other", headers("PlaceOrder"))
    await outside.produce("orders.commands", value(anonymous), None, nameless)

    for order in (keyless, misplaced, anonymous):
        await outside.event("SupplierOrderForwarded", order)
        # Its cancellation is refused by nobody but the order itself.
        await outside.command("CancelOrder", {"OrderID": order})
        await outside.event("SupplierOrderCanceled", order)
        assert outside.types(order) == [
            "OrderCanceled x1", "OrderSubmitted x1", "SupplierOrderCanceled x1",
            "SupplierOrderForwarded x1",
        ]  # fmt: skip


async def test_a_command_in_structured_mode_is_applied_and_its_duplicate_in_binary_mode_is_not(
    outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    order, id = own("order"), uuid4().hex
    body = order_body(order, shop.buyer, line("L1", shop.product, 2, UnitPrice=1.10))
    event = {
        "specversion": "1.0",
        "id": id,
        "source": outside.source,
        "type": "PlaceOrder",
        "time": "2031-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": body,
    }
    structured: Headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]

    await outside.produce("orders.commands", json.dumps(event).encode(), order.encode(), structured)

    submitted = await outside.event("OrderSubmitted", order)
    assert submitted["Order"]["Subtotal"] == 2.20
    await outside.command("PlaceOrder", body, id=id)
    # Were it taken as another command, it would be refused for the ID before this one is.
    await refused(outside, "ApproveOrder", {"OrderID": order}, order)
    assert len(outside.all("CommandRejected", order)) == 1


async def _thrice(outside: OutsideSystem, commands: dict[str, tuple[str, Body]]) -> None:
    for id, (type, body) in commands.items():
        for _ in range(3):
            await outside.command(type, body, id=id)


async def test_every_command_of_an_order_sent_again_and_again_counts_once(
    outside: OutsideSystem, own: NewID, mails: MailReceiver
) -> None:
    shop: Shop = await open_shop(outside, own("shop"))
    await outside.save("Inventory", {"ID": shop.product, "QuantityAvailable": 7})
    order, address = own("order"), f"{own('ada')}@example.com"
    placing: dict[str, tuple[str, Body]] = {
        own("place"): (
            "PlaceOrder",
            order_body(
                order, shop.buyer, line("L1", shop.product, 5),
                order={"FromUser": {"ID": "ada", "Email": address}},
                Payments=[{"Type": "CreditCard"}],
            ),
        )
    }  # fmt: skip
    shipping: dict[str, tuple[str, Body]] = {
        own("ship-1"): (
            "CreateShipment",
            shipment_body(own("s1"), (order, "L1", 2), DateShipped=SHIPPED_AT),
        ),
        own("ship-2"): ("CreateShipment", shipment_body(own("s2"), (order, "L1", 2))),
        own("change-2"): ("UpdateShipment", shipment_body(own("s2"), (order, "L1", 3))),
        own("leave-2"): ("UpdateShipment", {"ID": own("s2"), "DateShipped": SHIPPED_AT}),
    }

    await _thrice(outside, placing)
    await outside.event("SupplierOrderForwarded", order)
    await _thrice(outside, shipping)
    await outside.event("OrderCompleted", order)
    await _thrice(outside, placing)
    await _thrice(outside, shipping)

    # These are refused after all that was sent before them has been looked at.
    await refused(outside, "CancelOrder", {"OrderID": order}, order)
    for shipment in (own("s1"), own("s2")):
        await refused(outside, "UpdateShipment", {"ID": shipment, "DateShipped": None}, order)
    await outside.events("NotificationDelivered", order, 4)
    assert outside.types(order) == [
        "CommandRejected x3",
        "NotificationDelivered x4",
        "OrderCompleted x1",
        "OrderShipmentsChanged x4",
        "OrderSubmitted x1",
        "SupplierOrderCompleted x1",
        "SupplierOrderForwarded x1",
    ]
    assert [quantities(x) for x in outside.all("OrderShipmentsChanged", order)][-1] == {"L1": 5}
    assert quantities(outside.all("OrderCompleted", order)[0]) == {"L1": 5}
    # Stock went down once: two of seven are left.
    errors = await refused(
        outside, "PlaceOrder", order_body(own("o3"), shop.buyer, line("L1", shop.product, 3)),
        own("o3"),
    )  # fmt: skip
    assert errors[0]["Data"]["Available"] == 2
    # A mail of a later order has come: so has everything before it, and nothing twice.
    later = f"{own('bob')}@example.com"
    await place(
        outside,
        order_body(
            own("later"), shop.buyer, line("L1", shop.product),
            order={"FromUser": {"ID": "bob", "Email": later}},
        ),
    )  # fmt: skip
    await outside.event("NotificationDelivered", own("later"))
    assert sorted(mail["Subject"] for mail in mails.mails if mail["To"] == address) == [
        f"A shipment of your order {order} is on its way",
        f"A shipment of your order {order} is on its way",
        f"We have received your order {order}",
        f"Your order {order} is complete",
    ]
