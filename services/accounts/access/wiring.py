"""Access put together on MongoDB."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from services.accounts.access.codes import MongoCodes
from services.accounts.access.credentials import MongoCredentials
from services.accounts.access.grants import Grants
from services.accounts.access.impersonation import Impersonation
from services.accounts.access.keys import SigningKeys, TokenIssuer
from services.accounts.access.lockout import AddressLimits
from services.accounts.access.login import Logins
from services.accounts.access.oauth import TokenEndpoint
from services.accounts.access.passwords import Passwords
from services.accounts.access.ports import Directory, DirectoryStanding
from services.accounts.access.recovery import Recovery
from services.accounts.access.refresh_tokens import MongoRefreshTokens
from services.accounts.access.user_tokens import UserTokens
from shared.http.revocations import MongoRevocations
from shared.http.signing_keys import MongoKeySource
from shared.http.tokens import TokenVerifier
from shared.messaging.processor import Clock


@dataclass(frozen=True, slots=True)
class Access:
    """Everything that routes need of access. ``prepare()`` comes before all else."""

    keys: SigningKeys
    public_keys: MongoKeySource
    verifier: TokenVerifier
    endpoint: TokenEndpoint
    impersonation: Impersonation
    logins: Logins
    passwords: Passwords
    credentials: MongoCredentials
    user_tokens: UserTokens
    recovery: Recovery
    grants: Grants
    refresh_tokens: MongoRefreshTokens
    codes: MongoCodes

    async def prepare(self) -> None:
        """Makes the indexes, and the first signing key where there is none."""
        await self.refresh_tokens.create_indexes()
        await self.codes.create_indexes()
        await self.keys.prepare()


def build_access(
    database: AsyncDatabase[dict[str, Any]],
    directory: Directory,
    clock: Clock,
    *,
    issuer: str,
    audience: str,
    rotate_keys_after: timedelta = timedelta(days=90),
    passwords: Passwords | None = None,
) -> Access:
    """Access on the accounts service's ``database``. ``issuer`` and ``audience`` are the claims
    ``iss`` and ``aud``: the URLs under which clients find the token endpoint and the API."""
    hashing = passwords or Passwords()
    keys = SigningKeys(database, clock, rotate_after=rotate_keys_after)
    public_keys = MongoKeySource(database)
    revocations = MongoRevocations(database, DirectoryStanding(directory))
    credentials = MongoCredentials(database)
    refresh_tokens = MongoRefreshTokens(database)
    codes = MongoCodes(database)
    addresses = AddressLimits()
    logins = Logins(directory, credentials, hashing, clock)
    grants = Grants(directory, TokenIssuer(keys, issuer=issuer, audience=audience), refresh_tokens)
    user_tokens = UserTokens(
        access_tokens=revocations,
        refresh_tokens=refresh_tokens,
        credentials=credentials,
        codes=codes,
        clock=clock,
    )
    return Access(
        keys=keys,
        public_keys=public_keys,
        verifier=TokenVerifier(
            public_keys, revocations, issuer=issuer, audience=audience, clock=clock
        ),
        endpoint=TokenEndpoint(
            directory=directory,
            grants=grants,
            logins=logins,
            credentials=credentials,
            passwords=hashing,
            refresh_tokens=refresh_tokens,
            codes=codes,
            clock=clock,
            addresses=addresses,
        ),
        impersonation=Impersonation(directory, grants, clock),
        logins=logins,
        passwords=hashing,
        credentials=credentials,
        user_tokens=user_tokens,
        recovery=Recovery(
            directory=directory,
            logins=logins,
            codes=codes,
            tokens=user_tokens,
            addresses=addresses,
            clock=clock,
        ),
        grants=grants,
        refresh_tokens=refresh_tokens,
        codes=codes,
    )
