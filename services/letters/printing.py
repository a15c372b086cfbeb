"""How dead letters look to an operator: tables on a terminal, documents for programs."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from services.cli_support import clock
from services.letters.audit import Handling, Run, State
from services.letters.letter import Letter
from services.letters.replay import Kept
from services.tables import printable, row, stdout_console, table

MOST_SHOWN = 100


def state_of(letter: Letter, seen: dict[str, Handling]) -> State:
    handling = seen.get(letter.identity)
    return State.OPEN if handling is None else handling.state


def document_of(letter: Letter, seen: dict[str, Handling]) -> dict[str, Any]:
    """A letter with its handling, as JSON has it; what is not known is left out."""
    handling = seen.get(letter.identity)
    document = {
        "Place": str(letter.place),
        "State": str(state_of(letter, seen)),
        "Topic": letter.topic,
        "Origin": None if letter.origin is None else str(letter.origin),
        "Key": letter.key_text if letter.key is not None else None,
        "Time": letter.time.astimezone(UTC).isoformat(),
        "Error": letter.error,
        "Attempts": letter.attempts,
        "Type": letter.type or None,
        "ID": letter.id or None,
        "Source": letter.source or None,
        "Bytes": letter.size,
        "Omitted": letter.omitted,
        "ReplayedFrom": letter.replayed_from,
        "Actions": [
            {
                name: value
                for name, value in {
                    "At": action.at.isoformat(),
                    "By": action.by,
                    "What": action.what,
                    "Why": action.why,
                }.items()
                if value is not None
            }
            for action in (handling.actions if handling else ())
        ],
    }
    return {name: value for name, value in document.items() if value is not None}


def value_of(value: bytes | None) -> dict[str, Any]:
    """The value as text where it is UTF-8, else in base 64."""
    if value is None:
        return {"Value": None}
    try:
        return {"Value": value.decode()}
    except UnicodeDecodeError:
        return {"ValueBase64": b64encode(value).decode()}


def print_list(
    letters: Sequence[Letter], seen: dict[str, Handling], limit: int, *, handled: int
) -> None:
    console = stdout_console()
    made = table("Dead letters", "Place", "Time (UTC)", "Key", "Type", "State", "Error")
    for letter in letters[-limit:]:
        state = str(state_of(letter, seen))
        row(
            made, str(letter.place), clock(letter.time), letter.key_text, letter.type, state,
            letter.error + (f" ({letter.omitted})" if letter.omitted else ""),
        )  # fmt: skip
    if letters:
        console.print(made)
    more = len(letters) - limit
    if more > 0:
        console.print(f"... and {more} earlier ones; narrow it, or raise --limit.")
    text = f"{len(letters)} dead letter{'' if len(letters) == 1 else 's'}"
    if handled:
        text += f"; {handled} more were replayed or discarded, see --all"
    console.print(f"{text}.")


def print_letter(document: dict[str, Any]) -> None:
    console = stdout_console()
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in document.items():
        if isinstance(value, str | int) and not name.startswith("Value"):
            facts.add_row(printable(name, "dim"), printable(str(value)))
    console.print(facts)
    headers = table("Headers", "Name", "Value")
    for name, value in document["Headers"]:
        row(headers, name, value)
    console.print(headers)
    if document["Actions"]:
        actions = table("What was done", "Time (UTC)", "By", "What", "Why")
        for action in document["Actions"]:
            at = clock(datetime.fromisoformat(action["At"]))
            row(actions, at, action["By"], action["What"], action.get("Why", ""))
        console.print(actions)
    if "ValueBase64" in document:
        console.print(f"Value, in base 64:\n{document['ValueBase64']}")
    else:
        console.print("Value:", printable(_readable(document["Value"])))


def _readable(value: str | None) -> str:
    return "(none)" if value is None else value


def report(
    by: Run, letters: Sequence[Letter], kept: Sequence[Kept], verb: str, *, dry_run: bool
) -> dict[str, Any]:
    return {
        "Run": by.id,
        "By": by.by,
        "DryRun": dry_run,
        verb.capitalize(): [str(letter.place) for letter in letters],
        "Left": [
            {"Place": str(each.letter.place), "Why": each.why, "Next": each.next} for each in kept
        ],
    }


def print_report(
    by: Run, letters: Sequence[Letter], kept: Sequence[Kept], verb: str, *, dry_run: bool
) -> None:
    console = stdout_console()
    if dry_run and letters:
        would = table(f"Would be {verb}, in this order", "Place", "From", "Key", "Type", "Error")
        for letter in letters[:MOST_SHOWN]:
            origin = "" if letter.origin is None else str(letter.origin)
            row(would, str(letter.place), origin, letter.key_text, letter.type, letter.error)
        console.print(would)
        if len(letters) > MOST_SHOWN:
            console.print(f"... and {len(letters) - MOST_SHOWN} more.")
    if kept:
        left = table("Left as they are", "Place", "Why", "What to do")
        for each in kept[:MOST_SHOWN]:
            row(left, str(each.letter.place), each.why, each.next)
        console.print(left)
    if dry_run:
        console.print(f"{len(letters)} would be {verb}, {len(kept)} left; nothing was done.")
    else:
        console.print(f"{len(letters)} {verb} by {by.by} (run {by.id}), {len(kept)} left.")
