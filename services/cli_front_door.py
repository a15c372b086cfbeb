"""`ordermesh front-door`: the front door alone, for services that run elsewhere."""

import asyncio
import signal
import sys
from typing import Annotated

import typer

_LIMIT = 4.0


def services_of(given: list[str]) -> dict[str, str]:
    """Each service's base URL by its name, from NAME=URL."""
    services = {}
    for each in given:
        name, equals, url = each.partition("=")
        if not name or not equals or not url.startswith(("http://", "https://")):
            raise typer.BadParameter(
                f"{each!r} is not NAME=URL, for example checkout=http://checkout:9464",
                param_hint="SERVICE",
            )
        services[name] = url.rstrip("/")
    return services


def address_of(http: str) -> tuple[str, int]:
    """Host and port of HOST:PORT."""
    host, _, port = http.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise typer.BadParameter(
            f"{http!r} is not HOST:PORT, for example 0.0.0.0:8080", param_hint="--http"
        )
    return host.strip("[]"), int(port)


def front_door(
    services: Annotated[
        list[str],
        typer.Argument(metavar="SERVICE...", help="NAME=URL of its health and metrics."),
    ],
    http: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where it listens.")
    ] = "127.0.0.1:8080",
) -> None:
    """Serve the front door: is every service ready, and where are its metrics.

    For containers and clusters, where `up` does not run. SIGTERM and Ctrl-C stop it.
    """
    from shared.serving import CannotListen

    host, port = address_of(http)
    try:
        asyncio.run(_serve(services_of(services), host, port))
    except CannotListen as error:
        print(f"The front door {error}: name another address with --http.", file=sys.stderr)
        raise typer.Exit(1) from error


async def _serve(services: dict[str, str], host: str, port: int) -> None:
    import httpx

    from services.gateway import create_app
    from shared.serving import serving

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with (
        httpx.AsyncClient(trust_env=False, timeout=_LIMIT) as client,
        serving(create_app(services, client), host, port),
    ):
        await stop.wait()
