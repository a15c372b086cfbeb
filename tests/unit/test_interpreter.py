"""What ``make setup`` asks of a Python before anything is installed."""

import subprocess
import sys
from pathlib import Path

from services.bench import interpreter

PROGRAM = Path(interpreter.__file__)


def answer(wanted: str) -> int:
    """As make asks: with the program alone, without what is installed here."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(PROGRAM), wanted], timeout=30, check=False
    ).returncode


def test_the_one_that_runs_the_tests_can_run_it() -> None:
    assert interpreter.can_run()
    assert answer("any") == 0


def test_fast_is_what_was_built_for_speed() -> None:
    assert answer("fast") == (0 if interpreter.built_for_speed() else 1)
