"""What disagrees, who says what, and what can be done about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.topic_reader import Place
from shared.messaging.message import Event
from shared.messaging.outbox import OutboxEntry


@dataclass(frozen=True, slots=True)
class Resend:
    """Publish the event at ``place`` again, in the name of ``owner``.

    ``seen`` are the identities that the one who missed it remembers, ``version`` the version of
    its document: where it remembers the event although it shows nothing of it, the event needs
    another ID to be heard.
    """

    owner: str
    place: Place
    seen: frozenset[str] = frozenset()
    version: int = 0


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish ``event``, made of what ``owner`` keeps, because no topic has it. ``cause`` names
    what it is made of, so that doing it again gives the same ID."""

    owner: str
    event: Event
    cause: str


@dataclass(frozen=True, slots=True)
class Flush:
    """Publish the entries of an outbox of ``owner`` as they are."""

    owner: str
    entries: Sequence[OutboxEntry]


Repair = Resend | Publish | Flush


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement. ``says`` has what each side says, by side; ``since`` is when the latest
    of what they go by came in (UTC). ``subject`` is what it is about beyond the order: a shipment,
    a supplier order, a document. ``repair`` None: ``next`` says what to do by hand. ``under_way``:
    whoever seems to have missed something has not read that far yet."""

    kind: str
    order_id: str
    says: Mapping[str, str]
    next: str
    since: datetime | None = None
    subject: str = ""
    repair: Repair | None = None
    under_way: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind, self.order_id, self.subject


@dataclass(slots=True)
class Report:
    """What a comparison came to. ``under_way`` counts what is too young to be told or not read
    yet; ``orders``, ``shipments`` and ``events`` how much was looked at."""

    findings: list[Finding] = field(default_factory=list)
    orders: int = 0
    shipments: int = 0
    events: int = 0
    under_way: int = 0
