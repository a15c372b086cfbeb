"""What a service's HTTP side is given, and what it gives to be served.

``services/<name>/http/__init__.py`` has one function, ``mount``.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.http.app import Authenticator
from shared.http.documents import Announcer
from shared.http.ids import Increment
from shared.http.operations import Operation
from shared.service import Resources, Task


@dataclass(frozen=True, slots=True)
class Mount:
    """What the process gives. ``issuer`` is the URL under which tokens are issued."""

    resources: Resources
    announcer: Announcer
    increment: Increment
    issuer: str


@dataclass(frozen=True, slots=True)
class Mounted:
    """The HTTP side of one service, ready to be served.

    ``collections`` are those whose outboxes the relay looks after, ``prepare`` is done before the
    first request, ``tasks`` go on beside them.
    """

    service: str
    operations: Sequence[Operation]
    collections: Sequence[str] = ()
    prepare: Sequence[Callable[[], Awaitable[None]]] = ()
    tasks: Sequence[Task] = ()
    authenticator: Authenticator | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


class Mounting(Protocol):
    """The function ``mount``."""

    def __call__(self, mount: Mount) -> Mounted: ...
