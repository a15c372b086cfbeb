"""A supplier's system: reads the orders that it has to fill and reports each as shipped.

    KAFKA=127.0.0.1:9092 python supplier.py [SUPPLIER_ID] [HOW_MANY]

Without HOW_MANY it runs until Ctrl-C. Needs confluent-kafka.
"""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer

KAFKA = os.environ["KAFKA"]
SUPPLIER = sys.argv[1] if len(sys.argv) > 1 else "acme"
HOW_MANY = int(sys.argv[2]) if len(sys.argv) > 2 else None

consumer = Consumer(
    {
        "bootstrap.servers": KAFKA,
        # The group remembers how far this system has come. What was forwarded before its first
        # start is read too.
        "group.id": f"{SUPPLIER}-fulfilment-python",
        "auto.offset.reset": "earliest",
        # Committed below, when Kafka has taken the shipment: a crash repeats, it never forgets.
        "enable.auto.commit": False,
    }
)
producer = Producer(
    {
        "bootstrap.servers": KAFKA,
        "acks": "all",
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
    }
)


def ship(order: dict[str, Any]) -> None:
    """Reports the whole of a supplier order as shipped now."""
    id = f"ship-{order['Order']['ID']}"
    body = {
        "ID": id,
        "SupplierID": SUPPLIER,
        "Shipper": "Parcel Co",
        "TrackingNumber": "PC123",
        "DateShipped": datetime.now(UTC).isoformat(timespec="seconds"),
        "Items": [
            {
                "OrderID": order["Order"]["ID"],
                "LineItemID": line["ID"],
                "QuantityShipped": line["Quantity"],
            }
            for line in order["LineItems"]
        ],
    }
    failures = []
    producer.produce(
        "shipments.commands",
        key=id,
        value=json.dumps(body),
        headers={
            "ce_specversion": "1.0",
            "ce_type": "CreateShipment",
            "ce_source": f"/supplier/{SUPPLIER}",
            # Made of the order: after a crash the same shipment is recognised.
            "ce_id": f"create-{id}",
            "content-type": "application/json",
        },
        on_delivery=lambda error, _: failures.append(error) if error else None,
    )
    if producer.flush(60) or failures:
        sys.exit(f"not taken: {failures or 'no answer'}")
    print("shipped", order["Order"]["ID"], flush=True)


def main() -> None:
    consumer.subscribe(["supplier-orders.events"])
    shipped = 0
    while HOW_MANY is None or shipped < HOW_MANY:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        headers = dict(message.headers() or [])
        # Other types, and types that are new, are passed over.
        if headers["ce_type"] == b"SupplierOrderForwarded":
            order = json.loads(message.value())
            if order["Order"]["ToCompanyID"] == SUPPLIER:
                ship(order)
                shipped += 1
        consumer.commit(message, asynchronous=False)
    consumer.close()


if __name__ == "__main__":
    main()
