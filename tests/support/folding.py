"""Drives one aggregate by its pure fold, as the processor would."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from shared.contracts.base import Resource
from shared.contracts.registry import MessageType
from shared.messaging.message import Event
from shared.messaging.processor import Fold
from tests.support.fakes import message

S = TypeVar("S", bound=Resource)
C = TypeVar("C")
B = TypeVar("B", bound=Resource)


class Folding(Generic[S, C]):
    """One aggregate: ``state`` is what is known of it, ``events`` all that was told, in order.
    ``context`` may be replaced between messages."""

    def __init__(self, id: str, fold: Fold[S, C], context: C) -> None:
        self.id = id
        self.context = context
        self.state: S | None = None
        self.events: list[Event] = []
        self._fold = fold

    def take(
        self, type: MessageType[B], body: B | Mapping[str, Any], **overrides: Any
    ) -> list[Event]:
        """Folds one message and returns the events it led to."""
        taken = message(type, body, **{"key": self.id, **overrides})
        decision = self._fold(self.state, taken, self.context)
        self.state = decision.state
        self.events += decision.events
        return list(decision.events)


def names(events: list[Event]) -> list[str]:
    """The type names of ``events``."""
    return [event.type.name for event in events]


def error_codes(events: list[Event]) -> list[str]:
    """The error codes of the one ``CommandRejected`` that ``events`` are."""
    [rejected] = events
    assert rejected.type.name == "CommandRejected"
    return [error.error_code for error in rejected.body.errors]  # type: ignore[attr-defined]
