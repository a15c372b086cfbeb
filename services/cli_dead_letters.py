"""`ordermesh dead-letters …`: what could not be applied, and what to do about it."""

import getpass
import json
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli_support import Kafka, Mongodb, moment, run
from services.topic_reader import Place

if TYPE_CHECKING:
    from services.letters.audit import Run as AuditRun
    from services.letters.letter import Filter

dead_letters_app = typer.Typer(
    help="What could not be applied: look at it, send it again, put it away.",
    no_args_is_help=True,
)

Places = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PLACE]...",
        help="Letters by place, topic/partition/offset: where they lie, or where they came from.",
    ),
]
Topic = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Only of this topic, with or without .dead-letters."),
]
Error = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Only where the error contains this text.")
]
Pattern = Annotated[
    str | None,
    typer.Option("--error-regex", metavar="REGEX", help="Only where this is found in the error."),
]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="From then on: ISO 8601, or 15m, 2h, 3d ago.")
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Before then.")]
Key = Annotated[
    str | None, typer.Option(metavar="KEY", help="Only with this record key: an order's ID mostly.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
By = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who does it, for the record; default: the user's name."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Again = Annotated[bool, typer.Option("--again", help="Also letters that were dealt with already.")]
Everything = Annotated[
    bool, typer.Option("--everything", help="Every open letter; needed where nothing narrows it.")
]


@dead_letters_app.command("list")
def list_letters(
    places: Places = None,
    topic: Topic = None,
    error: Error = None,
    pattern: Pattern = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were replayed or discarded.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, help="Most rows of the table, the latest ones.")
    ] = 100,
    as_json: AsJson = False,
    kafka: Kafka = None,
    mongodb: Mongodb = None,
) -> None:
    """List the open dead letters, or all. Only reads."""
    wanted = _filter(places, topic, error, pattern, since, until, key)

    async def look() -> int:
        from services.letters import printing
        from services.letters.dealing import find_letters, open_tools

        async with open_tools(kafka, mongodb) as tools:
            letters, seen = await find_letters(tools, wanted)
        shown = [
            letter
            for letter in letters
            if everything or not printing.state_of(letter, seen).is_handled
        ]
        if as_json:
            documents = [printing.document_of(letter, seen) for letter in shown]
            print(json.dumps({"Letters": documents, "Found": len(letters)}, indent=2))
        else:
            printing.print_list(shown, seen, limit, handled=len(letters) - len(shown))
        return 0

    run(look())


@dead_letters_app.command()
def show(
    place: Annotated[
        str, typer.Argument(metavar="PLACE", help="topic/partition/offset, of it or its origin.")
    ],
    as_json: AsJson = False,
    kafka: Kafka = None,
    mongodb: Mongodb = None,
) -> None:
    """Show one dead letter whole: headers, value, what was done about it. Only reads."""
    wanted = _filter([place], None, None, None, None, None, None)

    async def look() -> int:
        from services.letters import printing
        from services.letters.dealing import find_letters, open_tools
        from services.letters.reading import records_of

        async with open_tools(kafka, mongodb) as tools:
            letters, seen = await find_letters(tools, wanted)
            records = await records_of(tools.reader, letters)
        if not letters:
            print(
                f"There is no dead letter at {place} and none that came from there;"
                " `ordermesh dead-letters list --all` names all places.",
                file=sys.stderr,
            )
            return 1
        documents = [
            {
                **printing.document_of(letter, seen),
                "Headers": [
                    [name, (value or b"").decode(errors="replace")]
                    for name, value in records[letter.place].headers
                ],
                **printing.value_of(records[letter.place].value),
            }
            for letter in letters
            if letter.place in records
        ]
        if as_json:
            print(json.dumps({"Letters": documents}, indent=2))
        else:
            for document in documents:
                printing.print_letter(document)
        return 0

    run(look())


@dead_letters_app.command()
def replay(
    places: Places = None,
    topic: Topic = None,
    error: Error = None,
    pattern: Pattern = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
    everything: Everything = False,
    again: Again = False,
    why: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")
    ] = None,
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    kafka: Kafka = None,
    mongodb: Mongodb = None,
) -> None:
    """Send dead letters to their topics again, each key's in their old order.

    They keep key, value and identity, so what was applied before is dropped as a duplicate. One
    that still cannot be applied comes back as a new dead letter.
    """
    from services.letters.dealing import deal

    wanted = _narrow(
        _filter(places, topic, error, pattern, since, until, key), everything=everything
    )
    run(
        deal(
            wanted,
            _run(by, why),
            kafka,
            mongodb,
            replaying=True,
            again=again,
            dry_run=dry_run,
            as_json=as_json,
        )
    )


@dead_letters_app.command()
def discard(
    why: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why, for the record. Must be given.")
    ],
    places: Places = None,
    topic: Topic = None,
    error: Error = None,
    pattern: Pattern = None,
    since: Since = None,
    until: Until = None,
    key: Key = None,
    everything: Everything = False,
    again: Again = False,
    by: By = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    kafka: Kafka = None,
    mongodb: Mongodb = None,
) -> None:
    """Put dead letters away that nobody needs: they are open no longer. They stay on their
    topics, to be seen with list --all."""
    from services.letters.dealing import deal

    wanted = _narrow(
        _filter(places, topic, error, pattern, since, until, key), everything=everything
    )
    run(
        deal(
            wanted,
            _run(by, why),
            kafka,
            mongodb,
            replaying=False,
            again=again,
            dry_run=dry_run,
            as_json=as_json,
        )
    )


# --- what the options say ------------------------------------------------------------------


def _filter(
    places: Sequence[str] | None,
    topics: Sequence[str] | None,
    error: str | None,
    pattern: str | None,
    since: str | None,
    until: str | None,
    key: str | None,
) -> "Filter":
    """What the options say. Raises typer's usage error for what they cannot mean."""
    from services.letters.letter import SUFFIX, Filter
    from services.letters.reading import dead_letter_topics

    known = {topic.removesuffix(SUFFIX) for topic in dead_letter_topics()}
    for topic in topics or ():
        if topic.removesuffix(SUFFIX) not in known:
            raise typer.BadParameter(
                f"{topic} has no dead letters; there are: {', '.join(sorted(known))}",
                param_hint="--topic",
            )
    try:
        compiled = None if pattern is None else re.compile(pattern)
    except re.error as fault:
        raise typer.BadParameter(
            f"{pattern!r} is no regular expression: {fault}", param_hint="--error-regex"
        ) from None
    return Filter(
        topics=frozenset(topic.removesuffix(SUFFIX) for topic in topics or ()),
        error=error,
        pattern=compiled,
        since=moment(since, "--since"),
        until=moment(until, "--until"),
        key=key,
        places=frozenset(_place(text) for text in places or ()),
    )


def _place(text: str) -> Place:
    try:
        return Place.parse(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no place; give one as the list does, for example"
            " orders.commands.dead-letters/0/17",
            param_hint="PLACE",
        ) from None


def _narrow(wanted: "Filter", *, everything: bool) -> "Filter":
    if wanted.is_empty and not everything:
        raise typer.BadParameter(
            "name places or narrow it by --topic, --error, --key, --since; --everything means all"
            " that is open",
            param_hint="PLACE",
        )
    return wanted


def _run(by: str | None, why: str | None) -> "AuditRun":
    from uuid import uuid4

    from services.letters.audit import Run
    from shared.clock import utc_now

    if why is not None and not why.strip():
        raise typer.BadParameter("say why in a few words", param_hint="--reason")
    return Run(uuid4().hex[:12], by or _user(), utc_now(), why)


def _user() -> str:
    """Who runs the command, as the operating system has it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container's user may have no name.
        raise typer.BadParameter(
            "the operating system does not tell who you are; name yourself", param_hint="--by"
        ) from None
