"""One of two deployments beside each other: ``python -P .../side.py ORDERS`` is started with the
checkout that it measures as ``PYTHONPATH``. It says that it is ready and carries as many orders for
each line that it reads; then it prints what they cost as JSON.

Run as a file, and importing little: the checkout may be an older one.
"""

import asyncio
import json
import sys

import uvloop

from services.bench.load import Load
from services.bench.run import IN_FLIGHT, WARM_UP, full_load, prepare
from services.up import Deployment


async def carry(orders: int) -> None:
    """Carries ``orders`` orders for each line of standard input, until that ends."""
    prepare()
    loop = asyncio.get_running_loop()
    async with Deployment() as deployment, Load(deployment.kafka) as load:
        await load.load_catalogue()
        await load.burst("warm", WARM_UP, IN_FLIGHT)
        print("ready", flush=True)
        number = 0
        while await loop.run_in_executor(None, sys.stdin.readline):
            number += 1
            burst = await full_load(load, deployment, orders, prefix=f"round{number}")
            cost = {"orders_per_second": burst.orders / burst.seconds, "cpu_ms": burst.cpu_ms()}
            print(json.dumps(cost), flush=True)


if __name__ == "__main__":
    uvloop.run(carry(int(sys.argv[1])))
