"""Hashes of passwords: argon2id, in threads, and only so many at once.

One hash takes 19 MiB of memory and some 20 ms of a processor, the least that OWASP's password
storage cheat sheet (2024) asks of argon2id.
"""

import asyncio
import secrets
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from shared.http.errors import ApiError, error


class Passwords:
    """Makes and compares hashes.

    ``memory`` is in KiB; ``at_once`` bounds the threads and so the memory, ``waiting`` those who
    queue for one: whoever comes then gets ApiError 503.
    """

    def __init__(
        self, *, rounds: int = 2, memory: int = 19_456, at_once: int = 2, waiting: int = 100
    ) -> None:
        self._hasher = PasswordHasher(
            time_cost=rounds, memory_cost=memory, parallelism=1, type=Type.ID
        )
        self._slots = asyncio.Semaphore(at_once)
        self._places = at_once + waiting
        # What the password of nobody is compared with: as costly as any other, and never right.
        self._nobodys = self._hasher.hash(secrets.token_bytes(32))

    async def hash(self, password: str) -> str:
        """An argon2id hash with its parameters and a salt of its own."""
        async with self._slot():
            return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether ``stored`` is the hash of ``password``. Without one the answer is no and takes
        the same time."""
        against = self._nobodys if stored is None else stored
        async with self._slot():
            right = await asyncio.to_thread(self._verify, against, _bytes(password))
        return right and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._places == 0:
            raise ApiError(
                503,
                [error("Api.Offline", "Too many logins at once; try again in a second.")],
                {"Retry-After": "1"},
            )
        self._places -= 1
        try:
            async with self._slots:
                yield
        finally:
            self._places += 1


def _bytes(password: str) -> bytes:
    # One keyboard sends é as one character, another as two. JSON may hold half a surrogate pair.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
