"""Who calls: what a verified token says of its user."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

FULL_ACCESS = "FullAccess"
"""The role that satisfies every role."""


class UserType(StrEnum):
    """Which kind of company a user belongs to; the claim ``usrtype``. The seller's are admins."""

    ADMIN = "admin"
    BUYER = "buyer"
    SUPPLIER = "supplier"


@dataclass(frozen=True, slots=True)
class Principal:
    """A user with a token that holds.

    ``user_id`` is the ID that the API shows, unique in the company ``company_id``; ``internal_id``
    never changes and never comes back. ``impersonator`` is the internal ID of the user who acts as
    this one. ``anonymous_order`` is the ID that tells one anonymous shopper from another: they are
    all the same user. ``expires`` is in UTC.
    """

    user_id: str
    username: str
    internal_id: str
    user_type: UserType
    company_id: str
    roles: frozenset[str]
    client_id: str
    impersonator: str | None
    anonymous_order: str | None
    expires: datetime

    def has_any(self, roles: Iterable[str]) -> bool:
        """Whether the user has one of ``roles``. FullAccess satisfies every role; where no role is
        named, none is needed."""
        wanted = frozenset(roles)
        return not wanted or FULL_ACCESS in self.roles or not wanted.isdisjoint(self.roles)
