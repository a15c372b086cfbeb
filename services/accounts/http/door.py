"""The door of accounts, and what its rules ask of others."""

from collections.abc import Iterable
from typing import cast

from services.accounts.http.passwords import Passwords
from shared.http.door import Door
from shared.http.kinds import Assignment, Kind
from shared.http.mount import Catalogs, Mount


class AccountsDoor(Door):
    """With ``passwords``, all that lets somebody act as a user, and ``catalogs``, where the
    process serves those."""

    def __init__(
        self,
        mount: Mount,
        passwords: Passwords,
        kinds: Iterable[Kind],
        assignments: Iterable[Assignment],
    ) -> None:
        super().__init__(
            "accounts", mount.resources, mount.announcer, mount.increment, kinds, assignments
        )
        self.passwords = passwords
        self.catalogs: Catalogs | None = mount.catalogs


def accounts(door: Door) -> AccountsDoor:
    """``door`` as what it is: the rules of accounts are called with no other."""
    return cast("AccountsDoor", door)
