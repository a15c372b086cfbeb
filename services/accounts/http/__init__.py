"""Accounts over HTTP: the parties, and what they have at /me."""

from collections.abc import Callable, Sequence

from services.accounts.http import (
    addresses,
    buyers,
    cost_centers,
    credit_cards,
    me,
    spending_accounts,
    suppliers,
    user_groups,
    users,
)
from services.accounts.http.access_mount import AccessSide
from services.accounts.http.door import AccountsDoor
from shared.http.kinds import Assignment, Kind
from shared.http.mount import Mount, Mounted
from shared.http.operations import Operation

KINDS: tuple[Kind, ...] = (
    *buyers.KINDS,
    *suppliers.KINDS,
    *users.KINDS,
    *user_groups.KINDS,
    *addresses.KINDS,
    *cost_centers.KINDS,
    *credit_cards.KINDS,
    *spending_accounts.KINDS,
    *me.KINDS,
)
ASSIGNMENTS: tuple[Assignment, ...] = (
    *suppliers.ASSIGNMENTS,
    *user_groups.ASSIGNMENTS,
    *addresses.ASSIGNMENTS,
    *cost_centers.ASSIGNMENTS,
    *credit_cards.ASSIGNMENTS,
    *spending_accounts.ASSIGNMENTS,
)
OPERATIONS: tuple[Callable[[AccountsDoor], Sequence[Operation]], ...] = (
    buyers.operations,
    suppliers.operations,
    users.operations,
    me.operations,
)


def mount(mount: Mount) -> Mounted:
    """Accounts' routes, and who comes in by them."""
    access = AccessSide(mount)
    door = AccountsDoor(
        mount,
        access.passwords,
        (*KINDS, *access.kinds),
        (*ASSIGNMENTS, *access.assignments),
    )
    return door.mounted(
        [
            *(each for operations in OPERATIONS for each in operations(door)),
            *access.operations(door),
        ],
        prepare=access.prepare(door),
        tasks=access.tasks(),
        authenticator=access.authenticator,
    )
