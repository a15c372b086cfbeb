"""Two versions beside each other: both carry the same orders at the same time, so that what the
machine does to one in that minute it does to the other. One after the other they differ by up to a
quarter for no reason of their own."""

import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import fmean
from typing import Any

from services.bench import side
from services.bench.children import answers, child, tell
from services.bench.ratio import ROUNDS, Ratio

_HERE = Path(__file__).parents[2]


async def compare(other: Path, orders: int) -> None:
    """Prints as JSON what an order costs in this version and in the checkout ``other``, of
    ``orders`` orders in each of some rounds, and the ratio of the first to the second. Both run on
    this interpreter and its libraries."""
    async with AsyncExitStack() as stack:
        sides = []
        for checkout in (_HERE, other.resolve()):
            environment = {**os.environ, "PYTHONPATH": str(checkout)}
            command = (sys.executable, "-P", side.__file__, str(orders))
            sides.append(await stack.enter_async_context(child(*command, environment=environment)))
            # One after the other: to start is work, too.
            await answers(sides[-1:])
        rounds = []
        for _ in range(ROUNDS):
            for each in sides:
                await tell(each, "go")
            rounds.append([json.loads(line) for line in await answers(sides)])
    print(json.dumps(_figures(rounds, orders), indent=2))


def _figures(rounds: list[list[dict[str, Any]]], orders: int) -> dict[str, Any]:
    rates = [(this["orders_per_second"], other["orders_per_second"]) for this, other in rounds]
    costs = [(_all(this), _all(other)) for this, other in rounds]
    return {
        "orders": orders,
        "rounds": len(rounds),
        "cpu_ms": str(Ratio.of(costs)),
        "orders_per_second": str(Ratio.of(rates)),
        "this": _means([this for this, _ in rounds]),
        "other": _means([other for _, other in rounds]),
    }


def _all(cost: dict[str, Any]) -> float:
    return float(sum(cost["cpu_ms"].values()))


def _means(costs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "orders_per_second": round(fmean(cost["orders_per_second"] for cost in costs), 1),
        "cpu_ms_per_order": {
            "all": round(fmean(map(_all, costs)), 3),
            **{
                name: round(fmean(cost["cpu_ms"][name] for cost in costs), 3)
                for name in costs[0]["cpu_ms"]
            },
        },
    }
