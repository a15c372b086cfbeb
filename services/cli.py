"""The command line: `ordermesh`."""

import asyncio
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from services.admin_client import AdminClient
from services.cli_api import api
from services.cli_bench import bench, bench_beside, bench_http
from services.cli_contracts import contracts_app
from services.cli_dead_letters import dead_letters_app
from services.cli_end import fail
from services.cli_end import run_to_end as _run
from services.cli_events import events_app
from services.cli_front_door import front_door
from services.cli_orders import orders_app
from services.cli_reconcile import reconcile
from services.cli_security import register as register_security
from services.cli_support import Instances, Kafka
from services.cli_topics import topics_app
from services.names import SERVICES

app = typer.Typer(
    name="ordermesh",
    help="An order fulfillment engine: orders in, supplier orders out, shipments tied back.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(topics_app, name="topics")
app.add_typer(orders_app, name="orders")
register_security(app)
app.add_typer(contracts_app)
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(events_app, name="events")
app.command()(reconcile)
app.command("front-door")(front_door)
app.command()(bench)
app.command("bench-beside")(bench_beside)
app.command("bench-http")(bench_http)
app.command()(api)


def _address(value: str | None) -> str | None:
    """HOST:PORT as given, or a usage error."""
    if value is not None:
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise typer.BadParameter(f"{value!r} is not HOST:PORT, for example 127.0.0.1:8080")
    return value


Mongodb = Annotated[
    str | None,
    typer.Option(
        envvar="ORDERMESH_MONGODB", metavar="URL", help="MongoDB, a replica set, 6.0 or newer."
    ),
]


def _tell_admin_secret(admin: AdminClient | None) -> None:
    """Once, to a person; a log is read by others, and is told where it is kept."""
    if admin is None or not admin.fresh:
        return
    if sys.stderr.isatty():
        print(
            f"The API client {admin.id} has every role. Its secret, shown this once and kept in"
            f" {admin.file}: {admin.secret}",
            file=sys.stderr,
        )
    else:
        structlog.get_logger().info("admin_client_made", client=admin.id, kept_in=str(admin.file))


@app.command()
def up(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of all state; without it, a temporary one.", file_okay=False),
    ] = None,
    http: Annotated[
        str | None,
        typer.Option(
            callback=_address, metavar="HOST:PORT", help="The HTTP API; default: a free local port."
        ),
    ] = None,
    kafka: Kafka = None,
    mongodb: Mongodb = None,
    instances: Instances = 1,
) -> None:
    """Run everything on this machine, with its own Kafka and MongoDB where none is given.

    Prints one line of JSON with all addresses when everything is ready; logs go to stderr.
    SIGTERM and Ctrl-C stop in order, a second Ctrl-C at once.
    """
    from services.checks import DeploymentError, settings_of
    from services.up import Deployment

    _log_to_stderr()
    try:
        settings = settings_of(kafka=kafka, mongodb=mongodb)
    except DeploymentError as error:
        fail(error)
    given = settings.model_fields_set
    host, _, port = (http or "").rpartition(":")
    deployment = Deployment(
        data,
        http=(host.strip("[]"), int(port)) if http else None,
        kafka=settings.kafka if "kafka" in given else None,
        # Its URL may have come from a file.
        mongodb=settings.mongodb.get_secret_value() if "mongodb" in given else None,
        instances=instances,
    )

    def at_once() -> None:
        deployment.kill()
        os._exit(130)

    async def serve() -> None:
        stop = _stop_on_signals(at_once)
        starting = asyncio.create_task(deployment.start())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            with suppress(asyncio.CancelledError):
                await starting
            return
        starting.result()
        try:
            _tell_admin_secret(deployment.admin)
            print(json.dumps(deployment.description()), flush=True)
            await stopping
        finally:
            await deployment.stop()

    _run(serve())


@app.command()
def run(
    names: Annotated[list[str], typer.Argument(metavar="SERVICE...", help="Names.")],
    kafka: Kafka = None,
    mongodb: Mongodb = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            envvar="ORDERMESH_METRICS",
            callback=_address,
            metavar="HOST:PORT",
            help="Where health and metrics are served.",
        ),
    ] = None,
) -> None:
    """Run one service, or several in one process.

    The services: accounts, pricing, checkout, forwarding, shipments, notifications.
    """
    from services.checks import check_kafka, check_mongodb, check_port, settings_of
    from services.rights import needs_of
    from services.runtime import run as run_services
    from shared.messaging.connection import kafka_connection
    from shared.settings import Settings

    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        raise typer.BadParameter(
            f"no service is called {', '.join(unknown)}; there are: {', '.join(SERVICES)}",
            param_hint="SERVICE",
        )

    async def check() -> Settings:
        # What the command line says goes before the environment.
        settings = settings_of(kafka=kafka, mongodb=mongodb, metrics=metrics)
        host, _, port = settings.metrics.rpartition(":")
        check_port(host.strip("[]"), int(port), option="--metrics or ORDERMESH_METRICS")
        await check_mongodb(settings)
        topics = {topic for name in names for topic in needs_of(name).consumes}
        await check_kafka(kafka_connection(settings), topics)
        return settings

    run_services(names, _run(check()))


@app.command()
def demo(
    orders: Annotated[int, typer.Option(min=1, help="How many orders to send.")] = 2_000,
) -> None:
    """Start everything in a temporary folder and follow orders through it."""
    from services.demo import run as run_demo

    _run(run_demo(orders=orders))


def _stop_on_signals(second_interrupt: Any) -> asyncio.Event:
    """An event that SIGTERM or Ctrl-C sets; Ctrl-C after that calls `second_interrupt`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        if stop.is_set():
            second_interrupt()
        stop.set()

    loop.add_signal_handler(signal.SIGINT, interrupted)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    return stop


def _log_to_stderr() -> None:
    """What happens to the deployment, on stderr, in the services' own format."""
    from shared.logs import configure_logging

    # Clients complain of every attempt while a server restarts; the supervisor says it once.
    log_format = os.environ.get("ORDERMESH_LOG_FORMAT", "auto")
    configure_logging(log_format, "INFO", libraries=logging.CRITICAL)


if __name__ == "__main__":
    app()
