"""The use cases: take commands, wake what waited for an order, sweep what waits.

Each is a few round trips to MongoDB and one to Kafka, whatever the number of shipments.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.shipments.batch import Round, WaitingRules, Work
from services.shipments.domain import Unresolved, decide
from services.shipments.ledger import Book, Ledger, Sheet
from services.shipments.shipment import Command
from services.shipments.store import Ledgers, Shipments
from shared.aggregates import Aggregate
from shared.contracts.fulfillment import CreateShipment, UpdateShipment
from shared.messaging import failpoints
from shared.messaging.message import Message
from shared.messaging.processor import Clock
from shared.messaging.publisher import Publisher
from shared.messaging.untold import unpublished
from shared.metrics import Metrics

_AT_ONCE = 500

Todo = Mapping[str, Sequence[Message[Any]]]
"""Shipments to look at, each with the commands that came for it, in order. One that has none
has waiting commands to be looked at again."""


class ShipmentHandlers:
    def __init__(
        self,
        *,
        service: str,
        shipments: Shipments,
        ledgers: Ledgers,
        publisher: Publisher,
        clock: Clock,
        metrics: Metrics,
        rules: WaitingRules,
    ) -> None:
        self._service = service
        self._shipments = shipments
        self._ledgers = ledgers
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics
        self._rules = rules
        self._waiting = 0
        self._counted = False
        self._swept_to = ""

    async def take(self, messages: Iterable[Message[Any]]) -> None:
        """Applies shipment commands, which are in order; returns when all that follows is written
        and published. Raises the infrastructure's faults; doing it again is safe."""
        todo: dict[str, list[Message[Any]]] = {}
        for message in messages:
            todo.setdefault(message.body.id, []).append(message)
        await self._run(todo)

    async def wake(self, orders: Iterable[str], entered: Collection[str]) -> None:
        """Applies what waited for these orders, the buyers' or the suppliers'. ``entered`` are the
        ledgers that have just come to know of them and may have entries already."""
        orders = list(orders)
        # Where nothing waits nobody is asked. What another instance let wait since this one
        # counted, its own sweep or this one's finds.
        waits = self._waiting > 0 or not self._counted
        ids = await self._shipments.waiting_for(orders) if waits else ()
        for start in range(0, len(ids), _AT_ONCE):
            await self._run(dict.fromkeys(ids[start : start + _AT_ONCE], ()))
        await self._settle_entered(entered)

    async def _settle_entered(self, ledgers: Collection[str]) -> None:
        """Gives back what a try that died had taken for shipments that another instance has
        decided meanwhile: they wait no longer, so nothing else leads to it. Few orders have
        entries before they are known."""
        if not ledgers:
            return
        book = Book((await self._ledgers.load(ledgers)).values())
        taken_by: dict[str, set[str]] = {}
        for sheet in book.sheets.values():
            for entry in sheet.ledger.entries:
                taken_by.setdefault(entry.shipment_id, set()).add(sheet.id)
        if not taken_by:
            return
        works = [Work.on(each, ()) for each in (await self._shipments.load(taken_by)).values()]
        for work in works:
            work.ledgers |= taken_by[work.id]
        await self._settle(works, book)

    async def traces(self, messages: Sequence[Message[Any]]) -> dict[str, str]:
        """The traces of the orders that commands ship, by the commands' identity. An update that
        names no items is about those that its shipment has."""
        commands = [m for m in messages if isinstance(m.body, CreateShipment | UpdateShipment)]
        bare = [message.body.id for message in commands if not message.body.items]
        shipped: dict[str, tuple[str, str]] = {}
        for id, aggregate in (await self._shipments.load(bare)).items() if bare else ():
            if aggregate.state is not None and aggregate.state.items:
                shipped[id] = aggregate.state.items[0].key
        for message in commands:
            for item in message.body.items or ():
                shipped.setdefault(message.body.id, (item.order_id, item.line_item_id))
        named: dict[str, set[str]] = {}
        for order, line in shipped.values():
            named.setdefault(order, set()).add(line)
        book = await self._open(named)
        found: dict[str, str] = {}
        for message in commands:
            place = shipped.get(message.body.id)
            target = book.find(*place) if place is not None else None
            if target is not None and target.sheet.ledger.trace is not None:
                found[message.identity] = target.sheet.ledger.trace
        return found

    async def sweep(self) -> None:
        """Rejects what has waited too long and counts the rest. Looks again at a part of it: its
        order may have come without anybody being left to wake it."""
        ids = dict.fromkeys(await self._shipments.due(self._clock(), _AT_ONCE))
        page = await self._shipments.waiting(self._swept_to, _AT_ONCE)
        self._swept_to = max(page) if len(page) == _AT_ONCE else ""
        book = await self._open({name: set() for names in page.values() for name in names})
        for id, names in page.items():
            if {part for name in names for part in book.awaited(name)} != set(names):
                ids[id] = None
        await self._run(dict.fromkeys(ids, ()))
        await self.count()

    async def count(self) -> None:
        """Counts what waits, for the limit and the metric."""
        self._waiting = await self._shipments.count_waiting()
        self._counted = True
        self._metrics.waiting_shipments.set(self._waiting)

    async def _run(self, todo: Todo) -> None:
        # What a try took that then lost its race has to be given back, also where another
        # instance has left nothing to decide.
        taken: dict[str, set[str]] = {}
        while todo:
            shipments = await self._shipments.load(todo)
            works = [Work.on(shipments[id], messages) for id, messages in todo.items()]
            for work in works:
                work.ledgers |= taken.get(work.id, set())
            book = await self._open(_named(works))
            round = Round(book, self._clock(), self._rules, self._waiting)
            for work in works:
                round.decide(work)
            lost = await self._write(works, book, round.now)
            kept = [work for work in works if work.id not in lost]
            taken = {work.id: work.ledgers for work in works if work.id in lost}
            await self._settle(kept, book)
            await self._finish(kept)
            self._waiting += sum(bool(work.waiting) - work.waited for work in kept)
            again = await self._known_meanwhile(kept)
            todo = {
                work.id: todo[work.id] if work.id in lost else work.postponed
                for work in works
                if work.id in lost or work.stopped or work.marked or work.id in again
            }

    async def _open(self, named: Mapping[str, set[str]]) -> Book:
        """The ledgers that ``named`` (order IDs with line IDs) may mean: one query, one more for
        supplier orders ``{BuyerOrderID}-{SupplierID}`` of suppliers whose ID has a hyphen, and one
        for those without that form, the only one that does not name the ledgers."""
        if not named:
            return Book(())
        found: dict[str, Aggregate[Ledger]] = {}
        book = Book(())
        for guesses in (_usual_orders, _possible_orders):
            unclear = _unclear(named, book)
            more = dict.fromkeys(id for name in unclear for id in guesses(name) if id not in found)
            if more:
                found |= await self._ledgers.load(more)
                book = Book(found.values())
        unclear = _unclear(named, book)
        if not unclear:
            return book
        return Book([*found.values(), *await self._ledgers.of_supplier_orders(unclear)])

    async def _write(self, works: Sequence[Work], book: Book, now: datetime) -> set[str]:
        """Writes ledgers, then shipments. Returns the shipments that lost a race, or were decided
        by a ledger that did; nothing of theirs is written but quantities taken."""
        lost_ledgers = await self._save_ledgers(book.sheets.values())
        lost = {work.id for work in works if work.ledgers & lost_ledgers}
        changed = []
        for work in works:
            outcome = work.outcome(now)
            if work.id in lost or (outcome is work.aggregate.state and not work.entries):
                continue
            aggregate = work.aggregate
            aggregate.state = outcome
            aggregate.outbox = [*unpublished(self._publisher, [aggregate]), *work.entries]
            for message in work.applied:
                aggregate.inbox.add(message)
            changed.append(aggregate)
        failpoints.reached("before_write", changed)
        lost_shipments = await self._shipments.save(changed)
        failpoints.reached("after_write", changed)
        self._metrics.lost_races.labels(self._service).inc(len(lost_shipments))
        return lost | lost_shipments

    async def _settle(self, works: Sequence[Work], book: Book) -> None:
        """Gives back what is taken in the ledgers and not carried by the shipments, as written."""
        while True:
            for work in works:
                state = work.aggregate.state
                carried = state.carried() if state is not None else {}
                for id in work.ledgers & book.sheets.keys():
                    book.sheets[id].settle(work.id, work.aggregate.version, carried)
            lost = await self._save_ledgers(book.sheets.values())
            if not lost:
                return
            works = [work for work in works if work.ledgers & lost]
            ids = {id for work in works for id in work.ledgers}
            book = Book((await self._ledgers.load(ids)).values())

    async def _save_ledgers(self, sheets: Iterable[Sheet]) -> set[str]:
        changed = [sheet.write() for sheet in sheets if sheet.changed]
        failpoints.reached("before_write", changed)
        lost = await self._ledgers.save(changed)
        failpoints.reached("after_write", changed)
        self._metrics.lost_races.labels(self._service).inc(len(lost))
        return lost

    async def _finish(self, works: Sequence[Work]) -> None:
        """Publishes what is written. A duplicate means that an earlier try may have ended before
        it did, so its shipment's outbox is looked at too."""
        failpoints.reached("before_publish", works)
        touched = [work.aggregate for work in works if work.entries or work.duplicates]
        await self._publisher.publish(unpublished(self._publisher, touched))
        failpoints.reached("after_publish", works)
        for work in works:
            if work.duplicates:
                topic = self._metrics.duplicates.labels(self._service, "shipments.commands")
                topic.inc(len(work.duplicates))
            for error in work.errors:
                self._metrics.rejected.labels(self._service, error.error_code).inc()

    async def _known_meanwhile(self, works: Sequence[Work]) -> set[str]:
        """Shipments that began to wait just now although what they wait for came in between:
        whoever brought it looked for them too early, or they looked for it too early, not both."""
        began = [work for work in works if work.waiting and not work.stopped]
        if not began:
            return set()
        heads = {work.id: work.waiting[0].again() for work in began}
        book = await self._open(_lines_by_order(heads.values()))
        return {
            work.id
            for work in began
            if decide(work.aggregate.state, heads[work.id], book) != Unresolved(work.waiting_for)
        }


def _usual_orders(name: str) -> list[str]:
    """The orders that ``name`` is, or is of a supplier whose ID has no hyphen."""
    before, hyphen, _ = name.rpartition("-")
    return [name, before] if hyphen and before else [name]


def _possible_orders(name: str) -> list[str]:
    """The orders whose supplier order ``name`` may be."""
    parts = name.split("-")
    return ["-".join(parts[:count]) for count in range(1, len(parts))]


def _unclear(named: Mapping[str, set[str]], book: Book) -> list[str]:
    """The names that the book does not explain."""
    return [name for name, lines in named.items() if book.lacks(name, lines)]


def _named(works: Iterable[Work]) -> dict[str, set[str]]:
    named = _lines_by_order(
        command
        for work in works
        for command in (*(command for command, _ in work.commands), *work.duplicates)
    )
    for work in works:
        for id in work.ledgers:
            named.setdefault(id, set())
    return named


def _lines_by_order(commands: Iterable[Command]) -> dict[str, set[str]]:
    named: dict[str, set[str]] = {}
    for command in commands:
        for item in command.body.items or ():
            named.setdefault(item.order_id, set()).add(item.line_item_id)
    return named
