"""The comparison, from reading to findings: in pages, with a second look at what was found.

Nothing stands still while it is read. What disagrees only because something is under way is told
apart by three things: a finding must be older than the grace, it must not rest on an event that its
reader has not read yet, and a second look, at this order alone, must find the same.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.reconcile.findings import Finding, Flush, Report
from services.reconcile.heard import Heard, Readers
from services.reconcile.kept import PAGE, WITH_OUTBOX, Archive, Kept, Whole
from services.reconcile.orders import compare_order
from services.reconcile.shipments import compare_shipment
from services.reconcile.told import compare_shipment_told, compare_told
from services.shipments.shipment import ShipmentState
from services.topic_reader import TopicReader
from shared.messaging.outbox import OutboxEntry
from shared.messaging.processor import Clock

_READERS = ("checkout", "pricing", "forwarding", "shipments")
_MARGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """What to compare: one order, or all that changed from ``since`` (UTC) on, or everything.
    What is younger than ``grace`` is under way."""

    order_id: str | None = None
    since: datetime | None = None
    grace: timedelta = timedelta(seconds=30)


class Comparison:
    """One comparison. Raises PyMongoError and KafkaError when the servers fail."""

    def __init__(self, archive: Archive, reader: TopicReader, clock: Clock, scope: Scope) -> None:
        self._archive = archive
        self._reader = reader
        self._clock = clock
        self._scope = scope
        self._report = Report()
        self._found: dict[tuple[str, str, str], Finding] = {}

    async def run(self) -> Report:
        """Compares, and looks again at what it found."""
        scope, report = self._scope, self._report
        cutoff = self._clock() - scope.grace
        heard = Heard(await self._heard_since(), self._only())
        await heard.listen(self._reader)
        readers = await Readers.ask(self._reader, _READERS)
        if scope.order_id is not None:
            await self._look([scope.order_id], heard, readers)
            report.orders = 1
        else:
            await self._look_at_all(heard, readers)
        await self._outboxes(cutoff)
        first, report.under_way = self._counted(cutoff)
        if first:
            await self._look_again(first.values(), heard, cutoff)
            second, _ = self._counted(cutoff)
            report.under_way += len(first.keys() - second.keys())
            report.findings = [
                second[key]
                for key in sorted(first.keys() & second.keys(), key=lambda key: (key[1], key))
            ]
        report.events = heard.events
        return report

    async def _look_again(
        self, findings: Collection[Finding], heard: Heard, cutoff: datetime
    ) -> None:
        """Compares anew what ``findings`` are about. Whatever was just on its way has arrived by
        now, or is known not to be."""
        self._found = {}
        await heard.listen(self._reader)
        readers = await Readers.ask(self._reader, _READERS)
        orders = sorted({finding.order_id for finding in findings if finding.order_id})
        # Some subjects are no shipments: there is none of that ID then.
        subjects = sorted({finding.subject for finding in findings if finding.subject})
        for start in range(0, len(orders), PAGE):
            await self._look(orders[start : start + PAGE], heard, readers, subjects)
        self._tell_of(await self._archive.shipments(subjects), heard)
        await self._outboxes(cutoff)

    async def _heard_since(self) -> datetime | None:
        scope = self._scope
        if scope.order_id is None:
            return scope.since
        whole = (await self._archive.wholes([scope.order_id]))[scope.order_id]
        return None if whole.order is None else whole.order.state.order.date_created - _MARGIN

    def _only(self) -> frozenset[str] | None:
        return None if self._scope.order_id is None else frozenset((self._scope.order_id,))

    def _counted(self, cutoff: datetime) -> tuple[dict[tuple[str, str, str], Finding], int]:
        """What was found and counts, and how much of it is only under way."""
        found = {**self._archive.unreadable, **self._found}
        counted = {
            key: finding
            for key, finding in found.items()
            if not finding.under_way and (finding.since is None or finding.since <= cutoff)
        }
        return counted, len(found) - len(counted)

    async def _look_at_all(self, heard: Heard, readers: Readers) -> None:
        since = self._scope.since
        async for ids in self._archive.order_ids(since):
            self._report.orders += len(ids)
            await self._look(ids, heard, readers)
        if since is None:
            async for ids in self._archive.stray_ids():
                await self._look(ids, heard, readers)
            async for ids in self._archive.shipment_ids():
                await self._look_at_shipments(ids, heard, readers)
        else:
            ids = sorted(heard.reconciled)
            for start in range(0, len(ids), PAGE):
                await self._look_at_shipments(ids[start : start + PAGE], heard, readers)

    async def _look(
        self,
        order_ids: Sequence[str],
        heard: Heard,
        readers: Readers,
        others: Iterable[str] = (),
    ) -> None:
        """Compares all about some orders, with the shipments that somebody says carry them and
        with ``others``."""
        wholes = await self._archive.wholes(order_ids)
        named = {id for whole in wholes.values() for id in whole.shipment_ids()} | {*others}
        if self._scope.order_id is not None:
            named.update(await self._archive.carriers(self._scope.order_id))
        shipments = await self._archive.shipments(sorted(named))
        for whole in wholes.values():
            if whole.damaged:
                continue
            self._note(compare_order(whole, heard, readers))
            self._note(compare_told(whole, heard))
            concerned = whole.shipment_ids() | {
                id
                for id, kept in shipments.items()
                if any(item.order_id == whole.id for item in kept.state.items)
            }
            for id in sorted(concerned):
                self._note(compare_shipment(id, shipments.get(id), whole, heard, readers))
        if self._scope.order_id is not None:
            self._tell_of(shipments, heard)
            self._own_outboxes(wholes, shipments)

    async def _look_at_shipments(self, ids: Sequence[str], heard: Heard, readers: Readers) -> None:
        """Compares some shipments with all that know of what they carry."""
        shipments = await self._archive.shipments(ids)
        self._report.shipments += len(shipments)
        self._tell_of(shipments, heard)
        carried = {
            id: {item.order_id for item in kept.state.items} for id, kept in shipments.items()
        }
        order_ids = sorted(set().union(*carried.values()))
        for start in range(0, len(order_ids), PAGE):
            page = order_ids[start : start + PAGE]
            wholes = await self._archive.wholes(page)
            for id, kept in shipments.items():
                for order_id in sorted(carried[id] & wholes.keys()):
                    whole = wholes[order_id]
                    if not whole.damaged:
                        self._note(compare_shipment(id, kept, whole, heard, readers))

    def _tell_of(self, shipments: Mapping[str, Kept[ShipmentState]], heard: Heard) -> None:
        for kept in shipments.values():
            self._note(compare_shipment_told(kept, heard))

    async def _outboxes(self, cutoff: datetime) -> None:
        """What should have left the outboxes of all services long ago."""
        if self._scope.order_id is not None:
            return
        for service, name in WITH_OUTBOX:
            async for id, entries in self._archive.outboxes(service, name, cutoff):
                self._note(_outbox(service, name, id, entries))

    def _own_outboxes(
        self, wholes: Mapping[str, Whole], shipments: Mapping[str, Kept[ShipmentState]]
    ) -> None:
        """The same of one order's documents."""
        for whole in wholes.values():
            if whole.order is not None:
                self._note(_outbox("checkout", "orders", whole.id, whole.order.outbox))
            if whole.forwarding is not None:
                outbox = whole.forwarding.outbox
                self._note(_outbox("forwarding", "forwardings", whole.id, outbox))
            if whole.quote is not None:
                self._note(_outbox("pricing", "quotes", whole.id, whole.quote.outbox))
        for id, shipment in shipments.items():
            self._note(_outbox("shipments", "shipments", id, shipment.outbox))

    def _note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._found[finding.key] = finding


def _outbox(service: str, name: str, id: str, entries: Sequence[OutboxEntry]) -> Iterator[Finding]:
    """Events that were decided and are still to be published."""
    if not entries:
        return
    oldest = entries[0].time
    types = ", ".join(dict.fromkeys(entry.type for entry in entries))
    yield Finding(
        "outbox-left",
        id if name in ("orders", "forwardings", "quotes") else "",
        {
            service: f"{len(entries)} events still to be published: {types}",
            "the relay": f"has not cleared them since {oldest:%Y-%m-%d %H:%M:%S}",
        },
        f"See that {service} runs and reaches Kafka: its relay publishes and clears it.",
        oldest,
        f"{service}.{name} {id}",
        repair=Flush(service, entries),
    )
