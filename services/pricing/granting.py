"""Granting: units move between allotments and quotes without a transaction, once.

1. The allotment is written: its units are lowered and the movement is noted as pending under the
   order, in one document under a version check. All that a batch wants of an allotment is one
   write; what loses a race is read and decided again.
2. The order's quote is written and notes the grant with the movement's mark.
3. The pending movement is dropped with a later write of the allotment.

A crash between 1 and 2 leaves a movement that no quote notes: the request comes again, finds it
under its own name and uses it. A crash between 2 and 3 leaves one that a quote notes already. A
movement of a request that its quote has applied without noting it (another process was first) is
undone. So a movement is settled by reading its quote; this process knows those it wrote itself.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta

from services.pricing.allotments import ANYWHERE, Allotment, Book, Movement
from services.pricing.claims import Claim, Outcome, decide
from services.pricing.quote_memory import Notes, QuoteMemory
from services.pricing.sourcing import Places
from shared.messaging.processor import Clock
from shared.mongo.aggregates import AggregateStore

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
            lost = await self._allotments.save(
                [book.close() for book in books.values() if book.changed]
            )
            if lost:
                self._lost_races(len(lost))
                books |= await self._open(lost, claims)
            todo = [claim for claim in claims if touched[claim.order_id] & lost]
        return outcomes

    async def _open(self, ids: Iterable[str], claims: Sequence[Claim]) -> dict[str, Book]:
        """The allotments as they are now, rid of the movements that are over."""
        aggregates = await self._allotments.load(ids)
        books = {id: Book(aggregate) for id, aggregate in aggregates.items()}
        requests = {claim.order_id: claim.request for claim in claims}
        doubtful: list[tuple[Book, str, Movement]] = []
        now = self._clock()
        for book in books.values():
            for order_id, movement in list(book.pending.items()):
                if movement.request == requests.get(order_id):
                    continue
                notes = self._quotes.notes(order_id)
                noted = None if notes is None else notes.verdict(book.id, movement)
                if noted is not None:
                    book.settle(order_id, noted=noted)
                elif order_id in requests or movement.at < now - _STALE:
                    doubtful.append((book, order_id, movement))
        if doubtful:
            quotes = await self._quotes.load({order_id for _, order_id, _ in doubtful})
            for book, order_id, movement in doubtful:
                noted = Notes.of(quotes[order_id]).verdict(book.id, movement)
                if noted is not None:
                    book.settle(order_id, noted=noted)
                elif order_id in requests or movement.at < now - _ABANDONED:
                    # Requests of an order come in order: one that a later one overtook, its
                    # quote read just now, will never be applied.
                    book.settle(order_id, noted=False)
        return books
