"""`ordermesh asyncapi` and `ordermesh schemas`: the Kafka contract for tools."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shared.schemas.files import Folder

contracts_app = typer.Typer()

Docs = Annotated[
    Path, typer.Option(help="The documentation's folder.", exists=True, file_okay=False)
]


@contracts_app.command()
def asyncapi() -> None:
    """Print the AsyncAPI 3.0 document of all topics, as JSON."""
    from shared.schemas.asyncapi import asyncapi_document
    from shared.schemas.files import as_text

    print(as_text(asyncapi_document()), end="")


@contracts_app.command()
def schemas(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[TOPIC.TYPE]",
            help="Print this message's schema, such as orders.commands.PlaceOrder.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write asyncapi.json and schemas/ as the code says.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Fail on files that drifted and on what breaks others."),
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Promise what the code says: move schemas/released/.")
    ] = False,
    accept_breaking: Annotated[
        str, typer.Option(metavar="REASON", help="Release though it breaks others; says why.")
    ] = "",
    docs: Docs = Path("docs"),
) -> None:
    """JSON Schema (2020-12) of every message: list, print, write, check, release.

    Without an option and a name, lists the names. A release is refused while anything breaks
    older producers or consumers.
    """
    from shared.schemas.files import Folder

    folder = Folder(docs)
    if release:
        if not accept_breaking and _tell_breaking(folder):
            print(
                "Undo it, or release it on purpose with --accept-breaking REASON.", file=sys.stderr
            )
            raise typer.Exit(1)
        folder.release(accept_breaking)
        folder.write()
    elif write:
        folder.write()
    elif check:
        drifted = folder.drift()
        for path in drifted:
            print(f"{docs / path} is not what the code says; run ordermesh schemas --write")
        if _tell_breaking(folder) or drifted:
            raise typer.Exit(1)
    else:
        _print(name)


def _tell_breaking(folder: "Folder") -> bool:
    """Prints what the code breaks of what was released; whether it does."""
    breaking = folder.breaking()
    for message, changes in breaking.items():
        for change in changes:
            print(f"{message}: {change}", file=sys.stderr)
    return bool(breaking)


def _print(name: str | None) -> None:
    from shared.schemas.files import as_text
    from shared.schemas.messages import message_schemas

    known = message_schemas()
    if name is None:
        print("\n".join(known))
    elif name in known:
        print(as_text(known[name]), end="")
    else:
        raise typer.BadParameter(
            f"no message is called {name}; `ordermesh schemas` lists all", param_hint="TOPIC.TYPE"
        )
