"""Fixtures of the fault suite, `make faults`.

Tests that carry the marker ``faults`` run only there: each takes a minute or more. Those without
it are the short selection that `make test` runs too. ``soak`` is for a target of its own. By hand:
``pytest -m "" tests/faults/test_broker.py``, as the configured ``-m`` would leave most out.

How a test is written stands in :mod:`tests.faults.trial`.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.faults.trial import Trials, running_trial


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Prints a line to the terminal at once, whatever pytest captures."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    capture = pytestconfig.pluginmanager.get_plugin("capturemanager")
    assert reporter is not None
    assert capture is not None

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line)

    return write


@pytest.fixture
def trials(tmp_path: Path, tell: Callable[[str], None]) -> Trials:
    """Starts trials; the services' logs are in pytest's folder of the test."""
    return partial(running_trial, tmp_path, tell)
