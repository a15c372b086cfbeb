"""What a service's HTTP side is given, and what it gives to be served.

``services/<name>/http/__init__.py`` has one function, ``mount``.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.contracts.catalog import Buyer
from shared.http.app import Authenticator
from shared.http.documents import Announcer
from shared.http.ids import Increment
from shared.http.operations import Call, Operation
from shared.service import Resources, Task


class Catalogs(Protocol):
    """What accounts asks of whoever keeps catalogs: services do not write each other's data."""

    async def create_default(self, call: Call, buyer: Buyer) -> None:
        """Makes sure that there is a catalog with the buyer's ID and name, assigned to the buyer.
        One that is there stays as it is."""
        ...


@dataclass(frozen=True, slots=True)
class Mount:
    """What the process gives. ``issuer`` is the URL under which tokens are issued; without
    ``catalogs`` a new buyer has no default catalog."""

    resources: Resources
    announcer: Announcer
    increment: Increment
    issuer: str
    catalogs: Catalogs | None = None


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


class Mounting(Protocol):
    """The function ``mount``."""

    def __call__(self, mount: Mount) -> Mounted: ...
