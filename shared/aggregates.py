"""Aggregates: state, inbox and outbox as one, and what a service needs of a store of them.

A change of state, the note of the message that caused it and the events that follow from it are
one write, so no transaction spans aggregates.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from shared.contracts.base import Resource
from shared.messaging.inbox import Inbox
from shared.messaging.outbox import OutboxEntry

S = TypeVar("S", bound=Resource)


class IdentifierTaken(Exception):
    """Unique values of some aggregates belong to others: ``ids`` were not written for it, ``lost``
    were not because they lost a race; the rest is written."""

    def __init__(self, ids: set[str], lost: set[str]) -> None:
        super().__init__(f"a unique value is taken: {', '.join(sorted(ids))}")
        self.ids = ids
        self.lost = lost


class Untyped(Resource):
    """Any state at all: for whoever looks after outboxes and does not read what is beside them."""


@dataclass(slots=True)
class Aggregate(Generic[S]):
    """One aggregate in memory. ``version`` 0: not stored yet. ``remembered``: not read just now, or
    presumed to be new, so that only a write that succeeds tells whether it is current. ``stored``:
    the state that the store has under ``version``."""

    id: str
    version: int = 0
    state: S | None = None
    inbox: Inbox = field(default_factory=Inbox)
    outbox: list[OutboxEntry] = field(default_factory=list)
    remembered: bool = False
    stored: S | None = None

    def copy(self) -> "Aggregate[S]":
        return Aggregate(
            self.id,
            self.version,
            self.state,
            self.inbox.copy(),
            list(self.outbox),
            stored=self.stored,
        )


@dataclass(frozen=True, slots=True)
class Unsent:
    """An aggregate with an outbox, as the relay sees it: the times (UTC) of its ``entries`` by
    their IDs, oldest first."""

    id: str
    version: int
    entries: dict[str, datetime]

    @classmethod
    def of(cls, aggregate: Aggregate[Any]) -> "Unsent":
        """``aggregate`` as it was written."""
        entries = {entry.id: entry.time for entry in aggregate.outbox}
        return cls(aggregate.id, aggregate.version, entries)

    @property
    def since(self) -> datetime:
        """The time of the oldest entry."""
        return next(iter(self.entries.values()))


class Versioned(Protocol):
    """One version of an aggregate."""

    @property
    def id(self) -> str: ...

    @property
    def version(self) -> int: ...


class AggregateStore(Protocol[S]):
    """What a service needs of a store of aggregates; the suite in tests/contract says it all."""

    async def load(
        self, ids: Iterable[str], *, presumed_new: Collection[str] = ()
    ) -> dict[str, Aggregate[S]]:
        """The aggregates with these IDs; one that is not stored comes back new. Those that are
        ``presumed_new`` are not looked for: where one is stored after all, its write is lost."""
        ...

    def forget(self, ids: Iterable[str]) -> None:
        """The next load of these reads them anew."""
        ...

    async def save(self, aggregates: Sequence[Aggregate[S]]) -> set[str]:
        """Writes all, each only over the version it was loaded with, majority and journaled.

        Returns the IDs that lost a race and were not written. What was written has its new
        version. Raises :class:`~shared.mongo.writes.AggregateTooLarge`, :class:`IdentifierTaken`,
        or the driver's error when the outcome is unknown: then load again, the inbox tells.
        """
        ...

    def published(self, aggregates: Sequence[Versioned]) -> None:
        """All that the outboxes of these hold is out: where they still have this version, what is
        remembered of them need not have it any more."""
        ...

    def unsent(self, older_than: datetime, limit: int) -> AsyncIterator[Unsent]:
        """Aggregates with an outbox from before ``older_than`` (UTC), oldest first."""
        ...

    def written(self, older_than: datetime) -> Iterator[Unsent]:
        """Those among them that this store wrote last, as far as it remembers, without looking. To
        be read before the store is used again."""
        ...

    async def clear(self, aggregates: Sequence[Versioned]) -> None:
        """Empties the outboxes of aggregates that still have this version."""
        ...

    async def outbox_depth(self) -> int:
        """How many aggregates have an outbox."""
        ...
