"""The course of the benchmark, and its figures as JSON."""

import asyncio
import contextlib
import json
import os
import platform
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import quantiles
from typing import Any

from services.bench.bare import Plan, Write, document_bytes
from services.bench.children import answers, child, tell
from services.bench.footprint import Sent, Stored, quiet, records_of, sent_since, stored
from services.bench.interpreter import built_for_speed
from services.bench.load import Load
from services.bench.usage import Usage, usage_of
from services.up import Deployment
from shared.logs import configure_logging
from shared.messaging.topics import Topic, create_topics
from shared.settings import Settings

IN_FLIGHT = 1_500
WARM_UP = 1_000
BARE_PROCESSES = 2

_SETTINGS = {
    "ORDERMESH_TAX_RATE": "0.07",
    "ORDERMESH_SHIPPING_RATES": '{"STANDARD": "4.90", "EXPRESS": "14.90"}',
    # Deliveries are made, recorded and told; nothing leaves the machine.
    "ORDERMESH_SMTP": "discard:",
    "ORDERMESH_LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True, slots=True)
class Burst:
    """What full load showed."""

    orders: int
    seconds: float
    before: Mapping[str, Usage]
    after: Mapping[str, Usage]
    sent: Mapping[str, Sent]
    written: Mapping[str, tuple[float, float, dict[str, Any]]]

    def cpu_ms(self) -> dict[str, float]:
        """Processor milliseconds per order, by process."""
        return _cpu_ms(self.before, self.after, self.orders)


@dataclass(frozen=True, slots=True)
class Bare:
    """What the bare loop showed; ``cpu_ms`` are processor milliseconds per order."""

    orders_per_second: float
    cpu_ms: Mapping[str, float]


async def run(*, orders: int, quick: bool = False, instances: int = 1) -> None:
    """Measures with so many orders at full load and so many processes of each service, and prints
    JSON; ``quick`` leaves out the latencies."""
    prepare()
    with contextlib.suppress(asyncio.CancelledError):
        async with Deployment(instances=instances) as deployment:
            async with Load(deployment.kafka) as load:
                await warm_up(load)
                burst = await full_load(load, deployment, orders)
                rate = orders / burst.seconds
                waits = {}
                if not quick:
                    half = await load.steady("half", rate / 2, 20)
                    await quiet(deployment.mongodb, Settings().database_prefix)
                    idle = await load.steady("idle", 10, 20)
                    waits = {
                        "half_load": _waits(load, half),
                        "idle_10_per_second": _waits(load, idle),
                    }
            # The bare loop has the machine to itself, as the services had it with the load.
            await deployment.stop_services()
            bare = await _bare(deployment, burst, "services.bench.bare")
            contracts = None
            if not quick:
                contracts = await _bare(deployment, burst, "services.bench.contracts")
        print(json.dumps(_figures(burst, rate, waits, bare, contracts), indent=2))


def prepare() -> None:
    """Settings and logging of a measurement; Ctrl-C ends it in order."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    os.environ.update(_SETTINGS)
    configure_logging("console", "WARNING")


async def warm_up(load: Load) -> None:
    """Loads the catalogue and places the first orders, which are not measured."""
    await load.load_catalogue()
    await load.burst("warm", WARM_UP, IN_FLIGHT)


async def full_load(
    load: Load,
    deployment: Deployment,
    orders: int,
    *,
    prefix: str = "full",
    in_flight: int = IN_FLIGHT,
) -> Burst:
    """Places ``orders`` as fast as they are completed, and counts what they cost."""
    databases = Settings().database_prefix
    pids = {**deployment.pids, "load": os.getpid()}
    records, documents = (
        await records_of(deployment.kafka),
        await stored(deployment.mongodb, databases),
    )
    before = usage_of(pids)
    seconds = await load.burst(prefix, orders, in_flight)
    after = usage_of(pids)
    sent = await sent_since(deployment.kafka, records)
    written = {
        name: _per_order(collection, documents.get(name), orders)
        for name, collection in (await stored(deployment.mongodb, databases)).items()
    }
    return Burst(orders, seconds, before, after, sent, written)


def _per_order(
    now: Stored, before: Stored | None, orders: int
) -> tuple[float, float, dict[str, Any]]:
    """Inserts and updates per order, and a document."""
    inserts = now.inserts - (before.inserts if before else 0)
    updates = now.updates - (before.updates if before else 0)
    return inserts / orders, updates / orders, now.sample


async def _bare(deployment: Deployment, burst: Burst, loop: str) -> Bare:
    """The bare loop with the footprint of ``burst``; ``loop`` is the module that is its process."""
    topic = Topic(loop.replace(".", "-"), 3_600_000)
    await create_topics(deployment.kafka, partitions=BARE_PROCESSES, topics=[topic])
    share = burst.orders // BARE_PROCESSES
    plans = [
        Plan(
            deployment.kafka,
            deployment.mongodb,
            topic.name,
            partition,
            share,
            [(s.records / burst.orders, s.samples) for s in burst.sent.values()],
            [Write(name, *write) for name, write in burst.written.items() if write[0] or write[1]],
        )
        for partition in range(BARE_PROCESSES)
    ]
    async with contextlib.AsyncExitStack() as stack:
        processes = []
        for plan in plans:
            command = (sys.executable, "-m", loop)
            processes.append(await stack.enter_async_context(child(*command)))
            await tell(processes[-1], plan.dump())
        await answers(processes)
        servers = {name: deployment.pids[name] for name in ("mongodb", "kafka")}
        before = usage_of(servers)
        for process in processes:
            await tell(process, "go")
        lines = await answers(processes)
        after = usage_of(servers)
    took = [json.loads(line) for line in lines]
    orders = share * BARE_PROCESSES
    loops = sum(each["cpu"] for each in took) / orders * 1000
    cpu_ms = {**_cpu_ms(before, after, orders), "loops": round(loops, 3)}
    return Bare(round(orders / max(each["seconds"] for each in took), 1), cpu_ms)


def _cpu_ms(
    before: Mapping[str, Usage], after: Mapping[str, Usage], orders: int
) -> dict[str, float]:
    """Processor milliseconds per order, by process."""
    return {
        name: round((usage.cpu - before[name].cpu) / orders * 1000, 3)
        for name, usage in after.items()
        if name in before
    }


def _waits(load: Load, orders: list[str]) -> dict[str, float]:
    """Milliseconds from accepted to forwarded and to completed."""
    forwarded = [(load.forwarded[o] - load.accepted[o]) * 1000 for o in orders]
    completed = [(load.completed[o] - load.accepted[o]) * 1000 for o in orders]
    return {
        "orders": len(orders),
        "forwarded_p50_ms": _quantile(forwarded, 50),
        "forwarded_p99_ms": _quantile(forwarded, 99),
        "completed_p50_ms": _quantile(completed, 50),
        "completed_p99_ms": _quantile(completed, 99),
    }


def _quantile(values: list[float], percent: int) -> float:
    return round(quantiles(values, n=100)[percent - 1], 1)


def _figures(
    burst: Burst,
    rate: float,
    waits: dict[str, dict[str, float]],
    bare: Bare,
    contracts: Bare | None,
) -> dict[str, Any]:
    return {
        "orders": burst.orders,
        "seconds": round(burst.seconds, 2),
        "orders_per_second": round(rate, 1),
        "bare_loop_orders_per_second": bare.orders_per_second,
        "ratio": round(rate / bare.orders_per_second, 3),
        "accepted_to": waits,
        "cpu_ms_per_order": burst.cpu_ms(),
        "bare_loop_cpu_ms_per_order": bare.cpu_ms,
        "bare_loop_with_contracts": None if contracts is None else asdict(contracts),
        "memory_mb": {name: round(usage.memory / 2**20) for name, usage in burst.after.items()},
        "messages_per_order": {
            topic: [round(sent.records / burst.orders, 2), round(sent.mean_bytes)]
            for topic, sent in burst.sent.items()
        },
        "writes_per_order": {
            name: {
                "inserts": round(inserts, 2),
                "updates": round(updates, 2),
                "bytes": document_bytes(sample),
            }
            for name, (inserts, updates, sample) in burst.written.items()
            if inserts or updates
        },
        "machine": {
            "cores": os.cpu_count(),
            "load_average": os.getloadavg(),
            "python": platform.python_version(),
            "python_built_for_speed": built_for_speed(),
        },
    }
