"""Accounts over HTTP: the parties, and what they have at /me."""

from collections.abc import Callable, Sequence
from typing import cast

from services.accounts.access.codes import MongoCodes
from services.accounts.access.credentials import MongoCredentials
from services.accounts.access.login import Logins
from services.accounts.access.passwords import Passwords as Hashing
from services.accounts.access.ports import Account, Directory, DirectoryStanding, Profile
from services.accounts.access.refresh_tokens import MongoRefreshTokens
from services.accounts.access.user_tokens import UserTokens
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
from services.accounts.http.door import AccountsDoor
from services.accounts.http.passwords import Passwords, StoredPasswords
from shared.http.kinds import Assignment, Kind
from shared.http.mount import Mount, Mounted
from shared.http.operations import Operation
from shared.http.revocations import MongoRevocations

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
    """Accounts' routes."""
    door = AccountsDoor(mount, _passwords(mount), KINDS, ASSIGNMENTS)
    return door.mounted([each for operations in OPERATIONS for each in operations(door)])


class _NoProfiles:
    """A directory of users without any security profile."""

    async def profiles(self, user: Account) -> Sequence[Profile]:
        return ()


def _passwords(mount: Mount) -> Passwords:
    database, clock = mount.resources.database("accounts"), mount.resources.clock
    directory = cast("Directory", _NoProfiles())
    credentials = MongoCredentials(database)
    return StoredPasswords(
        Logins(directory, credentials, Hashing(), clock),
        credentials,
        UserTokens(
            access_tokens=MongoRevocations(database, DirectoryStanding(directory)),
            refresh_tokens=MongoRefreshTokens(database),
            credentials=credentials,
            codes=MongoCodes(database),
            clock=clock,
        ),
    )
