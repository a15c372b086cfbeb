"""What a service is made of, and what it is given."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from shared.aggregates import AggregateStore
from shared.clock import utc_now
from shared.messaging.processor import Clock, Processor
from shared.messaging.publisher import Publisher
from shared.metrics import Metrics
from shared.mongo.aggregates import MongoAggregateStore
from shared.settings import Settings
from shared.tracing.port import FindParents, ServiceTracing


@dataclass(frozen=True, slots=True)
class Resources:
    """What the process gives to a service: nothing in a service connects, reads the environment
    or asks the clock by itself."""

    settings: Settings
    mongo: AsyncMongoClient[dict[str, Any]]
    publisher: Publisher
    metrics: Metrics
    clock: Clock = utc_now
    tracing: ServiceTracing | None = None

    def database(self, service: str) -> AsyncDatabase[dict[str, Any]]:
        return self.mongo[self.settings.database(service)]


Task = Callable[[], Awaitable[None]]
"""Something that goes on beside the batches until it is cancelled."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service ready to run.

    ``stores`` are the aggregates that the relay looks after; ``prepare`` makes indexes and loads
    what must be there before the first batch; ``tasks`` run beside the batches. ``parents`` finds
    the trace that commands continue which came without one.
    """

    name: str
    processors: Sequence[Processor]
    stores: Mapping[str, AggregateStore[Any]] = field(default_factory=dict)
    prepare: Sequence[Callable[[], Awaitable[None]]] = ()
    tasks: Sequence[Task] = ()
    parents: FindParents | None = None

    @property
    def topics(self) -> list[str]:
        """The topics that its processors' message types are on."""
        return sorted({type.topic for p in self.processors for type in p.types})


class Builder(Protocol):
    """``services/<name>/app.py`` has one: ``build``."""

    def __call__(self, resources: Resources) -> Service: ...


def indexes_of(*stores: MongoAggregateStore[Any]) -> list[Callable[[], Awaitable[None]]]:
    return [store.create_indexes for store in stores]
