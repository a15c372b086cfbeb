"""What time it is: for this machine, and for all processes of a deployment.

Instances of a service compare times that others of them wrote: for how long an outbox has been
left, until when a notification is leased, how long a shipment may wait. Machines' clocks may be
wrong, so services go by the one clock that all of them can ask: MongoDB's.

``ORDERMESH_CLOCK_AHEAD="3600"`` makes this machine's clock wrong by so many seconds (negative:
behind), for the fault suite alone. Read once, when the process starts.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pymongo import AsyncMongoClient

from shared.endings import heed_cancellation
from shared.logs import told
from shared.messaging.faults import INFRASTRUCTURE_FAULTS

log = structlog.get_logger()

VARIABLE = "ORDERMESH_CLOCK_AHEAD"

_EVERY = 10.0
_TOLERANCE = timedelta(seconds=0.5)
"""Within this two clocks agree; a smaller difference is the way of an answer."""

_ahead = timedelta(seconds=float(os.environ.get(VARIABLE) or 0))


def utc_now() -> datetime:
    """Now by this machine's clock, in UTC, cut to milliseconds as BSON keeps it."""
    return _cut(datetime.now(UTC) + _ahead)


def _cut(time: datetime) -> datetime:
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


AskTime = Callable[[], Awaitable[datetime]]
"""Asks a clock that others ask too. Raises the infrastructure's faults."""


def mongodb_time(mongo: AsyncMongoClient[dict[str, Any]]) -> AskTime:
    """The clock of the server that takes the writes."""

    async def ask() -> datetime:
        answer = await mongo.admin.command("hello")
        time: datetime = answer["localTime"]
        return time.replace(tzinfo=UTC)

    return ask


class SharedClock:
    """Tells the time of the clock that ``ask`` asks, in UTC, cut to milliseconds. Between two
    answers the process's monotonic clock carries it on, which nobody can set; before the first
    one, and where that never comes, ``own`` counts."""

    def __init__(
        self,
        ask: AskTime,
        own: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._own = own
        self._monotonic = monotonic
        self._base: datetime | None = None
        self._since = 0.0

    def __call__(self) -> datetime:
        if self._base is None:
            return self._own()
        return _cut(self._base + timedelta(seconds=self._monotonic() - self._since))

    async def read(self) -> None:
        """Asks once. Raises the infrastructure's faults."""
        began = self._monotonic()
        asked = await self._ask()
        ended = self._monotonic()
        way = timedelta(seconds=ended - began)
        # The answer was given somewhen on the way.
        now = self()
        if self._base is not None and asked - _TOLERANCE <= now <= asked + way + _TOLERANCE:
            return
        right = asked + way / 2
        wrong = right - now
        self._base, self._since = right, ended
        if abs(wrong) > _TOLERANCE + way:
            log.warning("clock_differs", seconds=round(wrong.total_seconds(), 3))

    async def run(self) -> None:
        """Asks again and again until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self.read()
            except INFRASTRUCTURE_FAULTS as error:
                log.warning("clock_unread", error=told(error))
            heed_cancellation()
