"""How the cost of an order grows: with how many there were before, with the partitions, with the
processes of a service, with the lines of an order and with the catalogue. Writes tables, plots and
the figures themselves."""

import asyncio
import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from services.bench.bare import document_bytes
from services.bench.footprint import quiet
from services.bench.goods import Goods
from services.bench.load import Load
from services.bench.plot import line_plot
from services.bench.ratio import ROUNDS, Ratio
from services.bench.run import IN_FLIGHT, WARM_UP, Burst, full_load, prepare, warm_up
from services.up import Deployment
from shared.settings import Settings

_GROWTH = 100_000
_STEP = 10_000
# With so many orders a deployment with that growth and a new one work beside each other at a time.
_ROUND = 3_000
_PARTITIONS = (1, 3, 12)
_INSTANCES = (1, 2)
_PRODUCTS = (200, 100_000)
_SHORT = 5_000
# Orders by lines: some seconds of work each, and never so many under way that they fill a heap.
_LINES = {1: (5_000, IN_FLIGHT), 3: (5_000, IN_FLIGHT), 50: (600, 200), 1_000: (40, 10)}


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement. ``cpu_ms`` is of all processes, per order; ``order_bytes`` is the largest
    document of an order."""

    x: int
    orders_per_second: float
    cpu_ms: float
    order_bytes: int


async def write_report(folder: Path) -> None:
    """Measures for some twenty-five minutes and writes the folder anew."""
    prepare()
    growth, rounds = await _growth()
    series = {
        "growth": growth,
        "partitions": [await _at(n, partitions=n) for n in _PARTITIONS],
        "instances": [await _at(n, instances=n) for n in _INSTANCES],
        "lines": [
            await _at(lines, goods=Goods(lines=lines), orders=orders, in_flight=in_flight)
            for lines, (orders, in_flight) in _LINES.items()
        ],
        "catalogue": [await _at(n, goods=Goods(products=n)) for n in _PRODUCTS],
    }
    folder.mkdir(parents=True, exist_ok=True)
    measured = datetime.now(UTC).date().isoformat()
    machine = f"{psutil.cpu_count()} cores, {platform.machine()}"
    figures = {
        "measured": measured,
        "machine": machine,
        **{name: [asdict(point) for point in points] for name, points in series.items()},
        "rounds": [[asdict(point) for point in pair] for pair in rounds],
    }
    (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    (folder / "README.md").write_text(_page(measured, machine, series, rounds))
    (folder / "growth.svg").write_text(
        line_plot(
            [(point.x, point.orders_per_second) for point in growth],
            title="Throughput while 100,000 orders pass",
            x_label="orders so far",
            y_label="orders/s",
        )
    )
    (folder / "lines.svg").write_text(
        line_plot(
            [(point.x, point.cpu_ms / point.x) for point in series["lines"]],
            title="Cost per line of an order",
            x_label="lines of an order",
            y_label="CPU ms per line",
            log_x=True,
        )
    )


async def _growth() -> tuple[list[Point], list[tuple[Point, Point]]]:
    """The points on the way to the growth; then pairs of it and of a new deployment, which work at
    the same time: the machine is not as quick in one minute as in the next."""
    points = []
    rounds = []
    async with Deployment() as grown, Load(grown.kafka) as load:
        await warm_up(load)
        for done in range(_STEP, _GROWTH + 1, _STEP):
            burst = await full_load(load, grown, _STEP, prefix=f"to{done}")
            points.append(_point(done, burst))
        async with Deployment() as new, Load(new.kafka) as its_load:
            await warm_up(its_load)
            for number in range(1, ROUNDS + 1):
                old_burst, new_burst = await asyncio.gather(
                    full_load(load, grown, _ROUND, prefix=f"round{number}"),
                    full_load(its_load, new, _ROUND, prefix=f"round{number}"),
                )
                done = number * _ROUND
                rounds.append((_point(_GROWTH + done, old_burst), _point(done, new_burst)))
    return points, rounds


async def _at(
    x: int,
    *,
    partitions: int = 3,
    instances: int = 1,
    goods: Goods | None = None,
    orders: int = _SHORT,
    in_flight: int = IN_FLIGHT,
) -> Point:
    os.environ["ORDERMESH_TOPIC_PARTITIONS"] = str(partitions)
    async with (
        Deployment(instances=instances) as deployment,
        Load(deployment.kafka, goods) as load,
    ):
        await load.load_catalogue()
        # A large catalogue fills outboxes faster than they are cleared.
        await quiet(deployment.mongodb, Settings().database_prefix)
        await load.burst("warm", min(orders, WARM_UP), in_flight)
        return _point(x, await full_load(load, deployment, orders, in_flight=in_flight))


def _point(x: int, burst: Burst) -> Point:
    largest = max(document_bytes(sample) for *_, sample in burst.written.values())
    return Point(
        x,
        round(burst.orders / burst.seconds, 1),
        round(sum(burst.cpu_ms().values()), 3),
        largest,
    )


def _page(
    measured: str,
    machine: str,
    series: dict[str, list[Point]],
    rounds: Sequence[tuple[Point, Point]],
) -> str:
    growth = series["growth"]
    rate = Ratio.of([(old.orders_per_second, new.orders_per_second) for old, new in rounds])
    cost = Ratio.of([(old.cpu_ms, new.cpu_ms) for old, new in rounds])
    rates = [point.orders_per_second for point in growth]
    mean = sum(rates) / len(rates)
    spread = max(abs(rate - mean) for rate in rates) / mean
    sections = [
        "# How the cost of an order grows",
        (
            f"Measured {measured} on {machine}, broker, database, services and load on the same"
            " machine; `make bench-report` measures anew and writes this page."
        ),
        "## With the orders that were there before",
        (
            f"After {_GROWTH:,} orders, beside a new deployment that carries {ROUNDS} times"
            f" {_ROUND:,} orders at the same time: **{rate} of its rate, {cost} of its CPU ms**"
            " (the mean, and between what it lies with 95 % confidence)."
        ),
        f"On the way there, over some minutes of the machine: within ±{spread:.0%} of the mean.",
        "![throughput](growth.svg)",
        _table("orders so far", growth),
        "## With the partitions of a topic",
        _table("partitions", series["partitions"]),
        "## With the processes of each service",
        _table("processes", series["instances"]),
        "## With the lines of an order",
        "![cost per line](lines.svg)",
        _table("lines", series["lines"], per_x=True),
        "## With the catalogue",
        _table("products", series["catalogue"]),
    ]
    return "\n\n".join(sections) + "\n"


def _table(name: str, points: Sequence[Point], *, per_x: bool = False) -> str:
    more = [" CPU ms per line |"] if per_x else [""]
    lines = [
        f"| {name} | orders/s | CPU ms per order | largest document, bytes |{more[0]}",
        f"|---:|---:|---:|---:|{'---:|' if per_x else ''}",
    ]
    for point in points:
        line = (
            f"| {point.x:,} | {point.orders_per_second:,.1f} | {point.cpu_ms:,.2f} |"
            f" {point.order_bytes:,} |"
        )
        lines.append(line + (f" {point.cpu_ms / point.x:.3f} |" if per_x else ""))
    return "\n".join(lines)
