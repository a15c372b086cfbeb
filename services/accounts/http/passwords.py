"""What a user's document does not have: password, tokens, and what is known of both."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from services.accounts.access.ports import Account


class Passwords(Protocol):
    """All that lets somebody act as a user, whom the internal ID tells from all others."""

    async def check(self, user: Account, password: str) -> None:
        """Raises ApiError 400 where the user may not have this password."""
        ...

    async def set(self, user: Account, password: str) -> None:
        """Gives the user a password, and unlocks the account. Raises as :meth:`check` does."""
        ...

    async def unlock(self, internal_id: str) -> None:
        """Forgets the wrong passwords."""
        ...

    async def revoke(self, internal_id: str) -> None:
        """No token that the user has holds any longer."""
        ...

    def changed(self, internal_id: str) -> None:
        """The user was saved, perhaps as no longer active."""
        ...

    async def remove(self, internal_id: str) -> None:
        """The user is gone, and all that is kept of it."""
        ...

    async def facts(self, internal_ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """What is known of users beside their documents, by wire names, such as
        ``FailedLoginAttempts`` and ``PasswordLastSetDate``; for a page of them at once."""
        ...
