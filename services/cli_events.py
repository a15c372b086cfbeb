"""`ordermesh events …`: what was said on the topics."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from services.cli_support import Kafka, moment, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from services.topic_reader import TopicReader
    from shared.messaging.decode import Record

events_app = typer.Typer(help="What was said on the topics.", no_args_is_help=True)


@events_app.command()
def export(
    order: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only what is about this buyer's order."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on: ISO 8601, or 15m, 2h, 3d ago.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only of this topic; may be given several times."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="A new file to write to instead of standard output.", dir_okay=False),
    ] = None,
    kafka: Kafka = None,
) -> None:
    """Write messages as JSON Lines: one CloudEvent a line, ordered by time for each key.

    Only reads. Of all topics where none is named; with --order, of the dead letters too.
    """
    if order is None and since is None:
        raise typer.BadParameter("name an order or a time to begin with", param_hint="--since")
    known = _known_topics(topic)
    begin, end = moment(since, "--since"), moment(until, "--until")

    async def write() -> int:
        from services.checks import check_kafka, settings_of
        from services.topic_reader import TopicReader
        from shared.messaging.connection import kafka_connection

        settings = settings_of(kafka=kafka)
        server = kafka_connection(settings)
        await check_kafka(server)
        async with TopicReader(server) as reader:
            with _opened(output) as file:
                return await _write(_records(reader, order, begin, end, known), file)

    run(write())


def _known_topics(names: list[str] | None) -> list[str] | None:
    from services.trail import all_topics

    if not names:
        return None
    known = all_topics(dead_letters=True)
    for name in names:
        if name not in known:
            raise typer.BadParameter(
                f"there is no topic {name}; there are: {', '.join(known)}", param_hint="--topic"
            )
    return names


def _opened(output: Path | None) -> AbstractContextManager[IO[str]]:
    """What to write to. Personal data is in there: a new file is its owner's alone, and an old one
    is not written over."""
    if output is None:
        return nullcontext(sys.stdout)
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise typer.BadParameter(
            f"cannot write to {output}: {error.strerror}; name a new file", param_hint="--output"
        ) from None
    return open(descriptor, "w", encoding="utf-8")


async def _records(
    reader: "TopicReader",
    order: str | None,
    since: "datetime | None",
    until: "datetime | None",
    topics: list[str] | None,
) -> "AsyncIterator[Record]":
    from services.trail import Trail, all_topics, follow

    if order is not None:
        async for record in follow(reader, Trail(order), since=since, until=until, topics=topics):
            yield record
        return
    wanted = all_topics(dead_letters=False) if topics is None else topics
    async for record in reader.merged(await reader.spans(wanted, since=since, until=until)):
        yield record


async def _write(records: "AsyncIterator[Record]", file: IO[str]) -> int:
    from services.events_export import as_line

    count = 0
    try:
        async for record in records:
            file.write(as_line(record) + "\n")
            count += 1
        file.flush()
    except BrokenPipeError:
        # Whoever read it had enough, as `head` has; nothing may be flushed at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    print(f"{count} messages", file=sys.stderr)
    return 0
