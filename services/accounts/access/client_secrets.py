"""Secrets of API clients: shown once, kept as hashes.

One that was made here has 256 random bits, which no dictionary has, so a plain SHA-256 keeps it.
One that somebody thought of is hashed as a password is.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

from services.accounts.access.passwords import Passwords
from services.accounts.access.ports import StoredSecret
from shared.http.errors import bad_request

SHORTEST = 15
LONGEST = 1_000
_DIGEST = "sha256:"


def new_secret() -> str:
    """A secret for a client: 43 characters, safe in a form and in a URL."""
    return secrets.token_urlsafe(32)


def stored_new(secret: str) -> str:
    """How a secret that :func:`new_secret` made is stored."""
    return _DIGEST + hashlib.sha256(secret.encode()).hexdigest()


async def stored_chosen(secret: str, passwords: Passwords) -> str:
    """How a ``ClientSecret`` that a client's owner chose is stored. Raises ApiError, 400, where
    it has fewer than 15 or more than 1,000 characters."""
    if not SHORTEST <= len(secret) <= LONGEST:
        raise bad_request(
            "ValidationFailure",
            f"ClientSecret needs {SHORTEST} to {LONGEST:,} characters; leave it out to have one"
            " made by POST /apiclients/{id}/secrets.",
            Field="ClientSecret",
        )
    return await passwords.hash(secret)


async def holds(
    secret: str, stored: Iterable[StoredSecret], now: datetime, passwords: Passwords
) -> bool:
    """Whether ``secret`` is one of those ``stored`` that have not expired at ``now`` (UTC)."""
    digest = stored_new(secret) if len(secret) <= LONGEST else ""
    live = [each.stored for each in stored if each.expires is None or now < each.expires]
    made = [each for each in live if each.startswith(_DIGEST)]
    # All are compared, so that the time does not tell which one it was.
    if sum(hmac.compare_digest(digest.encode(), each.encode()) for each in made):
        return True
    for each in live:
        if not each.startswith(_DIGEST) and await passwords.matches(each, secret[:LONGEST]):
            return len(secret) <= LONGEST
    return False
