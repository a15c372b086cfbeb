"""What a user proves himself with: hashes of passwords, and how often a wrong one was tried.

One document a user in ``credentials``, never in the user's own::

    {_id: internal ID, Hashes: [current, previous, ...], PasswordSet, FailedAttempts, LockedUntil?,
     TokensValidAfter?}

The last field is :mod:`shared.http.revocations`'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from services.accounts.access.policy import REMEMBERED, PasswordRules
from shared.http.revocations import COLLECTION, VALID_AFTER

FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)

NOBODY = ""
"""The internal ID that wrong passwords for unknown usernames count for: the same work is done for
them as for a user's, so that the time does not tell who there is."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is kept for one user; all of it is empty for one who never had a password. ``hashes``
    begins with the current one. Times are in UTC."""

    hashes: Sequence[str] = ()
    password_set: datetime | None = None
    failed_attempts: int = 0
    locked_until: datetime | None = None
    tokens_valid_after: datetime | None = None

    @property
    def current(self) -> str | None:
        return self.hashes[0] if self.hashes else None

    def locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


class CredentialStore(Protocol):
    """Where credentials are kept."""

    async def find(self, internal_id: str) -> Credential: ...

    async def find_all(self, internal_ids: Sequence[str]) -> Mapping[str, Credential]:
        """Those of several users, for a list of them; who has none is left out."""
        ...

    async def put(self, internal_id: str, hash: str, *, keep: int, now: datetime) -> None:
        """A new password: ``keep`` hashes stay, this one included; the account is unlocked."""
        ...

    async def rehash(self, internal_id: str, old: str, new: str) -> None:
        """The same password under another hash, if ``old`` is still the current one."""
        ...

    async def add_failure(
        self, internal_id: str, rules: PasswordRules, now: datetime
    ) -> Credential:
        """Counts a wrong password, and locks the account where it was the last one allowed. A
        lock that has ended begins the count anew."""
        ...

    async def unlock(self, internal_id: str) -> None:
        """Forgets the wrong passwords."""
        ...

    async def delete(self, internal_id: str) -> None: ...


def locked_until(rules: PasswordRules, now: datetime) -> datetime:
    return FOR_EVER if rules.lockout is None else now + rules.lockout


class MongoCredentials:
    """A CredentialStore in MongoDB."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self._collection = database[COLLECTION]

    async def find(self, internal_id: str) -> Credential:
        return _read(await self._collection.find_one({"_id": internal_id}))

    async def find_all(self, internal_ids: Sequence[str]) -> Mapping[str, Credential]:
        found = self._collection.find({"_id": {"$in": list(internal_ids)}})
        return {document["_id"]: _read(document) async for document in found}

    async def put(self, internal_id: str, hash: str, *, keep: int, now: datetime) -> None:
        kept = max(1, min(keep, REMEMBERED))
        await self._collection.update_one(
            {"_id": internal_id},
            {
                "$push": {"Hashes": {"$each": [hash], "$position": 0, "$slice": kept}},
                "$set": {"PasswordSet": now, "FailedAttempts": 0},
                "$unset": {"LockedUntil": ""},
            },
            upsert=True,
        )

    async def rehash(self, internal_id: str, old: str, new: str) -> None:
        await self._collection.update_one(
            {"_id": internal_id, "Hashes.0": old}, {"$set": {"Hashes.0": new}}
        )

    async def add_failure(
        self, internal_id: str, rules: PasswordRules, now: datetime
    ) -> Credential:
        ended = {"$lte": [{"$ifNull": ["$LockedUntil", FOR_EVER]}, now]}
        before = {"$cond": [ended, 0, {"$ifNull": ["$FailedAttempts", 0]}]}
        too_many = {"$gte": ["$FailedAttempts", rules.attempts]}
        until = locked_until(rules, now)
        document = await self._collection.find_one_and_update(
            {"_id": internal_id},
            [
                {"$set": {"FailedAttempts": {"$add": [before, 1]}}},
                {"$set": {"LockedUntil": {"$cond": [too_many, until, "$$REMOVE"]}}},
            ],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        return _read(document)

    async def unlock(self, internal_id: str) -> None:
        await self._collection.update_one(
            {"_id": internal_id}, {"$set": {"FailedAttempts": 0}, "$unset": {"LockedUntil": ""}}
        )

    async def delete(self, internal_id: str) -> None:
        await self._collection.delete_one({"_id": internal_id})


def _read(document: Mapping[str, Any] | None) -> Credential:
    if document is None:
        return Credential()
    return Credential(
        hashes=tuple(document.get("Hashes", ())),
        password_set=document.get("PasswordSet"),
        failed_attempts=document.get("FailedAttempts", 0),
        locked_until=document.get("LockedUntil"),
        tokens_valid_after=document.get(VALID_AFTER),
    )
