"""Taking a user's tokens away."""

from datetime import datetime
from typing import Protocol

from services.accounts.access.codes import CodeStore
from services.accounts.access.credentials import CredentialStore
from services.accounts.access.refresh_tokens import RefreshTokenStore
from shared.messaging.processor import Clock


class AccessTokens(Protocol):
    """What :class:`shared.http.revocations.MongoRevocations` does with tokens."""

    async def revoke(self, internal_id: str, at: datetime) -> None: ...

    def forget(self, internal_id: str) -> None: ...


class UserTokens:
    """All that lets somebody act as a user."""

    def __init__(
        self,
        *,
        access_tokens: AccessTokens,
        refresh_tokens: RefreshTokenStore,
        credentials: CredentialStore,
        codes: CodeStore,
        clock: Clock,
    ) -> None:
        self._access_tokens = access_tokens
        self._refresh_tokens = refresh_tokens
        self._credentials = credentials
        self._codes = codes
        self._clock = clock

    async def revoke(self, internal_id: str) -> None:
        """Revokes all access and refresh tokens that the user has. Also to be called where what a
        token says of its user changes: username, ID, company."""
        await self._access_tokens.revoke(internal_id, self._clock())
        await self._refresh_tokens.revoke(internal_id)

    def changed(self, internal_id: str) -> None:
        """The user was saved, perhaps as no longer active: this process looks again at once."""
        self._access_tokens.forget(internal_id)

    async def remove(self, internal_id: str) -> None:
        """Removes all that is kept of a user who is gone. The tokens do not hold any longer, for
        want of the user."""
        await self._refresh_tokens.revoke(internal_id)
        await self._codes.delete(internal_id)
        await self._credentials.delete(internal_id)
        self._access_tokens.forget(internal_id)
