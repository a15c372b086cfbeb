"""A shop: saves its catalogue, places an order and follows it until it is completed.

    KAFKA=127.0.0.1:9092 python shop.py [ORDER_ID] [SUPPLIER_ID]

Needs confluent-kafka.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

KAFKA = os.environ["KAFKA"]
ORDER = sys.argv[1] if len(sys.argv) > 1 else f"order-{int(time.time())}"
SUPPLIER = sys.argv[2] if len(sys.argv) > 2 else "acme"
LAMP = f"{SUPPLIER}-lamp"
LIMIT = 60.0  # seconds to wait for anything
FOLLOWED = ["catalog.events", "orders.events", "commands.rejected"]
PRODUCER = {
    "bootstrap.servers": KAFKA,
    # The order is accepted when Kafka has acknowledged it, on all replicas.
    "acks": "all",
    "enable.idempotence": True,
    # Java's partitioner. librdkafka's own default is another one, and one key must always go to
    # one partition, whoever sends.
    "partitioner": "murmur2_random",
}

Event = tuple[str, str, dict[str, Any]]


def main() -> None:
    events = follow()
    save_catalogue(events)
    place_order()
    for type, key, body in events:
        if key != ORDER:
            continue
        print(type, body.get("Order", {}).get("Status", ""), flush=True)
        if type == "CommandRejected":
            sys.exit("\n".join(error["Message"] for error in body["Errors"]))
        if type == "OrderCompleted":
            return


def save_catalogue(events: Iterator[Event]) -> None:
    """Saves everything that the order needs and waits until it counts: topics are consumed
    independently, so an order sent right behind its catalogue may come before it."""
    catalogue = [
        ("Supplier", {"ID": SUPPLIER, "Name": "Acme Lamps"}),
        ("Buyer", {"ID": "hotel", "Name": "Hotel Adler", "Currency": "USD"}),
        (
            "PriceSchedule",
            {
                "ID": f"{LAMP}-price",
                "Name": "Lamp",
                "Currency": "USD",
                "PriceBreaks": [{"Quantity": 1, "Price": 20.00}, {"Quantity": 10, "Price": 17.50}],
            },
        ),
        (
            "Product",
            {
                "ID": LAMP,
                "Name": "Lamp",
                "DefaultSupplierID": SUPPLIER,
                "DefaultPriceScheduleID": f"{LAMP}-price",
            },
        ),
    ]
    send(
        # A ce_id names what happened: here, this save for this order.
        ("catalog.commands", f"Save{kind}", body["ID"], f"save-{body['ID']}-for-{ORDER}", body)
        for kind, body in catalogue
    )
    missing = {(f"{kind}Saved", body["ID"]) for kind, body in catalogue}
    for type, key, _ in events:
        missing.discard((type, key))
        if not missing:
            return


def place_order() -> None:
    body = {
        "Order": {
            "ID": ORDER,
            "FromCompanyID": "hotel",
            "FromUser": {"ID": "ada", "Email": "ada@example.com"},
        },
        "LineItems": [{"ID": "1", "ProductID": LAMP, "Quantity": 12}],
    }
    send([("orders.commands", "PlaceOrder", ORDER, f"place-{ORDER}", body)])


def send(commands: Any) -> None:
    """Sends commands (topic, type, key, id, body); returns when Kafka has taken them all."""
    producer = Producer(PRODUCER)
    failures = []
    for topic, type, key, id, body in commands:
        producer.produce(
            topic,
            key=key,
            value=json.dumps(body),
            headers={
                "ce_specversion": "1.0",
                "ce_type": type,  # what the body is
                "ce_source": "/shop/python",  # who sends: the same name every time
                "ce_id": id,  # the same ID when the same command is sent again
                "content-type": "application/json",
            },
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
    if producer.flush(LIMIT) or failures:
        sys.exit(f"not taken, send it again with the same ce_id: {failures or 'no answer'}")


def follow() -> Iterator[Event]:
    """(type, key, body) of every event from now on. A system that must miss nothing uses a
    consumer group instead, as supplier.py does."""
    consumer = Consumer({"bootstrap.servers": KAFKA, "group.id": "shop-python"})
    places = [
        TopicPartition(topic, partition)
        for topic in FOLLOWED
        for partition in consumer.list_topics(topic, timeout=LIMIT).topics[topic].partitions
    ]
    for place in places:
        place.offset = consumer.get_watermark_offsets(place, timeout=LIMIT)[1]
    consumer.assign(places)
    return _events(consumer)


def _events(consumer: Consumer) -> Iterator[Event]:
    seen = set()
    while True:
        message = consumer.poll(LIMIT)
        if message is None:
            sys.exit(f"nothing came for {LIMIT:.0f} s: is Ordermesh running?")
        if message.error():
            raise KafkaException(message.error())
        headers = dict(message.headers() or [])
        # An event may come twice, with the same source and ID.
        identity = headers["ce_source"], headers["ce_id"]
        if identity not in seen:
            seen.add(identity)
            yield headers["ce_type"].decode(), _key(message), json.loads(message.value())


def _key(message: Message) -> str:
    return (message.key() or b"").decode()


if __name__ == "__main__":
    main()
