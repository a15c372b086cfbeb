"""The audit: does what stands on the topics, in the database and in the receivers' own ledgers
account for everything that was accepted, exactly once?

Every check yields differences, in words; the report lists them all instead of stopping at the
first.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

from tests.faults.documents import Documents
from tests.faults.load import Accepted, Ledger
from tests.faults.notices import notice_differences
from tests.faults.orders import FEW_LIMIT, STOCK, Plan
from tests.faults.replay import explains, messages_by_order
from tests.faults.topics import Log
from tests.support.receivers import Request

_SHOWN = 25


@dataclass
class Report:
    """What the audit found. ``outcomes`` counts the accepted orders by where they ended."""

    outcomes: Counter[str] = field(default_factory=Counter)
    events: int = 0
    repeats: int = 0
    dead_letters: int = 0
    lost: int = 0
    mails: int = 0
    calls: int = 0
    differences: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()))
        shown = self.differences[:_SHOWN]
        more = len(self.differences) - len(shown)
        return "\n".join(
            [
                f"orders: {self.outcomes.total()} ({ends})",
                f"on the topics: {self.events} messages, {self.repeats} of them again",
                f"received: {self.mails} mails, {self.calls} webhook calls",
                f"dead letters: {self.dead_letters}, lost orders: {self.lost}",
                f"differences: {len(self.differences)}",
                *(f"  {difference}" for difference in shown),
                *([f"  and {more} more"] if more else []),
            ]
        )


@dataclass
class Before:
    """What earlier rounds of a trial left, which an audit of the orders since takes as given: the
    number of the first order since, the ends of the topics, what older orders hold."""

    first: int = 1
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)
    promised: Counter[str] = field(default_factory=Counter)
    redeemed: int = 0


@dataclass
class Audit:
    """What there is to go by: what was accepted and how it may end, the topics, the database, the
    webhook calls and mails that arrived. ``poisoned`` are the identities (``ce_source``,
    ``ce_id``) of the records that belong into the dead letters; every other dead letter is a
    difference. ``targets`` are the calls of the trial's further webhooks, by path;
    ``before`` is what it takes as given."""

    ledger: Ledger
    plans: Mapping[str, Plan]
    stuck: Sequence[str]
    log: Log
    documents: Documents
    calls: list[Request]
    mails: list[EmailMessage]
    poisoned: frozenset[tuple[str, str]] = frozenset()
    targets: Mapping[str, list[Request]] = field(default_factory=dict)
    before: Before = field(default_factory=Before)

    async def report(self) -> Report:
        """Runs every check."""
        report = Report(
            events=sum(map(len, self.log.records.values())),
            repeats=self.log.repeats().total(),
            dead_letters=len(self.log.dead_letters()),
            mails=len(self.mails),
            calls=len(self.calls),
        )
        placed = {x.key: self.plans[x.key] for x in self.ledger.of_type("PlaceOrder")}
        for plan in placed.values():
            outcome = self.outcome(plan.id)
            report.outcomes[outcome] += 1
            report.lost += outcome == "nowhere"
        for check in (
            self._stuck(), self._ends(placed), self._answers(), self._dead_letters(),
            self._shipped(), self._payments(placed), self._stock(), self._redemptions(),
            self._parts(), self.log.forged_repeats(),
            notice_differences(
                self.log, self.documents, self.calls, self.mails, self.targets
            ),
        ):  # fmt: skip
            report.differences += check
            await asyncio.sleep(0)
        report.differences += await asyncio.to_thread(lambda: list(self._replayed(placed)))
        return report

    # --- orders -----------------------------------------------------------------------------

    def outcome(self, order: str) -> str:
        """Where an order ended: its status, ``Rejected``, ``dead letter`` or ``nowhere``."""
        state = self.documents.orders.get(order)
        if state is None:
            dead = any(record.name == order for record in self.log.dead_letters())
            return "dead letter" if dead else "nowhere"
        if state.phase == "Rejected":
            return "Rejected"
        # Unsettled: it waits for pricing, which is no named actor.
        return str(state.status) if state.phase == "Settled" else "nowhere"

    def _stuck(self) -> Iterator[str]:
        yield from (f"stuck: {text}" for text in self.stuck)

    def _ends(self, placed: dict[str, Plan]) -> Iterator[str]:
        """Every accepted order is terminal or waits for whom it should."""
        for plan in placed.values():
            outcome = self.outcome(plan.id)
            if outcome not in plan.ends:
                yield f"{plan.id} ({plan.kind}) ended as {outcome}, not {sorted(plan.ends)}"
            if outcome == "Open":
                parts = self.documents.forwardings.get(plan.id)
                if parts is None or all(part.order.status != "Open" for part in parts.parts):
                    yield f"{plan.id} is open, but no supplier has anything left to ship"

    def _answers(self) -> Iterator[str]:
        """Every accepted command had its effect or was refused with a reason, once."""
        refused: Counter[str] = Counter()
        for record in self.log.distinct("commands.rejected"):
            refused[record.body["Command"]["ID"]] += 1
            if not all(error["Message"] for error in record.body["Errors"]):
                yield f"{record.name}: a refusal without a message"
        yield from (f"{id} was refused {count} times" for id, count in refused.items() if count > 1)
        happened = {
            (record.type, record.name)
            for topic in ("orders.events", "shipments.events")
            for record in self.log.distinct(topic)
        }
        saved = Counter((x.type, x.name) for x in self.log.distinct("catalog.events"))
        wanted: Counter[tuple[str, str]] = Counter()
        for command in self.ledger.accepted.values():
            if command.type.startswith("Save"):
                wanted[f"{command.type[4:]}Saved", command.key] += 1
            elif command.id not in refused and not _had_effect(command, happened):
                yield f"{command.id} ({command.type}) was accepted and had no effect"
        for about, count in wanted.items():
            # The catalogue was saved once before the first ledger began.
            wanted_saves = count + (not self.before.ends)
            if saved[about] != wanted_saves:
                yield f"{about[0]} {about[1]} {saved[about]} times, saved {wanted_saves} times"

    def _dead_letters(self) -> Iterator[str]:
        letters = {record.identity: record for record in self.log.dead_letters()}
        for identity, record in letters.items():
            if identity not in self.poisoned:
                reason = record.attributes.get("dl_error")
                yield f"dead letter {record.topic} {record.type} {record.name}: {reason}"
            elif not record.attributes.get("dl_error"):
                yield f"dead letter {identity} without a reason"
        yield from (f"{x} is not in the dead letters" for x in self.poisoned - letters.keys())

    def _replayed(self, placed: dict[str, Plan]) -> Iterator[str]:
        """Each order's state is what the pure model makes of its messages."""
        messages = messages_by_order(self.log)
        told: dict[str, list[str]] = {}
        for record in self.log.distinct("orders.events"):
            told.setdefault(record.name, []).append(record.type)
        for order in placed:
            state = self.documents.orders.get(order)
            if state is not None:
                wrong = explains(messages.get(order, {}), state, sorted(told.get(order, ())))
                if wrong is not None:
                    yield f"{order}: {wrong}"

    # --- quantities and money ---------------------------------------------------------------

    def _shipped(self) -> Iterator[str]:
        """Shipped = the set of distinct shipments <= ordered, wherever it is told."""
        carried: Counter[tuple[str, str]] = Counter()
        for shipment in self.documents.shipments.values():
            carried.update(shipment.carried())
        entered: Counter[tuple[str, str]] = Counter()
        for order, ledger in self.documents.ledgers.items():
            for entry in ledger.entries:
                entered[order, entry.line_item_id] += entry.quantity
        for order, state in self.documents.orders.items():
            for line in state.line_items:
                counts = [
                    line.quantity_shipped,
                    carried.pop((order, line.id), 0),
                    entered.pop((order, line.id), 0),
                ]
                if len(set(counts)) > 1 or counts[0] > line.quantity:
                    yield (
                        f"{order} line {line.id}: {line.quantity} ordered, {counts[0]} shipped by "
                        f"the order, {counts[1]} by the shipments, {counts[2]} by the ledger"
                    )
        yield from (f"{x} is shipped of no order" for x in (carried + entered))
        sent = self.ledger.of_type("CreateShipment")
        missing = {x.key for x in sent} - self.documents.shipments.keys()
        refused = {x.body["Command"]["ID"] for x in self.log.distinct("commands.rejected")}
        yield from (f"shipment {id} is missing" for id in missing if f"create-{id}" not in refused)

    def _payments(self, placed: dict[str, Plan]) -> Iterator[str]:
        """One capture per payment key: an order is submitted at most once, and its payments are
        those that came with it, each once, covering the total."""
        captures: Counter[tuple[str, str]] = Counter()
        for record in self.log.distinct("orders.events"):
            if record.type in ("OrderSubmitted", "OrderApproved"):
                captures.update((record.name, x["ID"]) for x in record.body["Payments"])
        for (order, payment), count in captures.items():
            if count > 1:
                yield f"payment {payment} of {order} was captured {count} times"
        for order, plan in placed.items():
            state = self.documents.orders.get(order)
            given = [x["ID"] for x in plan.body.get("Payments", ())]
            if state is None or state.phase == "Rejected":
                if any(key[0] == order for key in captures):
                    yield f"{order} was refused, its payments captured"
            elif [payment.id for payment in state.payments] != given:
                yield f"{order} has payments {state.payments}, given were {given}"
            elif given and state.order.is_submitted:
                paid = sum(x.amount for x in state.payments if x.amount is not None)
                if paid < state.order.total:
                    yield f"{order} costs {state.order.total}, paid were {paid}"

    def promised(self) -> Counter[str]:
        """The units that live orders hold, by product, older ones too."""
        promised = self.before.promised.copy()
        for order in self._holding():
            for line in self.documents.orders[order].line_items:
                promised[line.product_id] += line.quantity
        return promised

    def redeemed(self) -> int:
        """How many live orders hold the promotion FEW, older ones too."""
        return self.before.redeemed + sum(
            any(promotion.code == "FEW" for promotion in self.documents.orders[order].promotions)
            for order in self._holding()
        )

    def _holding(self) -> list[str]:
        """The orders that hold what they were promised."""
        return [id for id, state in self.documents.orders.items() if state.promised]

    def _stock(self) -> Iterator[str]:
        """What is promised = the lines of live orders; nothing is promised twice or for nobody."""
        promised = self.promised()
        for product, stock in STOCK.items():
            yield from self._counted(f"inventory/{product}", stock, promised[product])
            if promised[product] > stock:
                yield f"{product}: {promised[product]} promised of {stock}"

    def _redemptions(self) -> Iterator[str]:
        used = self.redeemed()
        if used > FEW_LIMIT:
            yield f"FEW was redeemed by {used} orders, {FEW_LIMIT} may"
        if used:
            yield from self._counted("promotion/few", 0, used)

    def _counted(self, id: str, start: int, taken: int) -> Iterator[str]:
        """An allotment has what it began with, less what live orders hold."""
        allotment = self.documents.allotments.get(id)
        if allotment is None:
            yield f"there is no allotment {id}"
            return
        left = sum(allotment.records.values())
        for order, movement in allotment.pending.items():
            quote = self.documents.quotes.get(order)
            marks = {(grant.allotment, grant.mark) for grant in quote.grants} if quote else set()
            if (id, movement.mark) in marks:
                continue
            # Not noted, and it never will be once the quote has moved on: the next write undoes it.
            left += sum(movement.units.values())
            if self.documents.quote_versions.get(order, 0) <= movement.base:
                yield f"{id}: {order} holds units that its quote does not note"
        if left != start - taken:
            yield f"{id}: {left} left of {start}, live orders hold {taken}"

    def _parts(self) -> Iterator[str]:
        """Supplier orders have their buyer's lines, each once, and ended with them."""
        forwarded = Counter(
            x.body["Order"]["ID"]
            for x in self.log.distinct("supplier-orders.events")
            if x.type == "SupplierOrderForwarded"
        )
        yield from (f"{id} was forwarded {n} times" for id, n in forwarded.items() if n > 1)
        for order, state in self.documents.orders.items():
            forwarding = self.documents.forwardings.get(order)
            parts = forwarding.parts if forwarding is not None else []
            lines = sorted(line.id for part in parts for line in part.line_items)
            live = state.phase != "Rejected" and state.order.is_submitted
            if (
                live
                and state.status != "Canceled"
                and lines != sorted(line.id for line in state.line_items)
            ):
                yield f"{order}: lines {lines} were forwarded, it has {len(state.line_items)}"
            for part in parts:
                if state.status != "Open" and part.order.status != state.status:
                    yield f"{part.order.id} is {part.order.status}, its order {state.status}"
                if part.order.id not in forwarded:
                    yield f"{part.order.id} was never told"


def _had_effect(command: Accepted, happened: set[tuple[str, str]]) -> bool:
    effects: dict[str, Sequence[str]] = {
        "PlaceOrder": ("OrderSubmitted", "OrderAwaitingApproval", "OrderCanceled"),
        "ApproveOrder": ("OrderApproved",),
        "DeclineOrder": ("OrderDeclined",),
        "CancelOrder": ("OrderCanceled",),
        "CreateShipment": ("ShipmentCreated",),
        "UpdateShipment": ("ShipmentShipped",),
    }
    return any((type, command.key) in happened for type in effects[command.type])
