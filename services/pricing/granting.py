"""Granting: units move between allotments and quotes without a transaction, once.

1. The allotment is written: its units are lowered and the movement is noted as pending under the
   order, in one document under a version check. All that a batch wants of an allotment is one
   write; what loses a race is read and decided again.
2. The order's quote is written and notes the grant with the movement's mark.
3. The pending movement is dropped with a later write of the allotment.

A movement names the version of the quote that it was decided on, so only a write over that version
can note it. A crash between 1 and 2 leaves a movement that no quote notes: the request comes again,
finds what it moved and uses it. Once the quote has moved on, the movement is over: noted, which a
crash between 2 and 3 leaves, or not, because another decision was written, and then it is undone.
So movements are settled by reading quotes; this process knows those that it wrote itself.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta

from services.pricing.allotments import ANYWHERE, Allotment, Book, Movement
from services.pricing.claims import Claim, Outcome, decide
from services.pricing.quote_memory import QuoteMemory, notes_of
from services.pricing.sourcing import Places
from shared.aggregates import AggregateStore
from shared.messaging.processor import Clock

_STALE = timedelta(seconds=60)
"""A movement that is pending for longer has its quote looked up."""

_ABANDONED = timedelta(days=1)
"""Nobody writes a quote this long after its grant: the request itself must have been set aside."""

ReadPlaces = Callable[[set[str]], Awaitable[Places]]
"""Reads locations by their IDs, with the sourcing rules of their owners."""


class Granting:
    """Settles the claims of a batch."""

    def __init__(
        self,
        allotments: AggregateStore[Allotment],
        quotes: QuoteMemory,
        places: ReadPlaces,
        clock: Clock,
        lost_races: Callable[[int], None],
    ) -> None:
        self._allotments = allotments
        self._quotes = quotes
        self._places = places
        self._clock = clock
        self._lost_races = lost_races
        self._left: set[str] = set()

    async def settle(self, claims: Sequence[Claim]) -> dict[str, Outcome]:
        """What comes of ``claims``, at most one for each order, by order ID. All that moved is
        written, majority and journaled, when this returns."""
        touched = {claim.order_id: claim.touches() for claim in claims}
        books = await self._open(set().union(*touched.values()), claims)
        outcomes: dict[str, Outcome] = {}
        todo = list(claims)
        while todo:
            places = await self._places(
                {place for book in books.values() for place in book.records} - {ANYWHERE}
            )
            now = self._clock()
            for claim in todo:
                outcomes[claim.order_id] = decide(claim, books, places, now)
            lost = await self._write(books.values())
            books |= await self._open(lost, claims)
            todo = [claim for claim in claims if touched[claim.order_id] & lost]
        for outcome in outcomes.values():
            self._left |= outcome.left
        return outcomes

    async def tidy(self) -> None:
        """Gives back what orders were granted that were refused after all. Call it when their
        quotes are written; until then the units may still be noted by another process."""
        while self._left:
            books = await self._open(self._left, ())
            self._left = await self._write(books.values())

    async def _write(self, books: Iterable[Book]) -> set[str]:
        """Writes what has changed; returns what lost a race."""
        lost = await self._allotments.save([book.close() for book in books if book.changed])
        if lost:
            self._lost_races(len(lost))
        return lost

    async def _open(self, ids: Iterable[str], claims: Sequence[Claim]) -> dict[str, Book]:
        """The allotments as they are now, rid of the movements that are over."""
        aggregates = await self._allotments.load(ids)
        books = {id: Book(aggregate) for id, aggregate in aggregates.items()}
        known = {claim.order_id: claim for claim in claims}
        doubtful: list[tuple[Book, str, Movement]] = []
        now = self._clock()
        for book in books.values():
            for order_id, movement in list(book.pending.items()):
                claim = known.get(order_id)
                notes = self._quotes.notes(order_id) if claim is None else claim.notes()
                verdict = None if notes is None else notes.verdict(book.id, movement)
                if verdict is not None:
                    book.settle(order_id, noted=verdict)
                elif claim is not None:
                    if movement.base == claim.base and movement.request != claim.request:
                        # Requests of an order come in order: an earlier one that its quote has
                        # not applied was set aside.
                        book.settle(order_id, noted=False)
                elif movement.at < now - _STALE:
                    doubtful.append((book, order_id, movement))
        if doubtful:
            quotes = await self._quotes.load({order_id for _, order_id, _ in doubtful})
            for book, order_id, movement in doubtful:
                verdict = notes_of(quotes[order_id]).verdict(book.id, movement)
                if verdict is not None:
                    book.settle(order_id, noted=verdict)
                elif movement.at < now - _ABANDONED:
                    book.settle(order_id, noted=False)
        return books
