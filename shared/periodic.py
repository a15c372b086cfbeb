"""Looking at something again and again without it becoming a load of its own."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from shared.endings import heed_cancellation
from shared.logs import told
from shared.messaging.faults import INFRASTRUCTURE_FAULTS, count_fault
from shared.metrics import Metrics

log = structlog.get_logger()

_REST = 20
"""How many times as long as a look took there is none."""


async def periodically(
    look: Callable[[], Awaitable[None]], every: float, *, service: str, metrics: Metrics
) -> None:
    """Calls ``look`` every so many seconds until cancelled, and more rarely when it takes long: it
    never takes more than a twentieth of the time. Faults of the infrastructure are counted, and
    the next round looks again."""
    while True:
        started = time.monotonic()
        rest = every
        try:
            await look()
            rest = max(every, _REST * (time.monotonic() - started))
        except INFRASTRUCTURE_FAULTS as error:
            count_fault(metrics, service, error)
            log.warning("look_failed", service=service, error=told(error))
        heed_cancellation()
        await asyncio.sleep(rest)
