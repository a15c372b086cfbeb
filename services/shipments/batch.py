"""One round over a batch: every shipment's commands decided in memory, in order, against the
ledgers, before anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.shipments import refusals
from services.shipments.domain import Accepted, Refused, Unresolved, decide
from services.shipments.ledger import Book, Key
from services.shipments.shipment import WAITING_COMMANDS, Command, ShipmentState, WaitingCommand
from shared.aggregates import Aggregate
from shared.contracts.base import Error
from shared.contracts.orders import CommandRejected
from shared.contracts.registry import COMMAND_REJECTED
from shared.messaging.message import Event, Message
from shared.messaging.outbox import OutboxEntry, entries_of


@dataclass(frozen=True, slots=True)
class WaitingRules:
    """How many shipments may wait for their orders, and for how long. With several instances
    the number is kept to about: each counts what it added itself since it last counted all."""

    limit: int
    time: timedelta


@dataclass(slots=True)
class Work:
    """One shipment in one round. ``state`` is as decided so far; ``waited`` tells whether
    something waited before, ``waiting`` is what waits from now on, for the orders
    ``waiting_for``; ``postponed`` are messages for the next round."""

    aggregate: Aggregate[ShipmentState]
    commands: list[tuple[Command, Message[Any] | None]] = field(default_factory=list)
    duplicates: list[Command] = field(default_factory=list)
    state: ShipmentState | None = None
    committed: Mapping[Key, int] = field(default_factory=dict)
    waited: bool = False
    waiting: list[WaitingCommand] = field(default_factory=list)
    waiting_for: tuple[str, ...] = ()
    postponed: list[Message[Any]] = field(default_factory=list)
    stopped: bool = False
    applied: list[Message[Any]] = field(default_factory=list)
    entries: list[OutboxEntry] = field(default_factory=list)
    errors: list[Error] = field(default_factory=list)
    ledgers: set[str] = field(default_factory=set)
    was_unsettled: bool = False
    unsettled: list[str] = field(default_factory=list)

    @classmethod
    def on(cls, aggregate: Aggregate[ShipmentState], messages: Sequence[Message[Any]]) -> "Work":
        """What there is to do: the commands that wait, then those of ``messages`` that are new."""
        work = cls(aggregate)
        if aggregate.state is not None:
            work.state = aggregate.state
            work.committed = aggregate.state.carried()
            work.ledgers.update(aggregate.state.unsettled or ())
            work.was_unsettled = bool(aggregate.state.unsettled)
            work.waited = bool(aggregate.state.waiting)
            work.commands = [(command.again(), None) for command in aggregate.state.waiting]
        seen: set[str] = set()
        for message in messages:
            if message.identity in seen or aggregate.inbox.has(message):
                work.duplicates.append(Command.of(message))
            else:
                seen.add(message.identity)
                work.commands.append((Command.of(message), message))
        return work

    @property
    def id(self) -> str:
        return self.aggregate.id

    @property
    def marked(self) -> bool:
        """Whether this round marked it as unsettled. The round settles it, so the mark can go;
        an older mark is the next sweep's, another instance may be at work on it."""
        return bool(self.unsettled) and not self.was_unsettled

    def outcome(self, now: datetime) -> ShipmentState | None:
        """The state to be stored: the very one that is stored when nothing changed, None when
        there is no shipment and nothing waits for one."""
        before, state = self.aggregate.state, self.state
        looked_at = self.waiting or self.unsettled
        if not looked_at and (state is None or state.waiting_until is None):
            return state
        if not looked_at and (state is None or state.shipment is None):
            return None
        if self.was_unsettled and before is not None and before.waiting_until is not None:
            now = before.waiting_until
        due = [command.deadline for command in self.waiting] + [now] * bool(self.unsettled)
        after = (state or ShipmentState()).model_copy(
            update={
                "waiting": self.waiting,
                "waiting_for": list(self.waiting_for) if self.waiting else None,
                "waiting_until": min(due) if due else None,
                "unsettled": self.unsettled or None,
            }
        )
        return before if after == before else after


class Round:
    """Decides the commands of all works. ``waiting`` is how many shipments wait already."""

    def __init__(self, book: Book, now: datetime, rules: WaitingRules, waiting: int) -> None:
        self._book = book
        self.now = now
        self._rules = rules
        self.waiting = waiting

    def decide(self, work: Work) -> None:
        """Decides all commands of ``work``, as far as they can be decided in this round."""
        for command, message in work.commands:
            work.ledgers |= self._book.meant(command.order_names)
            if work.stopped or not self._decide(work, command):
                self._postpone(work, command, message)
            elif message is not None:
                work.applied.append(message)
        for duplicate in work.duplicates:
            work.ledgers |= self._book.meant(duplicate.order_names)
        self.waiting += bool(work.waiting) - work.waited
        if work.waited or work.was_unsettled:
            work.unsettled = self._unsettled(work)

    def _unsettled(self, work: Work) -> list[str]:
        version = work.aggregate.version + 1
        carried = work.state.carried() if work.state is not None else {}
        return sorted(
            id
            for id in work.ledgers
            if id in self._book.sheets and self._book.sheets[id].exceeds(work.id, version, carried)
        )

    def _decide(self, work: Work, command: Command) -> bool:
        """False: what other shipments of the batch are about to give back has to be written
        first."""
        if work.waiting:
            self._wait(work, command, work.waiting_for)
            return True
        outcome = decide(work.state, command, self._book)
        if isinstance(outcome, Unresolved):
            self._wait(work, command, outcome.names)
        elif isinstance(outcome, Refused):
            if outcome.postponable:
                return False
            self._refuse(work, command, outcome.errors, outcome.order_id)
        else:
            self._accept(work, command, outcome)
        return True

    def _accept(self, work: Work, command: Command, outcome: Accepted) -> None:
        version = work.aggregate.version + 1
        for change in outcome.changes:
            committed = work.committed.get((change.sheet.id, change.line_item_id), 0)
            change.sheet.take(work.id, change.line_item_id, committed, change.quantity, version)
        work.state = outcome.state
        self._tell(work, command, outcome.events)

    def _refuse(
        self, work: Work, command: Command, errors: Sequence[Error], order_id: str | None
    ) -> None:
        work.errors += errors
        body = CommandRejected(command=command.reference, order_id=order_id, errors=list(errors))
        self._tell(work, command, (Event(COMMAND_REJECTED, body),))

    def _tell(self, work: Work, command: Command, events: Sequence[Event]) -> None:
        work.entries += entries_of(command.cause, events, self.now, command.trace)

    def _wait(self, work: Work, command: Command, names: tuple[str, ...]) -> None:
        named = command.order_names
        order_id = next((name for name in named if name in names), names[0])
        rules = self._rules
        if command.deadline is not None and command.deadline <= self.now:
            error = refusals.order_never_came(order_id, rules.time)
        elif command.deadline is None and len(work.waiting) >= WAITING_COMMANDS:
            error = refusals.too_many_wait(order_id, WAITING_COMMANDS, "commands of one shipment")
        elif (
            command.deadline is None
            and not work.waiting
            and not work.waited
            and self.waiting >= rules.limit
        ):
            error = refusals.too_many_wait(order_id, rules.limit, "shipments")
        else:
            self._keep(work, command, names)
            return
        self._refuse(work, command, [error], order_id)

    def _keep(self, work: Work, command: Command, names: tuple[str, ...]) -> None:
        work.waiting.append(
            WaitingCommand.of(command, command.deadline or self.now + self._rules.time)
        )
        work.waiting_for = names

    def _postpone(self, work: Work, command: Command, message: Message[Any] | None) -> None:
        work.stopped = True
        if message is not None:
            work.postponed.append(message)
        else:
            # Found again by its order, should this process end here.
            self._keep(work, command, tuple(command.order_names))
