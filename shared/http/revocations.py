"""Tokens that no longer hold, as the accounts service notes it with a user's credentials."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pymongo.asynchronous.database import AsyncDatabase

from shared.http.batching import Batched

COLLECTION = "credentials"
VALID_AFTER = "TokensValidAfter"
"""The field of a user's credentials that has the time (UTC) before which no token holds."""


class Standing(Protocol):
    """What the users' own documents say."""

    async def is_active(self, internal_id: str) -> bool:
        """Whether there is such a user, active, in an active company."""
        ...


@dataclass(frozen=True, slots=True)
class _Seen:
    active: bool
    valid_after: datetime | None
    at: float


class MongoRevocations:
    """Revocations that are read at most every few seconds for a user: another process sees a
    revocation that much later, the one that revokes at once.

    ``fresh_for``: how many seconds what was read is believed. ``elapsed`` counts seconds.
    """

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        standing: Standing,
        *,
        fresh_for: float = 3.0,
        remembered: int = 10_000,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collection = database[COLLECTION]
        self._standing = standing
        self._fresh_for = fresh_for
        self._remembered = remembered
        self._elapsed = elapsed
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._changes = 0
        self._reader = Batched(self._read_all)

    async def is_revoked(self, internal_id: str, issued_at: datetime) -> bool:
        """Whether tokens issued at ``issued_at`` (UTC) no longer hold."""
        seen = self._seen.get(internal_id)
        if seen is None or self._elapsed() - seen.at > self._fresh_for:
            seen = (await self._reader.of((internal_id,)))[internal_id]
        return not seen.active or (seen.valid_after is not None and issued_at <= seen.valid_after)

    async def revoke(self, internal_id: str, at: datetime) -> None:
        """Revokes all tokens that the user got at ``at`` (UTC) or before."""
        await self._collection.update_one(
            {"_id": internal_id}, {"$max": {VALID_AFTER: at}}, upsert=True
        )
        self.forget(internal_id)

    def forget(self, internal_id: str) -> None:
        """The user changed, or is gone: what this process has read no longer counts."""
        self._changes += 1
        self._seen.pop(internal_id, None)

    async def _read_all(self, internal_ids: list[str]) -> Mapping[str, _Seen]:
        read = await asyncio.gather(*map(self._read, internal_ids))
        return dict(zip(internal_ids, read, strict=True))

    async def _read(self, internal_id: str) -> _Seen:
        changes = self._changes
        at = self._elapsed()
        active = await self._standing.is_active(internal_id)
        document = await self._collection.find_one({"_id": internal_id}, {VALID_AFTER: 1})
        valid_after = (document or {}).get(VALID_AFTER)
        seen = _Seen(active, valid_after, at)
        # What was read while something was revoked may be from before it: good for this request,
        # which came before too, and for no other.
        if changes == self._changes:
            self._seen[internal_id] = seen
            self._seen.move_to_end(internal_id)
            while len(self._seen) > self._remembered:
                self._seen.popitem(last=False)
        return seen
