"""What the commands about dead letters do: find them, replay them, discard them, and say so."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.checks import check_kafka, check_mongodb, settings_of
from services.letters import printing
from services.letters.audit import Audit, Handling, Run
from services.letters.letter import Filter, Letter
from services.letters.reading import find
from services.letters.replay import Done, discard, plan, replay
from services.topic_reader import TopicReader
from shared.messaging.connection import KafkaConnection, kafka_connection
from shared.messaging.publisher import KafkaPublisher
from shared.metrics import Metrics
from shared.mongo.connection import mongo_client


@dataclass(frozen=True, slots=True)
class Tools:
    """Connections to both servers."""

    kafka: KafkaConnection
    reader: TopicReader
    audit: Audit


@asynccontextmanager
async def open_tools(kafka: str | None, mongodb: str | None) -> AsyncIterator[Tools]:
    """Connections to both servers, after a look whether they answer. Raises DeploymentError."""
    settings = settings_of(kafka=kafka, mongodb=mongodb)
    server = kafka_connection(settings)
    await check_kafka(server)
    await check_mongodb(settings)
    async with mongo_client(settings) as client, TopicReader(server) as reader:
        yield Tools(server, reader, Audit(client, settings))


async def find_letters(tools: Tools, wanted: Filter) -> tuple[list[Letter], dict[str, Handling]]:
    """The letters that are meant, in the order in which they came in, and what was done."""
    letters = [letter async for letter in find(tools.reader, wanted)]
    letters.sort(key=lambda letter: (letter.time, letter.place))
    return letters, await tools.audit.of(letters)


async def deal(
    wanted: Filter,
    by: Run,
    kafka: str | None,
    mongodb: str | None,
    *,
    replaying: bool,
    again: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Replays or discards what is meant; exit code 1 when some of it could not be."""
    async with open_tools(kafka, mongodb) as tools:
        letters, seen = await find_letters(tools, wanted)
        todo = plan(letters, seen, again=again, replaying=replaying, named=wanted.places)
        done = Done([], list(todo.kept))
        if not dry_run:
            await tools.audit.prepare()
            if replaying:
                async with _publisher(tools.kafka) as publisher:
                    work = replay(todo.letters, seen, by, tools.reader, publisher, tools.audit)
                    await _collect(work, done, as_json=as_json)
            else:
                await _collect(discard(todo.letters, seen, by, tools.audit), done, as_json=as_json)
    verb = "replayed" if replaying else "discarded"
    shown = todo.letters if dry_run else done.letters
    if as_json:
        print(json.dumps(printing.report(by, shown, done.kept, verb, dry_run=dry_run), indent=2))
    else:
        printing.print_report(by, shown, done.kept, verb, dry_run=dry_run)
    return 1 if done.kept else 0


async def _collect(work: AsyncIterator[Done], done: Done, *, as_json: bool) -> None:
    async for share in work:
        done.letters.extend(share.letters)
        done.kept.extend(share.kept)
        if not as_json and len(done.letters) > len(share.letters):
            print(f"{len(done.letters)} so far", file=sys.stderr)


@asynccontextmanager
async def _publisher(kafka: KafkaConnection) -> AsyncIterator[KafkaPublisher]:
    publisher = KafkaPublisher(kafka, "dead-letters", Metrics())
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()
