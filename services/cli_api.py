"""`ordermesh api`: the HTTP API, and the front door with it."""

import asyncio
import signal
import sys
from typing import Annotated

import typer

from services.cli_end import run_to_end
from services.cli_front_door import address_of, services_of


def api(
    services: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SERVICE]...", help="NAME=URL of a service's health and metrics, to tell of."
        ),
    ] = None,
    http: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where it listens.")
    ] = "127.0.0.1:8080",
) -> None:
    """Serve the HTTP API: OrderCloud's shape under /v1 and /oauth.

    For containers and clusters; `up` starts one by itself. SIGTERM and Ctrl-C stop it.
    """
    import uvloop

    from services.api import Api
    from services.checks import check_kafka, check_mongodb, settings_of
    from shared.environment import SettingsError
    from shared.logs import configure_logging
    from shared.messaging.closed_connections import mend_connections
    from shared.messaging.connection import kafka_connection
    from shared.serving import CannotListen
    from shared.settings import Settings
    from shared.tracing.port import TracingUnavailable

    address, told_of = address_of(http), services_of(services or [])

    async def check() -> Settings:
        settings = settings_of()
        await check_mongodb(settings)
        await check_kafka(kafka_connection(settings))
        return settings

    settings = run_to_end(check())
    configure_logging(settings.log_format, settings.log_level)
    mend_connections()
    process = Api(settings, address, told_of)

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await process.run(stop)

    try:
        uvloop.run(serve())
    except CannotListen as error:
        print(f"The API {error}: name another address with --http.", file=sys.stderr)
        raise typer.Exit(1) from error
    except (SettingsError, TracingUnavailable) as error:
        sys.exit(str(error))
