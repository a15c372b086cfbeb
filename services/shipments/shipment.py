"""What is kept of a shipment, with the commands that wait for their orders."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from services.shipments.ledger import Key
from shared.contracts.base import Resource, Time, Xp
from shared.contracts.fulfillment import CreateShipment, ReconciledItem, Shipment, UpdateShipment
from shared.contracts.orders import CommandReference
from shared.contracts.registry import CREATE_SHIPMENT
from shared.messaging.message import Message

WAITING_COMMANDS = 32
"""Most commands that wait for one shipment. With 5,000 items each they fit into a document."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command to decide, fresh from Kafka or after waiting. ``accepted`` is when Kafka took
    it; ``deadline`` is set when it has waited, and says until when it may (both UTC)."""

    reference: CommandReference
    body: CreateShipment | UpdateShipment
    accepted: datetime
    trace: str | None = None
    deadline: datetime | None = None

    @classmethod
    def of(cls, message: Message[Any]) -> "Command":
        return cls(message.reference(), message.body, message.accepted, message.trace)

    @property
    def shipment_id(self) -> str:
        return self.body.id

    @property
    def cause(self) -> str:
        """What names the command as the cause of events; equals
        :func:`shared.messaging.outbox.caused_by`, whether or not the command has waited."""
        return f"{self.reference.source}|{self.reference.id}|{self.body.id}"

    @property
    def order_names(self) -> list[str]:
        """The orders that its items name, as they name them."""
        return list(dict.fromkeys(item.order_id for item in self.body.items or ()))


class WaitingCommand(Resource):
    """A command whose order is not known yet. ``body`` is its JSON with only the fields that
    it carried."""

    command: CommandReference
    body: str
    accepted: Time
    deadline: Time
    trace: str | None = None

    @classmethod
    def of(cls, command: Command, deadline: datetime) -> "WaitingCommand":
        return cls(
            command=command.reference,
            body=command.body.model_dump_json(exclude_unset=True),
            accepted=command.accepted,
            deadline=deadline,
            trace=command.trace,
        )

    def again(self) -> Command:
        """The command, to be decided again."""
        created = self.command.type == CREATE_SHIPMENT.name
        body = (CreateShipment if created else UpdateShipment).model_validate_json(self.body)
        return Command(self.command, body, self.accepted, self.trace, self.deadline)


class Item(ReconciledItem):
    """A shipped line, by the buyer's order, with what the caller keeps with it."""

    xp: Xp | None = None

    @property
    def key(self) -> Key:
        return self.order_id, self.line_item_id


class ShipmentState(Resource):
    """``shipment`` is null while its creation waits. ``fingerprint`` is of the command that
    created it. ``waiting_for`` (order IDs) is null when nothing waits. ``unsettled`` are ledgers
    that may hold more than the shipment carries, because of a command that had waited and that
    nobody will deliver again. ``waiting_until`` is when it has to be looked at, for either."""

    shipment: Shipment | None = None
    items: list[Item] = Field(default_factory=list)
    fingerprint: str | None = None
    waiting: list[WaitingCommand] = Field(default_factory=list)
    waiting_for: list[str] | None = None
    waiting_until: Time | None = None
    unsettled: list[str] | None = None

    def carried(self) -> dict[Key, int]:
        """Units of every line that the shipment carries."""
        return {item.key: item.quantity_shipped for item in self.items}


def fingerprint(body: CreateShipment) -> str:
    """Tells whether two commands would create the same shipment."""
    content = body.model_dump_json(exclude_none=True).encode()
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
