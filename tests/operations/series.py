"""Counts Prometheus's series while orders pass: ``python -m tests.operations.series``."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.operations.traffic import Traffic, traffic
from tests.support.deployment import deployment
from tests.support.prometheus import Prometheus, watching

_AT_ONCE = 500
_LIMIT = 300.0


async def count_series(prometheus: Prometheus) -> dict[str, int]:
    """How many series the deployment's processes have now, by the metric's name."""
    # Two scrapes later than whatever was done last.
    await asyncio.sleep(5)
    counted = await prometheus.query('count by (__name__) ({job="ordermesh"})')
    return {series["metric"]["__name__"]: int(series["value"][1]) for series in counted}


async def pass_orders(sent: Traffic, count: int) -> None:
    """Places and ships so many orders, and returns when all are completed."""
    for start in range(0, count, _AT_ONCE):
        orders = sent.place(min(_AT_ONCE, count - start))
        await sent.settle()
        for order in orders:
            await sent.outside.event("SupplierOrderForwarded", order, _LIMIT)
        sent.ship(orders)
        await sent.settle()
        for order in orders:
            await sent.outside.event("OrderCompleted", order, _LIMIT)


async def main(orders: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ordermesh-series-") as folder:
        async with (
            deployment(Path(folder) / "data") as engine,
            traffic(engine.kafka) as sent,
            watching(engine.http, Path(folder) / "prometheus") as prometheus,
        ):
            await pass_orders(sent, 100)
            first = sum((await count_series(prometheus)).values())
            print(f"{first} series after 100 orders", flush=True)
            for tenth in range(1, 11):
                await pass_orders(sent, orders // 10)
                now = sum((await count_series(prometheus)).values())
                print(f"{now} series after {tenth * orders // 10} more", flush=True)
            if now > first:
                raise SystemExit("the number of series follows the orders")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    asyncio.run(main(parser.parse_args().orders))
