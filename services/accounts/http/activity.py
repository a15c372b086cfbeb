"""When users were last active: noted as they call, to within a few minutes.

Documents of ``user_activity``: ``{_id: internal ID, At}``.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from shared.http.principal import Principal
from shared.http.tokens import TokenVerifier
from shared.messaging.processor import Clock
from shared.mongo.codec import CODEC

EVERY = timedelta(minutes=5)
"""How long a note is good for: a process writes no other for the same user in that time."""

_REMEMBERED = 10_000


class Activity:
    """Notes who is active."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self._collection = database.get_collection("user_activity", codec_options=CODEC)
        self._noted: OrderedDict[str, datetime] = OrderedDict()

    async def note(self, internal_id: str, now: datetime) -> None:
        """The user is active at ``now`` (UTC)."""
        noted = self._noted.get(internal_id)
        if noted is not None and now - noted < EVERY:
            return
        self._noted[internal_id] = now
        self._noted.move_to_end(internal_id)
        while len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        await self._collection.update_one({"_id": internal_id}, {"$max": {"At": now}}, upsert=True)

    async def of(self, internal_ids: Sequence[str]) -> Mapping[str, datetime]:
        """When each was active last, in UTC; who never was is left out."""
        found = self._collection.find({"_id": {"$in": list(internal_ids)}})
        return {each["_id"]: each["At"] async for each in found}

    async def forget(self, internal_id: str) -> None:
        self._noted.pop(internal_id, None)
        await self._collection.delete_one({"_id": internal_id})


class NotingAuthenticator:
    """Reads tokens, and notes that their users are active. Who acts as another makes that other
    active; anonymous shoppers are nobody in particular."""

    def __init__(self, verifier: TokenVerifier, activity: Activity, clock: Clock) -> None:
        self._verifier = verifier
        self._activity = activity
        self._clock = clock

    async def verify(self, authorization: str | None) -> Principal:
        """As :meth:`shared.http.tokens.TokenVerifier.verify`."""
        principal = await self._verifier.verify(authorization)
        if principal.anonymous_order is None:
            await self._activity.note(principal.internal_id, self._clock())
        return principal
