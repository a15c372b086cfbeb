"""The bare loop with the contracts: the same records and documents, read and written as the
services do it, and still without any of what they decide.

Each record is decoded for every service that reads its topic, by that service's own decoder. An
event's body is encoded before it is sent, a document's state before it is written. What this takes
the services take at least, as long as messages and states are resources.

Started as a process like the bare loop: ``python -m services.bench.contracts``.
"""

from collections import defaultdict
from typing import Any

from aiokafka import ConsumerRecord

from services.bench.bare import Write, run
from services.bench.footprint import Record
from services.checkout.domain.state import OrderState
from services.forwarding.domain import Forwarding
from services.names import SERVICES
from services.notifications.domain import Delivery
from services.pricing.allotments import Allotment
from services.pricing.quotes import Quote
from services.runtime import decoder_of
from services.shipments.ledger import Ledger
from services.shipments.shipment import ShipmentState
from services.wiring import wired
from shared.contracts.base import Resource
from shared.contracts.registry import message_types
from shared.messaging.decode import Decoder, Misplaced, Poison
from shared.mongo.dumping import bson_of
from shared.settings import Settings

STATES: dict[tuple[str, str], type[Resource]] = {
    ("checkout", "orders"): OrderState,
    ("forwarding", "forwardings"): Forwarding,
    ("notifications", "deliveries"): Delivery,
    ("pricing", "allotments"): Allotment,
    ("pricing", "quotes"): Quote,
    ("shipments", "ledgers"): Ledger,
    ("shipments", "shipments"): ShipmentState,
}
"""What an order's documents have as their state, by service and collection."""


class Contracts:
    """Records and documents as the services have them, by their own wiring."""

    def __init__(self, settings: Settings) -> None:
        self._types = {type.name.encode(): type for type in message_types().values()}
        self._decoders: defaultdict[str, list[Decoder]] = defaultdict(list)
        for name in SERVICES:
            service = wired(name, settings).service
            decoder = decoder_of(service, settings.max_message_bytes)
            for topic in service.topics:
                self._decoders[topic].append(decoder)
        self._states = {
            f"{settings.database(service)}.{name}": state
            for (service, name), state in STATES.items()
        }
        self._bodies: dict[bytes, Resource] = {}
        self._stored: dict[str, Resource] = {}
        self._last: tuple[bytes, bytes] = b"", b""

    def value(self, record: Record) -> bytes:
        """A command is sent as it is: it comes from outside. One body that goes out under several
        types in a row is encoded once, as the services do it."""
        type = self._types[dict(record.headers)["ce_type"]]
        if type.topic.endswith(".commands"):
            return record.value
        if self._last[0] != record.value:
            body = self._bodies.get(record.value)
            if body is None:
                body = self._bodies[record.value] = type.body.model_validate_json(record.value)
            self._last = record.value, body.model_dump_json(exclude_none=True).encode()
        return self._last[1]

    def read(self, record: ConsumerRecord[bytes, bytes]) -> None:
        """Decodes it for each service that reads its topic. Raises ValueError for one that cannot
        be read."""
        record.topic = self._types[dict(record.headers)["ce_type"]].topic
        for decoder in self._decoders[record.topic]:
            decoded = decoder.decode(record)
            if isinstance(decoded, Poison | Misplaced):
                raise ValueError(f"the record of an order cannot be read: {decoded}")

    def document(self, write: Write) -> dict[str, Any]:
        model = self._states.get(write.collection)
        if model is None:
            return write.sample
        state = self._stored.get(write.collection)
        if state is None:
            state = self._stored[write.collection] = model.model_validate(write.sample["state"])
        return {**write.sample, "state": bson_of(state)}


if __name__ == "__main__":
    run(Contracts(Settings()))
