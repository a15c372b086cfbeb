"""The commands that measure: `ordermesh bench`, `bench-beside`, `bench-http`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from services.cli_end import run_to_end
from services.cli_support import Instances

_BENCH_ORDERS = 10_000


def bench(
    orders: Annotated[
        int, typer.Option(min=1, help="How many orders to measure with.")
    ] = _BENCH_ORDERS,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only the throughput, in under a minute.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Measure how the cost grows, and write tables and plots here."),
    ] = None,
    instances: Instances = 1,
) -> None:
    """Measure throughput and latency on this machine, beside a bare loop without any logic."""
    if report and (orders != _BENCH_ORDERS or quick or instances != 1):
        raise typer.BadParameter(
            "it measures with loads of its own: leave --orders, --quick and --instances out.",
            param_hint="--report",
        )
    with _extra_bench():
        from services.bench.report import write_report
        from services.bench.run import run as run_bench
    run_to_end(
        write_report(report)
        if report
        else run_bench(orders=orders, quick=quick, instances=instances)
    )


def bench_beside(
    other: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="Another checkout of Ordermesh.")
    ],
    orders: Annotated[int, typer.Option(min=1, help="How many orders in each round.")] = 2_500,
) -> None:
    """Compare what an order costs in this version and in another, both at work at the same time."""
    if not (other / "services" / "bench").is_dir():
        raise typer.BadParameter(f"{other} is no checkout of Ordermesh.")
    with _extra_bench():
        from services.bench.beside import compare
    run_to_end(compare(other, orders))


def bench_http(
    products: Annotated[int, typer.Option(min=100, help="How many there are.")] = 100_000,
    seconds: Annotated[int, typer.Option(min=1, help="How long each is measured.")] = 10,
) -> None:
    """Measure the HTTP API on this machine with wrk, beside a bare FastAPI route."""
    with _extra_bench():
        from services.bench.http import run as run_http
    run_to_end(run_http(products=products, seconds=seconds))


@contextmanager
def _extra_bench() -> Iterator[None]:
    """What is imported here needs the extra ``bench``; without it, it is said and the command
    ends."""
    try:
        yield
    except ModuleNotFoundError as error:
        print(
            f"The benchmark needs {error.name}: pip install 'ordermesh[bench,embedded]'.",
            file=sys.stderr,
        )
        raise typer.Exit(1) from error
