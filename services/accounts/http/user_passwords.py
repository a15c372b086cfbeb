"""All that lets somebody act as a user, for those who keep the users themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.accounts.access.credentials import CredentialStore
from services.accounts.access.login import Logins
from services.accounts.access.ports import Account
from services.accounts.access.user_tokens import UserTokens
from services.accounts.http.activity import Activity
from services.accounts.http.user_facts import UserFacts


class UserPasswords:
    """Passwords and tokens of users, whom the internal ID tells from all others."""

    def __init__(
        self,
        logins: Logins,
        credentials: CredentialStore,
        tokens: UserTokens,
        activity: Activity,
        facts: UserFacts,
    ) -> None:
        self._logins = logins
        self._credentials = credentials
        self._tokens = tokens
        self._activity = activity
        self._facts = facts

    async def check(self, user: Account, password: str) -> None:
        """Raises ApiError 400 where the user may not have this password."""
        await self._logins.check(user, password, own=False)

    async def set(self, user: Account, password: str) -> None:
        """Gives the user a password, and unlocks the account. Raises as :meth:`check` does."""
        await self._logins.set(user, password, own=False)

    async def unlock(self, internal_id: str) -> None:
        """Forgets the wrong passwords."""
        await self._credentials.unlock(internal_id)

    async def revoke(self, internal_id: str) -> None:
        """No token that the user has holds any longer."""
        await self._tokens.revoke(internal_id)

    def changed(self, internal_id: str) -> None:
        """The user was saved, perhaps as no longer active."""
        self._tokens.changed(internal_id)

    async def remove(self, internal_id: str) -> None:
        """The user is gone, and all that is kept of it."""
        await self._tokens.remove(internal_id)
        await self._activity.forget(internal_id)

    async def facts(self, internal_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """What is known of users beside their documents: see :class:`.user_facts.UserFacts`."""
        return await self._facts.of(internal_ids)
