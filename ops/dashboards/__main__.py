"""Writes the dashboards."""

from pathlib import Path

from ops.dashboards import BOARDS
from ops.dashboards.model import rendered

FOLDER = Path(__file__).parents[1] / "grafana" / "dashboards"


def main() -> None:
    for board in BOARDS:
        (FOLDER / f"{board.uid}.json").write_text(rendered(board))


if __name__ == "__main__":
    main()
