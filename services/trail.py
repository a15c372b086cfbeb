"""The messages about an order, wherever they stand: commands, events, refusals, dead letters."""

import re
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from services.letters.letter import SUFFIX
from services.topic_reader import TopicReader
from shared.contracts.registry import SUPPLIER_ORDER_FORWARDED, Topics
from shared.messaging.decode import Record
from shared.messaging.topics import declared_topics

_SHIPMENTS = (Topics.SHIPMENTS_COMMANDS, Topics.SHIPMENTS_EVENTS)
_PART = re.compile(rb'"Order":\s*\{[^{}]*?"ID":\s*"([A-Za-z0-9_-]{1,100})"')


def all_topics(*, dead_letters: bool) -> list[str]:
    """Every topic; those of the dead letters only where they are asked for."""
    return [
        topic.name for topic in declared_topics() if dead_letters or not topic.name.endswith(SUFFIX)
    ]


class Trail:
    """Tells which records are about one buyer order. Show it records in the order of their time:
    it learns from each the supplier orders made of the order and the shipments that carry it.

    ``parts`` and ``shipments`` are IDs that are known from the start.
    """

    def __init__(
        self, order_id: str, parts: Iterable[str] = (), shipments: Iterable[str] = ()
    ) -> None:
        self._order = order_id.encode()
        self._names = {self._order, *(part.encode() for part in parts)}
        self._shipments = {id.encode() for id in shipments}
        self._named = self._pattern()

    def has(self, record: Record) -> bool:
        """Whether ``record`` is about the order."""
        topic = record.topic.removesuffix(SUFFIX)
        if record.key in self._names:
            if topic == Topics.SUPPLIER_ORDERS_EVENTS:
                self._learn_part(record)
            return True
        if topic in _SHIPMENTS:
            if record.key in self._shipments:
                return True
            if self._is_named_in(record):
                if record.key is not None:
                    self._shipments.add(record.key)
                return True
            return False
        if topic == Topics.COMMANDS_REJECTED or record.topic.endswith(SUFFIX):
            return record.key in self._shipments or self._is_named_in(record)
        # A command under no key, or another one, is published again under the right one.
        return topic.endswith(".commands") and self._is_named_in(record)

    def _is_named_in(self, record: Record) -> bool:
        return record.value is not None and self._named.search(record.value) is not None

    def _learn_part(self, record: Record) -> None:
        headers = dict(record.headers)
        if headers.get("ce_type") != SUPPLIER_ORDER_FORWARDED.name.encode():
            return
        found = _PART.search(record.value or b"")
        if found and found[1] not in self._names:
            self._names.add(found[1])
            self._named = self._pattern()

    def _pattern(self) -> re.Pattern[bytes]:
        names = b"|".join(re.escape(name) for name in sorted(self._names))
        return re.compile(rb'"(?:%b)"' % names)


async def follow(
    reader: TopicReader,
    trail: Trail,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    topics: Iterable[str] | None = None,
) -> AsyncIterator[Record]:
    """The records of ``trail`` by their time; of all topics where none are named."""
    wanted = set(all_topics(dead_letters=True) if topics is None else topics)
    # The trail learns from these, whether they are wanted or not.
    read = wanted | {Topics.SUPPLIER_ORDERS_EVENTS, Topics.SHIPMENTS_EVENTS}
    async for record in reader.merged(await reader.spans(read, since=since, until=until)):
        if trail.has(record) and record.topic in wanted:
            yield record
