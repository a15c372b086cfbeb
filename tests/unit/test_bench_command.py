"""`ordermesh bench`: what it refuses before it measures anything."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app


@pytest.mark.parametrize("other", [["--quick"], ["--orders", "50"], ["--instances", "2"]])
def test_a_report_takes_no_loads_of_others(other: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench", "--report", str(tmp_path), *other])

    assert result.exit_code == 2
    assert "leave --orders, --quick and --instances out" in " ".join(
        result.output.replace("\u2502", " ").split()
    )
    assert list(tmp_path.iterdir()) == []
