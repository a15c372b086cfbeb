"""Looking again and again."""

import asyncio
import contextlib

from pymongo.errors import AutoReconnect

from shared.metrics import Metrics
from shared.periodic import periodically


async def test_a_fault_is_counted_and_the_next_round_looks_again() -> None:
    metrics = Metrics()
    rounds = 0
    enough = asyncio.Event()

    async def look() -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            raise AutoReconnect("no primary")
        enough.set()

    looking = asyncio.create_task(periodically(look, 0.01, service="tests", metrics=metrics))
    await asyncio.wait_for(enough.wait(), 10)
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking

    labels = {"service": "tests", "client": "mongodb", "error": "AutoReconnect"}
    name = "ordermesh_infrastructure_faults_total"
    assert metrics.registry.get_sample_value(name, labels) == 2
