"""What a batch does to its aggregates: load, drop duplicates, fold, write, publish.

Two round trips to MongoDB and one to Kafka for a batch of any size, unless a race is lost.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from shared.aggregates import Aggregate, AggregateStore, IdentifierTaken
from shared.contracts.base import Resource
from shared.contracts.orders import CommandRejected
from shared.contracts.registry import MessageType
from shared.messaging import failpoints
from shared.messaging.message import Event, Message
from shared.messaging.outbox import caused_by, entries_of
from shared.messaging.publisher import Publisher
from shared.messaging.untold import forget_told, unpublished
from shared.metrics import Metrics

S = TypeVar("S", bound=Resource)
C = TypeVar("C")

Clock = Callable[[], datetime]
"""The time in UTC, cut to milliseconds."""


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """What a message leads to: the state after it and the events that tell of it, in order.

    ``state`` None means that there is no such thing (any more). A decision with the state it was
    given and no events writes nothing.
    """

    state: S | None
    events: tuple[Event, ...] = ()


class Processor(Protocol):
    """Takes a share of a service's messages."""

    @property
    def types(self) -> frozenset[MessageType[Any]]: ...

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        """Applies ``messages``, which are in order, and returns when all that follows from them
        is written and published. Raises the infrastructure's faults; doing it again is safe."""
        ...


Fold = Callable[[S | None, Message[Any], C], Decision[S]]
Observe = Callable[[Message[Any], S | None, Decision[S]], None]
Prepare = Callable[[Sequence[Message[Any]], Mapping[str, Aggregate[S]]], Awaitable[C]]


def own_key(message: Message[Any]) -> Iterable[str]:
    return (message.key,)


class AggregateProcessor(Generic[S, C]):
    """Folds messages into aggregates of one kind.

    ``fold`` is pure: (state, message, context) to decision. ``prepare`` makes the context of a
    batch from the messages that are new to their aggregates; it may read what others own.
    ``keys`` names the aggregates that a message concerns; a message may concern several, and
    ``fold`` is asked for each, with ``message.key`` replaced by the aggregate's ID. ``observe`` is
    told of each decision (message, state before, decision) once it is written and published.
    ``on_taken`` is told of aggregates whose decision held a unique value of another aggregate;
    they are folded again. ``creating`` are the types that nearly always come as the first of
    their aggregate: one that such a message opens is not looked for before it is written.
    """

    def __init__(
        self,
        *,
        service: str,
        types: Iterable[MessageType[Any]],
        store: AggregateStore[S],
        fold: Fold[S, C],
        prepare: Prepare[S, C],
        publisher: Publisher,
        clock: Clock,
        metrics: Metrics,
        keys: Callable[[Message[Any]], Iterable[str]] = own_key,
        observe: Observe[S] | None = None,
        on_taken: Callable[[set[str]], None] | None = None,
        creating: Iterable[MessageType[Any]] = (),
    ) -> None:
        self.types = frozenset(types)
        self._creating = frozenset(creating)
        self._service = service
        self._store = store
        self._fold = fold
        self._prepare = prepare
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics
        self._keys = keys
        self._observe = observe
        self._on_taken = on_taken

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        todo = [(message, key) for message in messages for key in self._keys(message)]
        presumed_new = self._opened(todo)
        while todo:
            aggregates = await self._store.load(
                dict.fromkeys(key for _, key in todo), presumed_new=presumed_new
            )
            presumed_new = set()
            await forget_told(self._publisher, aggregates.values())
            again = await self._apply(todo, aggregates)
            todo = [(message, key) for message, key in todo if key in again]

    def _opened(self, todo: Sequence[tuple[Message[Any], str]]) -> set[str]:
        """The aggregates that the first of their messages opens."""
        if not self._creating:
            return set()
        first: dict[str, MessageType[Any]] = {}
        for message, key in todo:
            first.setdefault(key, message.type)
        return {key for key, type in first.items() if type in self._creating}

    async def _apply(
        self, todo: Sequence[tuple[Message[Any], str]], aggregates: Mapping[str, Aggregate[S]]
    ) -> set[str]:
        """Folds, writes and publishes; returns the aggregates that have to be folded again."""
        duplicates: set[str] = set()
        fresh: list[tuple[Message[Any], str]] = []
        seen: set[tuple[str, str]] = set()
        for message, key in todo:
            mark = (key, message.identity)
            if mark in seen or aggregates[key].inbox.has(message):
                duplicates.add(key)
                self._metrics.duplicates.labels(self._service, message.topic).inc()
            else:
                seen.add(mark)
                fresh.append((message, key))
        context = await self._prepare([message for message, _ in fresh], aggregates)
        now = self._clock()
        touched: dict[str, Aggregate[S]] = {}
        ignored: set[str] = set()
        decided: list[tuple[str, Message[Any], S | None, Decision[S]]] = []
        takers = Counter(id(message) for message, _ in todo)
        for message, key in fresh:
            aggregate = aggregates[key]
            # Of several aggregates one may be written and another refuse for good: the message then
            # goes to the dead letters and is committed, and nobody has told what the one wrote.
            place = message.place if takers[id(message)] == 1 else None
            if message.key != key:
                message = replace(message, key=key)
            decision = self._fold(aggregate.state, message, context)
            if decision.state is aggregate.state and not decision.events:
                ignored.add(key)
                continue
            decided.append((key, message, aggregate.state, decision))
            if key not in touched:
                touched[key] = aggregate
                aggregate.outbox = unpublished(self._publisher, [aggregate])
            aggregate.state = decision.state
            aggregate.inbox.add(message)
            aggregate.outbox += entries_of(
                caused_by(message, key), decision.events, now, message.trace, place
            )
        failpoints.reached("before_write", touched)
        lost = await self._save(list(touched.values()))
        failpoints.reached("after_write", touched)
        if lost:
            self._metrics.lost_races.labels(self._service).inc(len(lost))
        # A duplicate means that an earlier try may have ended between its write and its publish.
        for key in duplicates:
            touched.setdefault(key, aggregates[key])
        failpoints.reached("before_publish", touched)
        stored = [aggregate for key, aggregate in touched.items() if key not in lost]
        await self._publisher.publish(unpublished(self._publisher, stored))
        self._store.published(stored)
        failpoints.reached("after_publish", touched)
        for key, message, before, decision in decided:
            if key not in lost:
                count_rejections(self._metrics, self._service, decision.events)
                if self._observe is not None:
                    self._observe(message, before, decision)
        return lost | self._doubtful(ignored - touched.keys(), aggregates)

    def _doubtful(self, ignored: set[str], aggregates: Mapping[str, Aggregate[S]]) -> set[str]:
        """Of the aggregates that had no use for what came, those that were only remembered:
        another instance may have changed them, and no write has proved that it did not. They are
        read and folded again."""
        doubtful = {key for key in ignored if aggregates[key].remembered}
        self._store.forget(doubtful)
        return doubtful

    async def _save(self, aggregates: Sequence[Aggregate[S]]) -> set[str]:
        try:
            return await self._store.save(aggregates)
        except IdentifierTaken as error:
            if self._on_taken is None:
                raise
            self._on_taken(error.ids)
            return error.ids | error.lost


def count_rejections(metrics: Metrics, service: str, events: Iterable[Event]) -> None:
    """Counts the errors of the ``CommandRejected`` among ``events``."""
    for event in events:
        if isinstance(event.body, CommandRejected):
            for error in event.body.errors:
                metrics.rejected.labels(service, error.error_code).inc()


async def no_context(messages: Sequence[Message[Any]], aggregates: Mapping[str, Any]) -> None:
    """The ``prepare`` of a processor whose fold needs nothing but state and message."""
