"""The quantity ledger of an order: what was ordered of each line, and the set of what ships it.

A ledger's entries are a set keyed by (shipment, line); what is shipped of a line is their sum,
never a counter, so that entering the same thing again changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import Field

from shared.aggregates import Aggregate
from shared.contracts.base import Resource

Key = tuple[str, str]
"""A line: the buyer's order's ID and the line's."""


class SupplierPart(Resource):
    """A supplier order made of the order: another name under which its lines are shipped."""

    id: str
    supplier_id: str
    line_item_ids: list[str]


class Entry(Resource):
    """So many units of a line are taken by a shipment. ``version`` is the version of the
    shipment's document that this is, or was to become, part of."""

    shipment_id: str
    line_item_id: str
    quantity: int
    version: int


class Ledger(Resource):
    """``lines`` are the ordered quantities by line ID; null until the order itself is known.
    Events of two topics build it, in any order. ``trace`` is what the first of them was traced
    as, for shipments that come without a trace of their own."""

    buyer_id: str | None = None
    lines: dict[str, int] | None = None
    canceled: bool = False
    parts: list[SupplierPart] = Field(default_factory=list)
    entries: list[Entry] = Field(default_factory=list)
    trace: str | None = None

    def with_trace(self, trace: str | None) -> "Ledger":
        """The trace of the first event that has one stays."""
        if trace is None or self.trace is not None:
            return self
        return self.model_copy(update={"trace": trace})

    def with_order(self, buyer_id: str, lines: Mapping[str, int], canceled: bool) -> "Ledger":
        """The order is known. Its lines are settled with the first event; canceled stays so."""
        if self.lines is not None and self.canceled >= canceled:
            return self
        return self.model_copy(
            update={
                "buyer_id": buyer_id,
                "lines": dict(lines) if self.lines is None else self.lines,
                "canceled": self.canceled or canceled,
            }
        )

    def with_part(self, id: str, supplier_id: str, line_item_ids: Iterable[str]) -> "Ledger":
        """Lines were forwarded. A supplier order gains lines, it never loses any."""
        known = next((part for part in self.parts if part.id == id), None)
        before = known.line_item_ids if known else []
        gained = [line for line in dict.fromkeys(line_item_ids) if line not in before]
        if known is not None and not gained:
            return self
        part = SupplierPart(id=id, supplier_id=supplier_id, line_item_ids=[*before, *gained])
        others = [other for other in self.parts if other.id != id]
        return self.model_copy(update={"parts": [*others, part]})


class Sheet:
    """The working copy of one ledger during a batch."""

    __slots__ = (
        "_aggregate", "_entries", "_lowering", "_taken", "changed", "ledger", "lines",
    )  # fmt: skip

    def __init__(self, aggregate: Aggregate[Ledger]) -> None:
        ledger = aggregate.state
        self._aggregate = aggregate
        self.ledger = ledger if ledger is not None else Ledger()
        self.lines: Mapping[str, int] = self.ledger.lines or {}
        self.changed = False
        self._entries: dict[str, dict[str, Entry]] = {}
        self._taken: dict[str, int] = {}
        self._lowering: dict[str, set[str]] = {}
        for entry in self.ledger.entries:
            self._entries.setdefault(entry.shipment_id, {})[entry.line_item_id] = entry
            self._taken[entry.line_item_id] = (
                self._taken.get(entry.line_item_id, 0) + entry.quantity
            )

    @property
    def id(self) -> str:
        return self._aggregate.id

    @property
    def known(self) -> bool:
        return self.ledger.lines is not None

    def shipped(self, line: str) -> int:
        """Units of ``line`` on all shipments, those on their way into the set included."""
        return self._taken.get(line, 0)

    def shipped_elsewhere(self, line: str, shipment: str) -> int:
        """Units of ``line`` on all shipments but one."""
        own = self._entries.get(shipment, {}).get(line)
        return self.shipped(line) - (own.quantity if own else 0)

    def lowering_elsewhere(self, line: str, shipment: str) -> bool:
        """Whether another shipment of this batch is about to give units of ``line`` back."""
        return bool(self._lowering.get(line, set()) - {shipment})

    def take(self, shipment: str, line: str, committed: int, wanted: int, version: int) -> None:
        """Takes ``wanted`` units for the shipment's ``version``. What is ``committed`` stays taken
        until that version is written, and so does what was taken for the same version before,
        by an earlier command of the batch or by another try: should this one end halfway, what
        is decided again finds at least what it needs."""
        own = self._entries.get(shipment, {}).get(line)
        rival = own.quantity if own is not None and own.version >= version else 0
        quantity = max(committed, wanted, rival)
        if quantity > wanted:
            self._lowering.setdefault(line, set()).add(shipment)
        if own is None or own.quantity != quantity or wanted > committed:
            self._enter(shipment, line, quantity, max(version, own.version if own else 0))

    def settle(self, shipment: str, version: int, carried: Mapping[Key, int]) -> None:
        """Gives back what is taken beyond what the shipment carries (units by line) as it was
        written with ``version``. Never raises a quantity, and leaves alone what is taken for a
        later version."""
        for line, entry in list(self._entries.get(shipment, {}).items()):
            quantity = carried.get((self.id, line), 0)
            if entry.version <= version and entry.quantity > quantity:
                self._enter(shipment, line, quantity, version)

    def exceeds(self, shipment: str, version: int, carried: Mapping[Key, int]) -> bool:
        """Whether :meth:`settle` would give something back."""
        return any(
            entry.version <= version and entry.quantity > carried.get((self.id, line), 0)
            for line, entry in self._entries.get(shipment, {}).items()
        )

    def write(self) -> Aggregate[Ledger]:
        """The aggregate with what changed, to be saved."""
        entries = [entry for lines in self._entries.values() for entry in lines.values()]
        self.ledger = self.ledger.model_copy(update={"entries": entries})
        self._aggregate.state = self.ledger
        self.changed = False
        return self._aggregate

    def _enter(self, shipment: str, line: str, quantity: int, version: int) -> None:
        own = self._entries.setdefault(shipment, {})
        before = own.get(line)
        if before is not None and (before.quantity, before.version) == (quantity, version):
            return
        if before is None and quantity == 0:
            return
        self._taken[line] = self.shipped(line) + quantity - (before.quantity if before else 0)
        if quantity:
            own[line] = Entry(
                shipment_id=shipment, line_item_id=line, quantity=quantity, version=version
            )
        else:
            del own[line]
        self.changed = True


@dataclass(frozen=True, slots=True)
class Target:
    """The line that an item names. ``part`` is the supplier order it was named by, or the only
    one it can be of. ``found`` False: the order is known and has no such line."""

    sheet: Sheet
    part: SupplierPart | None = None
    found: bool = True


class Book:
    """The ledgers that a batch needs, by the buyer's order's ID and by the supplier orders'."""

    def __init__(self, aggregates: Iterable[Aggregate[Ledger]]) -> None:
        self.sheets: dict[str, Sheet] = {}
        self._parts: dict[str, list[tuple[Sheet, SupplierPart]]] = {}
        for aggregate in aggregates:
            if aggregate.state is None or aggregate.id in self.sheets:
                continue
            sheet = self.sheets[aggregate.id] = Sheet(aggregate)
            for part in sheet.ledger.parts:
                self._parts.setdefault(part.id, []).append((sheet, part))

    def find(self, order: str, line: str) -> Target | None:
        """What (order, line) names, the order being the buyer's or a supplier's; None while no
        such order is known. Where an ID is both, the order that has the line is meant, the
        buyer's before the supplier's."""
        direct = self.sheets.get(order)
        if direct is not None and line in direct.lines:
            return Target(direct)
        known = direct if direct is not None and direct.known else None
        for sheet, part in self._parts.get(order, ()):
            if not sheet.known:
                continue
            if line in sheet.lines and self._may_have(sheet, part, line):
                return Target(sheet, part)
            known = known or sheet
        return None if known is None else Target(known, found=False)

    def awaited(self, order: str) -> set[str]:
        """What to wait for until ``order`` is known: its own ID and, where it is known to be a
        part of a buyer's order that has not arrived itself, that order's. Empty when known."""
        direct = self.sheets.get(order)
        sheets = [sheet for sheet, _ in self._parts.get(order, ())]
        if (direct is not None and direct.known) or any(sheet.known for sheet in sheets):
            return set()
        return {order, *(sheet.id for sheet in sheets)}

    def meant(self, orders: Iterable[str]) -> set[str]:
        """The IDs of all ledgers that one of ``orders`` may mean."""
        ids = set()
        for order in orders:
            if order in self.sheets:
                ids.add(order)
            ids.update(sheet.id for sheet, _ in self._parts.get(order, ()))
        return ids

    def lacks(self, order: str, lines: Iterable[str]) -> bool:
        """Whether ``order`` may be a supplier order whose ledger is not in here."""
        if order in self._parts:
            return False
        direct = self.sheets.get(order)
        return direct is None or any(line not in direct.lines for line in lines)

    @staticmethod
    def _may_have(sheet: Sheet, part: SupplierPart, line: str) -> bool:
        # A line that was held goes to its supplier with a later event, which the supplier may
        # have seen before this service: only a line that is another supplier order's is refused.
        owners = [other.id for other in sheet.ledger.parts if line in other.line_item_ids]
        return not owners or part.id in owners


def parts_with(sheet: Sheet, line: str) -> list[SupplierPart]:
    """The supplier orders that ``line`` was forwarded in."""
    return [part for part in sheet.ledger.parts if line in part.line_item_ids]
