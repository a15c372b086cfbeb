"""What access needs to know of users, companies, API clients and security profiles.

Who declares those resources implements :class:`Directory` on their documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.accounts.access.policy import PasswordRules
from shared.http.principal import UserType


@dataclass(frozen=True, slots=True)
class Account:
    """A user. ``id`` is unique in the company ``company_id`` and may change, ``internal_id``
    never does and is never used again."""

    internal_id: str
    id: str
    username: str
    user_type: UserType
    company_id: str
    active: bool
    group_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A client's secret as :func:`.client_secrets.store` made it. ``expires`` is in UTC."""

    stored: str
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Roles:
    """Roles that the API checks and roles of the marketplace's own making."""

    standard: frozenset[str] = frozenset()
    custom: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Client:
    """An API client. Durations are in minutes; ``secrets`` are the ``ClientSecret`` and the
    ``ApiClientSecret`` resources together. An empty ``at_most`` does not limit anything."""

    id: str
    active: bool
    access_minutes: int
    refresh_minutes: int = 0
    anonymous_minutes: int = 10_080
    context_username: str | None = None
    any_buyer: bool = False
    any_supplier: bool = False
    seller: bool = False
    anonymous: bool = False
    secrets: Sequence[StoredSecret] = ()
    at_least: Roles = field(default_factory=Roles)
    at_most: Roles = field(default_factory=Roles)


@dataclass(frozen=True, slots=True)
class Profile:
    """A security profile: roles, and perhaps rules for passwords."""

    id: str
    roles: Roles
    password_rules: PasswordRules | None = None


@dataclass(frozen=True, slots=True)
class ImpersonationRule:
    """An ImpersonationConfig: who may act as whom, with which roles. A field that is None does
    not limit anything; without an ``impersonator_buyer_id`` the seller's users act."""

    id: str
    client_id: str
    profile_id: str
    impersonator_buyer_id: str | None = None
    impersonator_group_id: str | None = None
    impersonator_user_id: str | None = None
    buyer_id: str | None = None
    group_id: str | None = None
    user_id: str | None = None


class Directory(Protocol):
    """Users and what decides on their rights, each as it is now."""

    async def user_by_username(self, username: str) -> Account | None:
        """The user of this name, in any company, whatever the case of the letters."""
        ...

    async def user(self, internal_id: str) -> Account | None: ...

    async def buyer_user(self, buyer_id: str, user_id: str) -> Account | None: ...

    async def company_active(self, user_type: UserType, company_id: str) -> bool:
        """Whether the buyer, the supplier or the marketplace is there and active."""
        ...

    async def client(self, client_id: str) -> Client | None: ...

    async def client_assigned(self, client_id: str, user_type: UserType, company_id: str) -> bool:
        """Whether the client is assigned to this buyer or supplier."""
        ...

    async def profiles(self, user: Account) -> Sequence[Profile]:
        """The profiles assigned to the user, to a group of the user's, or to the company."""
        ...

    async def profile(self, profile_id: str) -> Profile | None: ...

    async def impersonation_rules(self, client_id: str) -> Sequence[ImpersonationRule]:
        """Those for tokens of this client."""
        ...


@dataclass(frozen=True, slots=True)
class DirectoryStanding:
    """What :class:`shared.http.revocations.MongoRevocations` asks of a user, from a Directory."""

    directory: Directory

    async def is_active(self, internal_id: str) -> bool:
        """Whether there is such a user, active, in an active company."""
        user = await self.directory.user(internal_id)
        return (
            user is not None
            and user.active
            and await self.directory.company_active(user.user_type, user.company_id)
        )
