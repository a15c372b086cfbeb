"""Refresh tokens: random, kept as hashes, bound to a client and a user, not rotated.

OrderCloud's SDK keeps the refresh token that it got at login for as long as it may be used.
Documents of ``refresh_tokens``: ``{_id: SHA-256, InternalID, ClientID, Scope?, Issued, Expires}``.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

LONGEST = 200


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token stands for. ``scope`` are the roles asked for at login, None where all
    were. ``issued`` and ``expires`` are in UTC."""

    internal_id: str
    client_id: str
    scope: frozenset[str] | None
    issued: datetime
    expires: datetime


class RefreshTokenStore(Protocol):
    """Where refresh tokens are kept."""

    async def issue(self, token: RefreshToken) -> str:
        """The text that stands for ``token`` from now on."""
        ...

    async def find(self, text: str, now: datetime) -> RefreshToken | None:
        """What ``text`` stands for, unless it has expired or was revoked."""
        ...

    async def revoke(self, internal_id: str) -> None:
        """Removes all of a user's."""
        ...


class MongoRefreshTokens:
    """A RefreshTokenStore in MongoDB."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self._collection = database["refresh_tokens"]

    async def create_indexes(self) -> None:
        await self._collection.create_indexes(
            [
                IndexModel([("InternalID", ASCENDING)], name="user"),
                IndexModel([("Expires", ASCENDING)], name="expires", expireAfterSeconds=0),
            ]
        )

    async def issue(self, token: RefreshToken) -> str:
        text = secrets.token_urlsafe(32)
        await self._collection.insert_one(
            {
                "_id": _hash(text),
                "InternalID": token.internal_id,
                "ClientID": token.client_id,
                "Scope": _sorted(token.scope),
                "Issued": token.issued,
                "Expires": token.expires,
            }
        )
        return text

    async def find(self, text: str, now: datetime) -> RefreshToken | None:
        if len(text) > LONGEST:
            return None
        # The server removes what has expired once a minute.
        found = await self._collection.find_one({"_id": _hash(text), "Expires": {"$gt": now}})
        if found is None:
            return None
        scope = found["Scope"]
        return RefreshToken(
            internal_id=found["InternalID"],
            client_id=found["ClientID"],
            scope=None if scope is None else frozenset(scope),
            issued=found["Issued"],
            expires=found["Expires"],
        )

    async def revoke(self, internal_id: str) -> None:
        await self._collection.delete_many({"InternalID": internal_id})


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sorted(scope: Collection[str] | None) -> list[str] | None:
    return None if scope is None else sorted(scope)
