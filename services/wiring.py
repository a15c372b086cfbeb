"""Services as they are wired, to be looked at: without servers, and nothing of them runs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from services.runtime import build
from shared.messaging.outbox import OutboxEntry
from shared.messaging.publisher import Outgoing
from shared.metrics import Metrics
from shared.service import Resources, Service
from shared.settings import Settings


class Wired(NamedTuple):
    """A service and the services whose databases it opens, its own among them."""

    service: Service
    opened: frozenset[str]


def wired(name: str, settings: Settings) -> Wired:
    """The service ``name``, by its own wiring."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(connect=False)
    resources = _Watched(settings, client, _Silent(), Metrics())
    service = build(name, resources)
    return Wired(service, frozenset(resources.opened))


@dataclass(frozen=True, slots=True)
class _Watched(Resources):
    """Notes which services' databases are opened."""

    opened: set[str] = field(default_factory=set)

    def database(self, service: str) -> AsyncDatabase[dict[str, Any]]:
        self.opened.add(service)
        return Resources.database(self, service)


class _Silent:
    """A publisher for services that never run."""

    async def publish(self, entries: Iterable[OutboxEntry]) -> None:
        raise RuntimeError("this service is only looked at")

    async def send(self, records: Sequence[Outgoing]) -> None:
        raise RuntimeError("this service is only looked at")

    def is_published(self, entry_id: str) -> bool:
        return False

    async def told_by_others(self, entries: Iterable[OutboxEntry]) -> set[str]:
        return set()
