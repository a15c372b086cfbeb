"""What durable quotes say of the movements that allotments have pending."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.pricing.allotments import Movement
from services.pricing.quotes import Quote
from shared.mongo.aggregates import Aggregate, AggregateStore

_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Notes:
    """The requests that a durable quote has applied, and the (allotment, mark) of its grants."""

    requests: frozenset[str]
    marks: frozenset[tuple[str, int]]

    @classmethod
    def of(cls, quote: Aggregate[Quote]) -> "Notes":
        grants = [] if quote.state is None else quote.state.grants
        return cls(
            frozenset(quote.inbox.document()["ids"]),
            frozenset((grant.allotment, grant.mark) for grant in grants),
        )

    def verdict(self, allotment: str, movement: Movement) -> bool | None:
        """Whether the movement is noted; None while its request is not applied, so that it may
        still come to be noted."""
        if movement.request not in self.requests:
            return None
        return (allotment, movement.mark) in self.marks


class QuoteMemory:
    """A store of quotes that remembers the notes of those it wrote."""

    def __init__(self, store: AggregateStore[Quote]) -> None:
        self._store = store
        self._notes: OrderedDict[str, Notes] = OrderedDict()

    def notes(self, order_id: str) -> Notes | None:
        return self._notes.get(order_id)

    async def load(self, ids: Iterable[str]) -> dict[str, Aggregate[Quote]]:
        return await self._store.load(ids)

    async def save(self, aggregates: Sequence[Aggregate[Quote]]) -> set[str]:
        lost = await self._store.save(aggregates)
        for quote in aggregates:
            if quote.id not in lost and quote.state is not None and quote.state.grants:
                self._notes[quote.id] = Notes.of(quote)
                self._notes.move_to_end(quote.id)
        while len(self._notes) > _REMEMBERED:
            self._notes.popitem(last=False)
        return lost

    def unsent(self, older_than: datetime, limit: int) -> AsyncIterator[Aggregate[Quote]]:
        return self._store.unsent(older_than, limit)

    async def clear(self, aggregates: Sequence[Aggregate[Quote]]) -> None:
        await self._store.clear(aggregates)

    async def outbox_depth(self) -> int:
        return await self._store.outbox_depth()
