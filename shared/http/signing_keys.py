"""The public keys that tokens are verified with, as the accounts service keeps them.

Documents of ``signing_keys`` look like this::

    {_id: kid, Sequence, Public: JWK, Private: PEM, SignsFrom, SignsUntil, RetiresAt}

A key is there some time before it signs and until the last token that it signed has expired.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from joserfc.jwk import RSAKey
from pymongo.asynchronous.database import AsyncDatabase

COLLECTION = "signing_keys"

_AGAIN_AFTER = 1.0
_FRESH_FOR = 300.0


class MongoKeySource:
    """A KeySource that reads all keys at once and keeps them. It reads again after five minutes,
    and for a key that it does not know at most once a second, so that tokens with made-up keys
    are no load on MongoDB."""

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        *,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._collection = database[COLLECTION]
        self._elapsed = elapsed
        self._reading = asyncio.Lock()
        self._read_at: float | None = None
        self._keys: Mapping[str, RSAKey] = {}

    async def get(self, kid: str) -> RSAKey | None:
        """The public key with this ID."""
        if self._outdated_for(kid):
            # Whoever comes while the keys are read waits for them, and then need not read.
            async with self._reading:
                if self._outdated_for(kid):
                    await self._read()
        return self._keys.get(kid)

    async def jwk(self, kid: str) -> dict[str, Any] | None:
        """The key as RFC 7517 has it, for ``/oauth/certs/{kid}``: ``kty``, ``n``, ``e``, ``alg``,
        ``use``, ``kid``."""
        key = await self.get(kid)
        return None if key is None else key.as_dict(private=False)

    def _outdated_for(self, kid: str) -> bool:
        if self._read_at is None:
            return True
        age = self._elapsed() - self._read_at
        return age > _FRESH_FOR or (kid not in self._keys and age > _AGAIN_AFTER)

    async def _read(self) -> None:
        at = self._elapsed()
        found = await self._collection.find({}, {"Public": 1}).to_list()
        self._keys = {document["_id"]: RSAKey.import_key(document["Public"]) for document in found}
        self._read_at = at
