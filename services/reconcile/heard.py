"""What was said last on the topics, of every order, supplier order and shipment."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition
from pydantic import ValidationError

from services.topic_reader import Place, Span, TopicReader
from shared.contracts.base import Resource
from shared.contracts.fulfillment import ReconciledItem, ShipmentEvent, SupplierOrderEvent
from shared.contracts.orders import OrderEvent, OrderPriced
from shared.contracts.registry import (
    ORDER_APPROVED,
    ORDER_PRICED,
    ORDER_SUBMITTED,
    SHIPMENT_RECONCILED,
    SUPPLIER_ORDER_FORWARDED,
    Topics,
)
from shared.messaging.decode import Record

TOPICS = (
    Topics.ORDERS_EVENTS,
    Topics.SUPPLIER_ORDERS_EVENTS,
    Topics.SHIPMENTS_EVENTS,
    Topics.PRICING_REQUESTS,
    Topics.PRICING_RESULTS,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Said:
    """An event. ``digest`` is of what it tells, ``counts`` of two events which is the later state:
    a time in ms, or a revision. ``id`` is its ``ce_id``; of an answer, the question's."""

    place: Place
    time: datetime
    type: str
    id: str
    digest: str = ""
    counts: int = 0
    status: str = ""


def digest(content: Any) -> str:
    """Tells whether two of the same kind say the same. ``content`` is as JSON has it."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def order_digest(event: Resource) -> str:
    """Of an ``OrderEvent``: the order with its lines, payments and promotions. When it was last
    touched does not count: an approval that is refused touches it and is told as a refusal."""
    content = event.model_dump(
        mode="json",
        exclude_none=True,
        include={"order", "line_items", "payments", "promotions"},
    )
    del content["Order"]["LastUpdated"]
    return digest(content)


def part_digest(event: SupplierOrderEvent) -> str:
    """Of a supplier order without its lines, which change by shipments, silently."""
    return digest(event.order.model_dump(mode="json", exclude_none=True))


def shipment_digest(items: Sequence[ReconciledItem], shipped: datetime | None) -> str:
    """Of what the buyers' orders are told of a shipment."""
    lines = sorted((item.order_id, item.line_item_id, item.quantity_shipped) for item in items)
    return digest([lines, None if shipped is None else shipped.isoformat()])


class Heard:
    """The last events, by what they are about. ``since`` (UTC): only from then on."""

    def __init__(self, since: datetime | None = None, only: frozenset[str] | None = None) -> None:
        self.orders: dict[str, Said] = {}
        self.submitted: dict[str, Said] = {}
        self.parts: dict[str, Said] = {}
        self.forwarded: dict[str, Said] = {}
        self.reconciled: dict[str, Said] = {}
        self.asked: dict[str, Said] = {}
        self.priced: dict[str, Said] = {}
        self.events = 0
        self._since = since
        self._only = only
        self._next: dict[TopicPartition, int] = {}
        self._horizons: dict[str, datetime] = {}

    def knows(self, topic: str, moment: datetime) -> bool:
        """Whether an event of that time (UTC), had it been published, would have been heard."""
        horizon = self._horizons.get(topic)
        return horizon is None or moment > horizon

    async def listen(self, reader: TopicReader) -> None:
        """Hears what is new since the last time. Raises KafkaError."""
        whole = await reader.spans(TOPICS)
        first = not self._next
        begins = await reader.spans(TOPICS, since=self._since) if first else {}
        spans = {}
        unknown: set[TopicPartition] = set()
        for part, span in whole.items():
            begin = begins[part].begin if first else self._next.get(part, span.begin)
            spans[part] = Span(begin, max(begin, span.end))
            if first and begin == span.begin and begin > 0:
                # What was here before its first record was deleted.
                unknown.add(part)
                if begin >= span.end:
                    self._raise_horizon(part.topic, datetime.now(UTC))
        if first and self._since is not None:
            for topic in TOPICS:
                self._raise_horizon(topic, self._since)
        async for records in reader.read(spans):
            for record in records:
                part = TopicPartition(record.topic, record.partition)
                if part in unknown:
                    unknown.discard(part)
                    self._raise_horizon(part.topic, _time(record))
                self._hear(record)
        self._next = {part: span.end for part, span in spans.items()}

    def _raise_horizon(self, topic: str, moment: datetime) -> None:
        self._horizons[topic] = max(self._horizons.get(topic, _EPOCH), moment)

    def _hear(self, record: Record) -> None:
        key = (record.key or b"").decode(errors="replace")
        if (
            self._only is not None
            and key not in self._only
            and record.topic != Topics.SHIPMENTS_EVENTS
        ):
            return
        self.events += 1
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        try:
            self._note(record, key, headers)
        except ValidationError:
            # No event of ours: its consumers set it aside.
            return

    def _note(self, record: Record, key: str, headers: Mapping[str, str]) -> None:
        type, id, value = headers.get("ce_type", ""), headers.get("ce_id", ""), record.value or b""
        place, time = Place.of(record), _time(record)
        match record.topic:
            case Topics.ORDERS_EVENTS:
                order = OrderEvent.model_validate_json(value)
                updated = round(order.order.last_updated.timestamp() * 1000)
                said = Said(
                    place, time, type, id, order_digest(order), updated, order.order.status.value
                )
                # An event that is published again after others is still an older one.
                before = self.orders.get(key)
                if before is None or before.counts <= updated:
                    self.orders[key] = said
                if type in (ORDER_SUBMITTED.name, ORDER_APPROVED.name):
                    self.submitted[key] = said
            case Topics.SUPPLIER_ORDERS_EVENTS if type.startswith("SupplierOrder"):
                part = SupplierOrderEvent.model_validate_json(value)
                updated = round(part.order.last_updated.timestamp() * 1000)
                said = Said(
                    place, time, type, id, part_digest(part), updated, part.order.status.value
                )
                before = self.parts.get(part.order.id)
                if before is None or before.counts <= updated:
                    self.parts[part.order.id] = said
                if type == SUPPLIER_ORDER_FORWARDED.name:
                    self.forwarded[part.order.id] = said
            case Topics.SHIPMENTS_EVENTS if type == SHIPMENT_RECONCILED.name:
                event = ShipmentEvent.model_validate_json(value)
                content = shipment_digest(event.items, event.shipment.date_shipped)
                said = Said(place, time, type, id, content, event.shipment.revision)
                before = self.reconciled.get(key)
                if before is None or before.counts <= event.shipment.revision:
                    self.reconciled[key] = said
            case Topics.PRICING_REQUESTS:
                self.asked[key] = Said(place, time, type, id)
            case Topics.PRICING_RESULTS if type == ORDER_PRICED.name:
                answer = OrderPriced.model_validate_json(value)
                self.priced[key] = Said(place, time, type, answer.request_id)
            case _:
                pass


class Readers:
    """How far each service has read."""

    def __init__(self, committed: Mapping[str, Mapping[TopicPartition, int]]) -> None:
        self._committed = committed

    def has_read(self, service: str, said: Said) -> bool:
        part = TopicPartition(said.place.topic, said.place.partition)
        return said.place.offset < self._committed.get(service, {}).get(part, 0)

    @classmethod
    async def ask(cls, reader: TopicReader, services: Sequence[str]) -> "Readers":
        """As the broker knows it. Raises KafkaError."""
        return cls({name: await reader.committed(f"ordermesh-{name}") for name in services})


def _time(record: Record) -> datetime:
    return datetime.fromtimestamp(max(0, record.timestamp) / 1000, UTC)
