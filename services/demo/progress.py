"""Live progress of the demo on a terminal; one line every few seconds elsewhere."""

import asyncio
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from services.demo.stage import Stage

_WIDTH = 40


class Progress:
    """Shows how far the orders are while it is entered."""

    def __init__(self, stage: Stage, console: Console) -> None:
        self._stage = stage
        self._console = console
        self._started = time.monotonic()
        self._live: Live | None = None
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(self._table(), console=self._console, transient=True)
            self._live.start(refresh=True)
        self._task = asyncio.create_task(self._refresh())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._live is not None:
            self._live.stop()

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(0.2 if self._live is not None else 5.0)
            if self._live is not None:
                self._live.update(self._table(), refresh=True)
            else:
                stage = self._stage
                self._console.print(
                    f"{len(stage.accepted)} placed, {len(stage.forwarded)} forwarded, "
                    f"{len(stage.completed)} completed, {stage.done} of {stage.wanted} done"
                )

    def _table(self) -> Table:
        stage = self._stage
        seconds = time.monotonic() - self._started
        table = Table.grid(padding=(0, 2))
        for name, count in (
            ("placed", len(stage.accepted)),
            ("submitted", len(stage.state)),
            ("forwarded", len(stage.forwarded)),
            ("completed", len(stage.completed)),
            ("done", stage.done),
        ):
            filled = round(_WIDTH * min(1.0, count / stage.wanted))
            bar = f"[green]{'━' * filled}[/][dim]{'─' * (_WIDTH - filled)}[/]"
            table.add_row(name, bar, f"{count:,}")
        table.add_row(
            "",
            f"{stage.done / max(seconds, 0.001):,.0f} orders/s, "
            f"{len(stage.shipments):,} shipments, {len(stage.notified):,} notifications",
        )
        return table
