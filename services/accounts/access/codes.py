"""Codes that are sent to a user and used once: verification codes and one-time passwords.

Documents of ``codes``: ``{_id: SHA-256, InternalID, Purpose, Expires}``. The hash covers purpose,
client and user, so that a code is good for nothing else.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase


class Purpose(StrEnum):
    VERIFICATION = "verification"
    """Resets a password; stands in the URL of a message."""
    ONE_TIME_PASSWORD = "one-time password"  # noqa: S105
    """Logs in once; a person may type it."""


LIFETIMES = {
    Purpose.VERIFICATION: timedelta(hours=1),
    Purpose.ONE_TIME_PASSWORD: timedelta(minutes=15),
}

# No 0, O, 1, I, L or U: nothing to be mistaken for another, and no words.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_TYPED = 10


class CodeStore(Protocol):
    """Where codes are kept, as hashes. ``client_id`` is the client that a code was asked for
    with: it is good for no other."""

    async def issue(self, purpose: Purpose, internal_id: str, client_id: str, now: datetime) -> str:
        """A new code; those that the user had for the same purpose no longer hold."""
        ...

    async def holds(
        self, purpose: Purpose, internal_id: str, client_id: str, code: str, now: datetime
    ) -> bool:
        """Whether :meth:`use` would succeed."""
        ...

    async def use(
        self, purpose: Purpose, internal_id: str, client_id: str, code: str, now: datetime
    ) -> bool:
        """Whether the code holds. It does so for one caller, once."""
        ...

    async def delete(self, internal_id: str) -> None:
        """Removes all codes of a user."""
        ...


def new_code(purpose: Purpose) -> str:
    """A verification code has 256 random bits, a one-time password 49."""
    if purpose is Purpose.VERIFICATION:
        return secrets.token_urlsafe(32)
    return "".join(secrets.choice(_LETTERS) for _ in range(_TYPED))


class MongoCodes:
    """A CodeStore in MongoDB."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self._collection = database["codes"]

    async def create_indexes(self) -> None:
        await self._collection.create_indexes(
            [
                IndexModel([("InternalID", ASCENDING), ("Purpose", ASCENDING)], name="user"),
                IndexModel([("Expires", ASCENDING)], name="expires", expireAfterSeconds=0),
            ]
        )

    async def issue(self, purpose: Purpose, internal_id: str, client_id: str, now: datetime) -> str:
        code = new_code(purpose)
        await self._collection.delete_many({"InternalID": internal_id, "Purpose": purpose.value})
        await self._collection.insert_one(
            {
                "_id": _hash(purpose, internal_id, client_id, code),
                "InternalID": internal_id,
                "Purpose": purpose.value,
                "Expires": now + LIFETIMES[purpose],
            }
        )
        return code

    async def holds(
        self, purpose: Purpose, internal_id: str, client_id: str, code: str, now: datetime
    ) -> bool:
        query = _query(purpose, internal_id, client_id, code, now)
        return await self._collection.find_one(query, {"_id": 1}) is not None

    async def use(
        self, purpose: Purpose, internal_id: str, client_id: str, code: str, now: datetime
    ) -> bool:
        query = _query(purpose, internal_id, client_id, code, now)
        return (await self._collection.delete_one(query)).deleted_count == 1

    async def delete(self, internal_id: str) -> None:
        await self._collection.delete_many({"InternalID": internal_id})


def _query(
    purpose: Purpose, internal_id: str, client_id: str, code: str, now: datetime
) -> dict[str, Any]:
    return {"_id": _hash(purpose, internal_id, client_id, code), "Expires": {"$gt": now}}


def _hash(purpose: Purpose, internal_id: str, client_id: str, code: str) -> str:
    # The lengths keep one field from running into the next.
    parts = (purpose.value, internal_id, client_id, code)
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
