"""The keys that sign tokens: made on the first start, and every so many days anew.

A private key is stored as PEM, protected by nothing but the access to the database: who can write
there can make himself an administrator anyway. How the documents look stands in
:mod:`shared.http.signing_keys`, which reads the public halves.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from joserfc import jwt
from joserfc.jwk import RSAKey
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from shared.http.principal import Principal
from shared.http.signing_keys import COLLECTION
from shared.http.tokens import ALGORITHM, claims_of
from shared.messaging.processor import Clock

LONGEST_TOKEN = timedelta(minutes=524_160)
"""No token is valid for longer, whatever its client says: 364 days, OrderCloud's longest."""

_BITS = 2048
_AHEAD = timedelta(hours=1)
"""How long before it signs a key is there, so that every process has read it by then."""


@dataclass(frozen=True, slots=True)
class _Current:
    kid: str
    private: RSAKey
    until: datetime


class SigningKeys:
    """The key that signs now. Processes that start at once agree on one.

    ``rotate_after``: for how long a key signs.
    """

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        clock: Clock,
        *,
        rotate_after: timedelta = timedelta(days=90),
    ) -> None:
        self._collection = database[COLLECTION]
        self._clock = clock
        self._rotate_after = rotate_after
        self._current: _Current | None = None

    async def prepare(self) -> None:
        """Makes the indexes, and the first key where there is none."""
        await self._collection.create_indexes(
            [
                IndexModel([("Sequence", ASCENDING)], name="sequence", unique=True),
                IndexModel([("RetiresAt", ASCENDING)], name="retires_at", expireAfterSeconds=0),
            ]
        )
        await self.rotate()

    async def rotate(self) -> None:
        """Makes the next key where it is due. Call it now and then, more often than once an hour;
        a key that is missing when it should sign is made then."""
        await self._signing(self._clock())

    async def sign(self, claims: dict[str, Any]) -> str:
        """A JWT with these claims."""
        now = self._clock()
        current = self._current
        if current is None or now >= current.until:
            current = self._current = await self._signing(now)
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": current.kid}
        return jwt.encode(header, claims, current.private, algorithms=[ALGORITHM])

    async def _signing(self, now: datetime) -> _Current:
        """The key that signs at ``now``; makes it, and its successor, where they are due."""
        while True:
            latest = await self._collection.find_one(sort=[("Sequence", DESCENDING)])
            if latest is None or now >= latest["SignsUntil"] - _AHEAD:
                await self._make_after(latest, now)
                continue
            if latest["SignsFrom"] <= now:
                return _current(latest)
            signing = await self._collection.find_one(
                {"SignsFrom": {"$lte": now}, "SignsUntil": {"$gt": now}},
                sort=[("Sequence", DESCENDING)],
            )
            # A clock that was set back finds no key of its time; the newest one does as well.
            return _current(signing or latest)

    async def _make_after(self, latest: dict[str, Any] | None, now: datetime) -> None:
        sequence = 1 if latest is None else latest["Sequence"] + 1
        start = now if latest is None else max(now, latest["SignsUntil"])
        key = await asyncio.to_thread(RSAKey.generate_key, _BITS)
        kid = key.thumbprint()
        public = {**key.as_dict(private=False), "alg": ALGORITHM, "use": "sig", "kid": kid}
        until = start + self._rotate_after
        document = {
            "_id": kid,
            "Sequence": sequence,
            "Public": public,
            "Private": key.as_pem(private=True).decode(),
            "SignsFrom": start,
            "SignsUntil": until,
            "RetiresAt": until + LONGEST_TOKEN + _AHEAD,
        }
        try:
            await self._collection.insert_one(document)
        except DuplicateKeyError:
            # Another process was faster; the next look finds its key.
            return


class Signer(Protocol):
    """What makes a JWT of claims, as SigningKeys does."""

    async def sign(self, claims: dict[str, Any]) -> str: ...


class TokenIssuer:
    """Makes the tokens that a TokenVerifier with the same ``issuer`` and ``audience`` believes."""

    def __init__(self, keys: Signer, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def issue(self, principal: Principal, issued: datetime) -> str:
        """A token of ``principal`` that counts as issued at ``issued`` (UTC)."""
        claims = claims_of(principal, issuer=self._issuer, audience=self._audience, issued=issued)
        return await self._keys.sign(claims)


def _current(document: dict[str, Any]) -> _Current:
    return _Current(document["_id"], RSAKey.import_key(document["Private"]), document["SignsUntil"])
