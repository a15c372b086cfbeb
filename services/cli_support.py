"""What the groups of commands share: running to an end, times, where the servers are."""

import asyncio
import logging
import re
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from services.cli_end import paragraph

Kafka = Annotated[
    str | None,
    typer.Option(envvar="ORDERMESH_KAFKA", metavar="HOST:PORT", help="Kafka bootstrap servers."),
]
Instances = Annotated[
    int,
    typer.Option(min=1, help="Processes of each service, for a machine with cores to spare."),
]
Mongodb = Annotated[
    str | None,
    typer.Option(envvar="ORDERMESH_MONGODB", metavar="URL", help="MongoDB of the deployment."),
]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(value: str | None, option: str) -> datetime | None:
    """The time that ``option`` gives, in UTC: ISO 8601 (without a zone: UTC), or how long ago, as
    ``15m``, ``2h``, ``3d``. Raises typer's usage error for anything else."""
    if value is None:
        return None
    ago = re.fullmatch(r"(\d{1,9})([smhd])", value)
    try:
        if ago:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        parsed = datetime.fromisoformat(value)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{value!r} is no time; give one like 2031-05-02T09:30:00Z, or how long ago: 15m, 2h,"
            " 3d",
            param_hint=option,
        ) from None


def run(work: Coroutine[Any, Any, int]) -> None:
    """Runs a command to its end and exits with the code that it returns. What the environment
    lacks is one paragraph on standard error and exit code 2."""
    from aiokafka.errors import KafkaError
    from pymongo.errors import PyMongoError

    from services.checks import DeploymentError
    from shared.logs import configure_logging

    configure_logging("auto", "WARNING")
    # The clients complain of every attempt; what matters of it is said at the end.
    for name in ("aiokafka", "pymongo"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        code = asyncio.run(work)
    except (DeploymentError, KafkaError, PyMongoError) as error:
        text = str(error)
        if isinstance(error, KafkaError):
            text = f"Kafka failed: {error!r}. Nothing is half done; run the command again."
        elif isinstance(error, PyMongoError):
            text = f"MongoDB failed: {error}. Nothing is half done; run the command again."
        print(paragraph(text), file=sys.stderr)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        print("Interrupted; run the same command again to go on.", file=sys.stderr)
        raise typer.Exit(130) from None
    raise typer.Exit(code)


def clock(value: datetime | None) -> str:
    """A time as people read it, UTC to the second; empty for none."""
    return "" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
