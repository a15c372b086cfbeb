"""What access stands on, in memory. tests/integration/test_access_stores.py holds the stores to
what MongoDB does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from services.accounts.access.codes import LIFETIMES, Purpose, new_code
from services.accounts.access.credentials import Credential, locked_until
from services.accounts.access.policy import PasswordRules
from services.accounts.access.ports import (
    Account,
    Client,
    DirectoryStanding,
    ImpersonationRule,
    Profile,
)
from services.accounts.access.refresh_tokens import RefreshToken
from shared.http.principal import UserType

KEY = RSAKey.generate_key(2048)


class FakeDirectory:
    """A Directory of what was put into it. ``assigned`` has profile IDs by internal user ID, by
    group ID and by company ID."""

    def __init__(self) -> None:
        self.users: dict[str, Account] = {}
        self.clients: dict[str, Client] = {}
        self.all_profiles: dict[str, Profile] = {}
        self.assigned: dict[str, list[str]] = {}
        self.client_assignments: set[tuple[str, UserType, str]] = set()
        self.inactive_companies: set[str] = set()
        self.rules: list[ImpersonationRule] = []

    def add(self, *things: Account | Client | Profile | ImpersonationRule) -> None:
        for thing in things:
            match thing:
                case Account():
                    self.users[thing.internal_id] = thing
                case Client():
                    self.clients[thing.id] = thing
                case Profile():
                    self.all_profiles[thing.id] = thing
                case ImpersonationRule():
                    self.rules.append(thing)

    def assign(self, profile_id: str, to: str) -> None:
        self.assigned.setdefault(to, []).append(profile_id)

    def change_user(self, internal_id: str, **changes: Any) -> None:
        self.users[internal_id] = replace(self.users[internal_id], **changes)

    def change_client(self, client_id: str, **changes: Any) -> None:
        self.clients[client_id] = replace(self.clients[client_id], **changes)

    async def user_by_username(self, username: str) -> Account | None:
        name = username.casefold()
        return next((u for u in self.users.values() if u.username.casefold() == name), None)

    async def user(self, internal_id: str) -> Account | None:
        return self.users.get(internal_id)

    async def buyer_user(self, buyer_id: str, user_id: str) -> Account | None:
        return next(
            (
                u
                for u in self.users.values()
                if (u.user_type, u.company_id, u.id) == (UserType.BUYER, buyer_id, user_id)
            ),
            None,
        )

    async def company_active(self, user_type: UserType, company_id: str) -> bool:
        return company_id not in self.inactive_companies

    async def client(self, client_id: str) -> Client | None:
        return self.clients.get(client_id)

    async def client_assigned(self, client_id: str, user_type: UserType, company_id: str) -> bool:
        return (client_id, user_type, company_id) in self.client_assignments

    async def profiles(self, user: Account) -> Sequence[Profile]:
        to = [user.internal_id, *user.group_ids, user.company_id]
        return [self.all_profiles[id] for each in to for id in self.assigned.get(each, [])]

    async def profile(self, profile_id: str) -> Profile | None:
        return self.all_profiles.get(profile_id)

    async def impersonation_rules(self, client_id: str) -> Sequence[ImpersonationRule]:
        return [rule for rule in self.rules if rule.client_id == client_id]


class FakeCredentials:
    """A CredentialStore in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Credential] = {}

    async def find(self, internal_id: str) -> Credential:
        return self.kept.get(internal_id, Credential())

    async def find_all(self, internal_ids: Sequence[str]) -> Mapping[str, Credential]:
        return {id: self.kept[id] for id in internal_ids if id in self.kept}

    async def put(self, internal_id: str, hash: str, *, keep: int, now: datetime) -> None:
        found = await self.find(internal_id)
        self.kept[internal_id] = replace(
            found,
            hashes=(hash, *found.hashes)[: max(1, min(keep, 24))],
            password_set=now,
            failed_attempts=0,
            locked_until=None,
        )

    async def rehash(self, internal_id: str, old: str, new: str) -> None:
        found = await self.find(internal_id)
        if found.current == old:
            self.kept[internal_id] = replace(found, hashes=(new, *found.hashes[1:]))

    async def add_failure(
        self, internal_id: str, rules: PasswordRules, now: datetime
    ) -> Credential:
        found = await self.find(internal_id)
        ended = found.locked_until is not None and found.locked_until <= now
        count = 1 if ended else found.failed_attempts + 1
        until = locked_until(rules, now) if count >= rules.attempts else None
        self.kept[internal_id] = replace(found, failed_attempts=count, locked_until=until)
        return self.kept[internal_id]

    async def unlock(self, internal_id: str) -> None:
        if internal_id in self.kept:
            self.kept[internal_id] = replace(
                self.kept[internal_id], failed_attempts=0, locked_until=None
            )

    async def delete(self, internal_id: str) -> None:
        self.kept.pop(internal_id, None)


class FakeRefreshTokens:
    """A RefreshTokenStore in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, RefreshToken] = {}

    async def issue(self, token: RefreshToken) -> str:
        text = f"refresh-{len(self.kept)}"
        self.kept[text] = token
        return text

    async def find(self, text: str, now: datetime) -> RefreshToken | None:
        token = self.kept.get(text)
        return token if token is not None and now < token.expires else None

    async def revoke(self, internal_id: str) -> None:
        self.kept = {k: v for k, v in self.kept.items() if v.internal_id != internal_id}


class FakeCodes:
    """A CodeStore in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[Purpose, str], tuple[str, str, datetime]] = {}

    async def issue(self, purpose: Purpose, internal_id: str, client_id: str, now: datetime) -> str:
        code = new_code(purpose)
        self.kept[purpose, internal_id] = (client_id, code, now + LIFETIMES[purpose])
        return code

    async def holds(
        self, purpose: Purpose, internal_id: str, client_id: str, code: str, now: datetime
    ) -> bool:
        kept = self.kept.get((purpose, internal_id))
        return kept is not None and kept[:2] == (client_id, code) and now < kept[2]

    async def use(
        self, purpose: Purpose, internal_id: str, client_id: str, code: str, now: datetime
    ) -> bool:
        held = await self.holds(purpose, internal_id, client_id, code, now)
        if held:
            del self.kept[purpose, internal_id]
        return held

    async def delete(self, internal_id: str) -> None:
        self.kept = {k: v for k, v in self.kept.items() if k[1] != internal_id}


class FakeRevocations:
    """Revocations and AccessTokens: the times are kept with the credentials, as in MongoDB."""

    def __init__(self, credentials: FakeCredentials, standing: DirectoryStanding) -> None:
        self._credentials = credentials
        self._standing = standing

    async def is_revoked(self, internal_id: str, issued_at: datetime) -> bool:
        until = (await self._credentials.find(internal_id)).tokens_valid_after
        active = await self._standing.is_active(internal_id)
        return not active or (until is not None and issued_at <= until)

    async def revoke(self, internal_id: str, at: datetime) -> None:
        found = await self._credentials.find(internal_id)
        self._credentials.kept[internal_id] = replace(found, tokens_valid_after=at)

    def forget(self, internal_id: str) -> None:
        """Nothing is remembered."""


class FakeKeys:
    """Signs with one key, and knows it."""

    async def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY, algorithms=["RS256"])

    async def get(self, kid: str) -> RSAKey | None:
        return KEY if kid == "one" else None
