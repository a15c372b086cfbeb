"""Tasks that end when they are told to.

A call that comes to its end in the moment in which its task is cancelled may swallow that: Python
3.11's ``asyncio.wait_for`` does, and PyMongo sends every command with it. The task then goes on as
if nothing had been, and whoever waits for its end waits for ever.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

PATIENCE = 8.0
"""Seconds; the longest that a task of a service takes to wind up is 6."""


def heed_cancellation() -> None:
    """Ends the running task here where it was told to end and something swallowed that. For loops
    without end, once in each round."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def end(tasks: Iterable[asyncio.Future[Any]], patience: float = PATIENCE) -> None:
    """Cancels ``tasks`` and waits for their ends, whatever these are. What has not ended after
    ``patience`` seconds is told again."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=patience)
