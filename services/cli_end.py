"""How a command of `ordermesh` ends when it cannot go on."""

import asyncio
import logging
import sys
import textwrap
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer

T = TypeVar("T")


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a command to its end; what the environment lacks is one paragraph and exit code 1."""
    from services.checks import DeploymentError
    from shared.embedded import EmbeddedServerError

    # Where no logging is set up, Python would print what the client says of every attempt.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        return asyncio.run(work)
    except (DeploymentError, EmbeddedServerError) as error:
        fail(error)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def fail(error: Exception) -> NoReturn:
    """Print what is wrong as one paragraph and end with exit code 1."""
    first, _, rest = str(error).partition("\n")
    print(paragraph(first), file=sys.stderr)
    if rest:
        print(rest, file=sys.stderr)
    raise typer.Exit(1) from error


def paragraph(text: str) -> str:
    """``text`` in lines as a terminal takes them."""
    return textwrap.fill(text, 100, break_long_words=False)
