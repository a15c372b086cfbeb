"""What a message's span tells of it: OpenTelemetry's semantic conventions for messaging and
CloudEvents, and the IDs of what it is about. Nothing of its content, which may be personal."""

from typing import Any

from shared.contracts.registry import Topics
from shared.messaging.message import Message

# What the key of a topic's records is the ID of.
_KEYS = {
    Topics.ORDERS_COMMANDS: "ordermesh.order.id",
    Topics.ORDERS_EVENTS: "ordermesh.order.id",
    Topics.PRICING_REQUESTS: "ordermesh.order.id",
    Topics.PRICING_RESULTS: "ordermesh.order.id",
    Topics.FORWARDING_COMMANDS: "ordermesh.order.id",
    Topics.SUPPLIER_ORDERS_EVENTS: "ordermesh.order.id",
    Topics.SHIPMENTS_COMMANDS: "ordermesh.shipment.id",
    Topics.SHIPMENTS_EVENTS: "ordermesh.shipment.id",
}


def of_message(service: str, message: Message[Any]) -> dict[str, str | int]:
    """The attributes of the span of processing ``message``."""
    attributes: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": message.topic,
        "messaging.destination.partition.id": str(message.partition),
        "messaging.consumer.group.name": f"ordermesh-{service}",
        "messaging.kafka.offset": message.offset,
        "messaging.kafka.message.key": message.key,
        "messaging.message.id": message.id,
        "messaging.message.body.size": len(message.value),
        "cloudevents.event_type": message.type.name,
        "cloudevents.event_source": message.source,
    }
    about = _KEYS.get(message.topic)
    if about is not None:
        attributes[about] = message.key
    return attributes
