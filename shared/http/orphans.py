"""What names a resource of another service goes when that is gone.

No service writes what another owns, so the owner's event tells it to those that have assignments
to it, and each deletes its own. Until then they are assignments to nobody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts.registry import MessageType
from shared.contracts.resource_events import ResourceEvents
from shared.http.documents import Documents
from shared.http.kinds import Place
from shared.messaging.message import Message
from shared.messaging.outbox import OutboxEntry
from shared.messaging.publisher import Publisher
from shared.mongo.aggregates import MongoAggregateStore
from shared.service import Resources

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Naming:
    """Documents in ``collection`` name what may be gone: ``fields`` are, by their wire names, the
    attributes of the event's body that they hold."""

    events: ResourceEvents
    collection: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Gone:
    """``type`` tells that something at ``place`` is gone; ``id`` are the attributes of its body
    that make its key there."""

    type: MessageType[Any]
    place: Place
    id: tuple[str, ...]
    namings: tuple[Naming, ...]


@dataclass(frozen=True, slots=True)
class _Cause:
    id: str
    now: datetime
    trace: str | None


class _Collected:
    """Takes what is written, for publishing before the offset is committed."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.entries: list[OutboxEntry] = []

    def announce(self, entries: Sequence[OutboxEntry]) -> None:
        self.entries.extend(entries)

    def is_published(self, id: str) -> bool:
        return self._publisher.is_published(id)


class OrphanProcessor:
    """Deletes, for each message of something gone, what names it."""

    def __init__(self, service: str, resources: Resources, gone: Sequence[Gone]) -> None:
        self.types = frozenset(each.type for each in gone)
        self._gone = {each.type: each for each in gone}
        self._resources = resources
        database = resources.database(service)
        self._collected = _Collected(resources.publisher)
        self._documents = {
            naming.events.name: Documents(
                naming.events,
                MongoAggregateStore(database, naming.collection, naming.events.stored),
                self._collected,
            )
            for each in gone
            for naming in each.namings
        }

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        """One look for each kind of document and message: companies do not go by the hundreds."""
        for message in messages:
            gone = self._gone[message.type]
            if not await self._is_back(gone, message.body):
                await self._delete(gone, message)
        entries, self._collected.entries = self._collected.entries, []
        await self._resources.publisher.publish(entries)

    async def _is_back(self, gone: Gone, body: Any) -> bool:
        """Whether there is another with the same ID by now, whose assignments these may be."""
        key = gone.place.prefix + "/".join(str(getattr(body, name)) for name in gone.id)
        collection = self._resources.database(gone.place.service)[gone.place.collection]
        found = await collection.find_one({"_id": key, "state": {"$ne": None}}, {"_id": 1})
        return found is not None

    async def _delete(self, gone: Gone, message: Message[Any]) -> None:
        cause = _Cause(message.identity, self._resources.clock(), message.trace)
        for naming in gone.namings:
            documents = self._documents[naming.events.name]
            values = {name: getattr(message.body, of) for name, of in naming.fields.items()}
            keys = await documents.keys(values)
            for start in range(0, len(keys), _AT_ONCE):
                part = keys[start : start + _AT_ONCE]
                await documents.change_all(part, lambda stored: None, cause)
