"""How late an event loop is: what it costs everybody when something holds it."""

import asyncio

from shared.metrics import Metrics

_EVERY = 0.5


async def watch_event_loop(metrics: Metrics) -> None:
    """Observes, until cancelled, how much later than asked this task is called again."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _EVERY
        await asyncio.sleep(_EVERY)
        metrics.loop_delay.observe(max(0.0, loop.time() - due))
