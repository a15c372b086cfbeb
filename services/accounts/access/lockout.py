"""Limits on wrong passwords that are kept in memory: by client address, and by unknown username.

Those of a user are counted in the user's credentials. Right passwords cost nothing here.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.accounts.access.credentials import locked_until
from services.accounts.access.policy import PasswordRules


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class AddressLimits:
    """A token bucket for every address: ``burst`` failures at once, then ``per_minute``. An IPv6
    network of 64 bits, which is what one customer gets, counts as one address.

    ``remembered``: of how many addresses; the one that failed longest ago is forgotten first.
    """

    def __init__(
        self,
        *,
        burst: int = 50,
        per_minute: float = 10,
        remembered: int = 10_000,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._per_second = per_minute / 60
        self._remembered = remembered
        self._elapsed = elapsed
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def seconds_to_wait(self, address: str) -> int:
        """After how many seconds the address may try again; 0 is now."""
        bucket = self._buckets.get(_network(address))
        if bucket is None:
            return 0
        missing = 1 - self._left(bucket)
        return max(0, math.ceil(missing / self._per_second))

    def failed(self, address: str) -> None:
        """The address sent a wrong password or secret."""
        network = _network(address)
        bucket = self._buckets.setdefault(network, _Bucket(self._burst, self._elapsed()))
        bucket.left = max(0.0, self._left(bucket) - 1)
        bucket.at = self._elapsed()
        self._buckets.move_to_end(network)
        while len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)

    def _left(self, bucket: _Bucket) -> float:
        return min(self._burst, bucket.left + (self._elapsed() - bucket.at) * self._per_second)


def _network(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(ip), 64), strict=False))
    return str(ip)


class UnknownNames:
    """Counts wrong passwords for usernames that there are not, and locks those as the default
    rules lock an account, so that a lock-out does not tell who there is."""

    def __init__(self, *, remembered: int = 10_000) -> None:
        self._remembered = remembered
        self._rules = PasswordRules()
        self._failures: OrderedDict[str, tuple[int, datetime | None]] = OrderedDict()

    def locked(self, username: str, now: datetime) -> bool:
        _, until = self._failures.get(username.casefold(), (0, None))
        return until is not None and now < until

    def failed(self, username: str, now: datetime) -> None:
        name = username.casefold()
        count, until = self._failures.pop(name, (0, None))
        count = 1 if until is not None and until <= now else count + 1
        locks = count >= self._rules.attempts
        self._failures[name] = (count, locked_until(self._rules, now) if locks else None)
        while len(self._failures) > self._remembered:
            self._failures.popitem(last=False)
