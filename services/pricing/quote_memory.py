"""What durable quotes say of the movements that allotments have pending."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from datetime import datetime

from services.pricing.quotes import Notes, Quote
from shared.aggregates import Aggregate, AggregateStore, Unsent, Versioned

_REMEMBERED = 20_000


def notes_of(quote: Aggregate[Quote]) -> Notes:
    """What a quote as it is stored notes."""
    return Notes.of_grants(quote.version, () if quote.state is None else quote.state.grants)


class QuoteMemory:
    """A store of quotes that remembers the notes of those it wrote last."""

    def __init__(self, store: AggregateStore[Quote]) -> None:
        self._store = store
        self._notes: OrderedDict[str, Notes] = OrderedDict()

    def notes(self, order_id: str) -> Notes | None:
        return self._notes.get(order_id)

    async def load(
        self, ids: Iterable[str], *, presumed_new: Collection[str] = ()
    ) -> dict[str, Aggregate[Quote]]:
        return await self._store.load(ids, presumed_new=presumed_new)

    def forget(self, ids: Iterable[str]) -> None:
        self._store.forget(ids)

    async def save(self, aggregates: Sequence[Aggregate[Quote]]) -> set[str]:
        lost = await self._store.save(aggregates)
        for quote in aggregates:
            if quote.id not in lost:
                self._notes[quote.id] = notes_of(quote)
                self._notes.move_to_end(quote.id)
        while len(self._notes) > _REMEMBERED:
            self._notes.popitem(last=False)
        return lost

    def published(self, aggregates: Sequence[Versioned]) -> None:
        self._store.published(aggregates)

    def unsent(self, older_than: datetime, limit: int) -> AsyncIterator[Unsent]:
        return self._store.unsent(older_than, limit)

    def written(self, older_than: datetime) -> Iterator[Unsent]:
        return self._store.written(older_than)

    async def clear(self, aggregates: Sequence[Versioned]) -> None:
        await self._store.clear(aggregates)

    async def outbox_depth(self) -> int:
        return await self._store.outbox_depth()
