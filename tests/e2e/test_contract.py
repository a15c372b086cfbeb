"""What stands on the topics is as the generated contract says."""

import json
from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from shared.contracts.flows import producers, types_of
from shared.contracts.registry import find_type
from shared.schemas import headers
from tests.e2e.conftest import NewID
from tests.e2e.goods import SHIPPED_AT, line, open_shop, order_body, place, shipment_body
from tests.support.contract import faults, header_faults
from tests.support.deployment import Deployment
from tests.support.outside import EVENT_TOPICS, Headers, OutsideSystem, Record

BETWEEN = ("pricing.requests", "pricing.results")


def records(kafka: str, *topics: str) -> Iterator[Record]:
    """Everything that stands on ``topics`` now."""
    consumer = Consumer(
        {"bootstrap.servers": kafka, "group.id": "contract", "enable.auto.commit": False}
    )
    known = consumer.list_topics(timeout=20).topics
    left = {}
    for topic in topics:
        for partition in known[topic].partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), 20)
            if high > low:
                left[topic, partition] = high
    consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in left])
    while left:
        message = consumer.poll(20)
        assert message is not None, f"{left} could not be read to their ends"
        assert message.error() is None, message.error()
        place = str(message.topic()), message.partition() or 0
        if (message.offset() or 0) + 1 >= left.get(place, 0):
            left.pop(place, None)
        yield Record(place[0], message.key(), message.value(), list(message.headers() or []))
    consumer.close()


def texts(given: Headers) -> dict[str, str]:
    return {name: (value or b"").decode() for name, value in given}


async def test_every_event_is_of_its_schema_from_its_producer_under_its_key(
    engine: Deployment, outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("x"))
    order, refused = own("order"), own("refused")
    await place(outside, order_body(order, shop.buyer, line("1", shop.product, 2)))
    await outside.command(
        "CreateShipment", shipment_body(own("ship"), (order, "1", 2), DateShipped=SHIPPED_AT)
    )
    await outside.command("PlaceOrder", order_body(refused, "nobody", line("1", "nothing")))
    await outside.event("OrderCompleted", order)
    await outside.event("CommandRejected", refused)

    found: list[str] = []
    seen: set[str] = set()
    for record in records(engine.kafka, *EVENT_TOPICS, *BETWEEN):
        name, body = record.header("ce_type"), json.loads(record.value or b"")
        type = find_type(record.topic, name)
        assert type is not None, f"{name} is no type of {record.topic}"
        seen.add(name)
        found += faults(record.topic, name, body)
        found += header_faults(headers.EVENT, texts(record.headers))
        sender = record.header("ce_source").removeprefix("/ordermesh/")
        if sender not in producers(type):
            found.append(f"{name} came from {sender}")
        if (record.key or b"").decode() != type.key(type.body.model_validate(body)):
            found.append(f"{name} has the key {record.key!r}")

    assert found == []
    assert {
        "BuyerSaved", "ProductSaved", "OrderSubmitted", "OrderShipmentsChanged", "OrderCompleted",
        "SupplierOrderForwarded", "SupplierOrderCompleted", "ShipmentCreated", "ShipmentShipped",
        "ShipmentReconciled", "CommandRejected", "PriceOrder", "OrderPriced",
    } <= seen  # fmt: skip


async def test_dead_letters_have_the_headers_that_are_promised(
    engine: Deployment, outside: OutsideSystem, own: NewID
) -> None:
    mark = own("unreadable").encode()
    for topic in ("orders.commands", "shipments.commands"):
        await outside.produce(topic, b"{", mark, [("ce_type", types_of(topic)[0].name.encode())])

    await outside.until(
        lambda: len([letter for letter in outside.dead_letters if letter.key == mark]) == 2,
        lambda: "the dead letters did not come",
        20,
    )

    letters = [letter for letter in outside.dead_letters if letter.key == mark]
    assert [header_faults(headers.DEAD_LETTER, texts(letter.headers)) for letter in letters] == [
        [], [],
    ]  # fmt: skip
