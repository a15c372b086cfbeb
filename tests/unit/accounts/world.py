"""Access with everything outside it in memory, and users, clients and profiles in a line each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.accounts.access.grants import Grants
from services.accounts.access.impersonation import Impersonation
from services.accounts.access.keys import TokenIssuer
from services.accounts.access.lockout import AddressLimits
from services.accounts.access.login import Logins
from services.accounts.access.oauth import TokenEndpoint
from services.accounts.access.passwords import Passwords
from services.accounts.access.policy import PasswordRules
from services.accounts.access.ports import (
    Account,
    Client,
    DirectoryStanding,
    Profile,
    Roles,
)
from services.accounts.access.recovery import Recovery
from services.accounts.access.user_tokens import UserTokens
from shared.http.principal import Principal, UserType
from shared.http.tokens import TokenVerifier
from tests.support.fakes import FakeClock
from tests.unit.accounts.fakes import (
    FakeCodes,
    FakeCredentials,
    FakeDirectory,
    FakeKeys,
    FakeRefreshTokens,
    FakeRevocations,
)

ISSUER, AUDIENCE = "https://shop.example/auth", "https://shop.example/api"


def cheap_passwords(rounds: int = 1) -> Passwords:
    return Passwords(rounds=rounds, memory=8)


def user(
    id: str = "ada", kind: UserType = UserType.BUYER, company: str = "acme", **more: Any
) -> Account:
    """A user whose name is the ID, and whose internal ID is ``u-`` and the ID."""
    fields: dict[str, Any] = {"username": id, "active": True, **more}
    return Account(f"u-{id}", id, user_type=kind, company_id=company, **fields)


def client(id: str = "app", **more: Any) -> Client:
    """An active client for everybody, whose tokens last an hour."""
    fields: dict[str, Any] = {"active": True, "access_minutes": 60}
    return Client(id, **{**fields, "any_buyer": True, "any_supplier": True, "seller": True, **more})


def profile(id: str, *roles: str, custom: Sequence[str] = (), **rules: Any) -> Profile:
    return Profile(
        id,
        Roles(frozenset(roles), frozenset(custom)),
        PasswordRules(**rules) if rules else None,
    )


class World:
    """Access over the fakes. ``time`` counts seconds for limits by address."""

    def __init__(self, elapsed: Callable[[], float] = lambda: 0.0) -> None:
        self.clock = FakeClock()
        self.directory = FakeDirectory()
        self.credentials = FakeCredentials()
        self.refresh_tokens = FakeRefreshTokens()
        self.codes = FakeCodes()
        self.passwords = cheap_passwords()
        self.addresses = AddressLimits(burst=20, elapsed=elapsed)
        keys = FakeKeys()
        revocations = FakeRevocations(self.credentials, DirectoryStanding(self.directory))
        self.logins = Logins(self.directory, self.credentials, self.passwords, self.clock)
        self.grants = Grants(
            self.directory,
            TokenIssuer(keys, issuer=ISSUER, audience=AUDIENCE),
            self.refresh_tokens,
        )
        self.endpoint = TokenEndpoint(
            directory=self.directory,
            grants=self.grants,
            logins=self.logins,
            credentials=self.credentials,
            passwords=self.passwords,
            refresh_tokens=self.refresh_tokens,
            codes=self.codes,
            clock=self.clock,
            addresses=self.addresses,
        )
        self.user_tokens = UserTokens(
            access_tokens=revocations,
            refresh_tokens=self.refresh_tokens,
            credentials=self.credentials,
            codes=self.codes,
            clock=self.clock,
        )
        self.recovery = Recovery(
            directory=self.directory,
            logins=self.logins,
            codes=self.codes,
            tokens=self.user_tokens,
            addresses=self.addresses,
            clock=self.clock,
        )
        self.impersonation = Impersonation(self.directory, self.grants, self.clock)
        self.verifier = TokenVerifier(
            keys, revocations, issuer=ISSUER, audience=AUDIENCE, clock=self.clock
        )

    async def add_user(self, account: Account, password: str | None = None, *roles: str) -> Account:
        """A user with a password, and a profile of its own that has ``roles``."""
        own = profile(f"of-{account.id}", *(roles or ("Shopper",)))
        self.directory.add(account, own)
        self.directory.assign(own.id, account.internal_id)
        if password is not None:
            hash = await self.passwords.hash(password)
            await self.credentials.put(account.internal_id, hash, keep=1, now=self.clock())
        return account

    async def token(self, form: Mapping[str, str], address: str = "192.0.2.1") -> Principal:
        """Whom the token is of that the form gets."""
        answer = await self.endpoint.grant(form, address)
        return await self.verifier.verify_token(answer.access_token)
