"""Tables on a terminal, of values that may be anybody's."""

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNWRAPPED = 400
"""Columns of a table that goes to a file or a pipe."""

STATUS_STYLES: Mapping[str, str] = {
    "Open": "cyan",
    "Completed": "green",
    "Delivered": "green",
    "AwaitingApproval": "yellow",
    "Pending": "yellow",
    "Declined": "red",
    "Canceled": "red",
    "Failed": "red",
}


def stdout_console() -> Console:
    """A console on standard output that takes nothing for markup. Off a terminal nothing is
    wrapped, so that what is searched for stands in one line."""
    width = None if sys.stdout.isatty() else _UNWRAPPED
    return Console(markup=False, highlight=False, emoji=False, width=width)


def table(title: str, *columns: str, right: Iterable[str] = ()) -> Table:
    """An empty table; the columns ``right`` are set flush right."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def row(of: Table, *cells: str) -> None:
    """Adds a row; cells that are a status get its colour."""
    of.add_row(*(printable(cell, STATUS_STYLES.get(cell, "")) for cell in cells))


def printable(value: str, style: str = "") -> Text:
    """``value`` without what a terminal would obey."""
    return Text("".join(c if c.isprintable() else " " for c in value), style)


def to_milliseconds(at: datetime | None) -> str:
    """A time as people read it; empty for none."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}"
