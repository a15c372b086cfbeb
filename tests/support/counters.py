"""The services' Prometheus counters, over all lives of processes that are killed."""

import asyncio
from collections.abc import Callable, Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

_PAUSE = 0.5

Life = tuple[str, int]
"""A process: its name and its process ID."""


class Counters:
    """Reads ``/metrics`` of every process that runs, again and again, and keeps the last reading
    of each life. What a process counted in its last half second may be missing.

    ``targets`` gives the URLs of those that run now.
    """

    def __init__(self, targets: Callable[[], Mapping[Life, str]]) -> None:
        self._targets = targets
        self._last: dict[Life, dict[tuple[str, str], float]] = {}
        self._client = httpx.AsyncClient(trust_env=False, timeout=2)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._client.aclose()

    async def total(self, name: str, process: str = "") -> int:
        """The sum of ``ordermesh_<name>_total`` over all labels, services and lives; of all lives
        of one ``process`` where one is named."""
        await self._read_all()
        return round(
            sum(
                value
                for (whose, _), reading in self._last.items()
                for (found, _), value in reading.items()
                if found == f"ordermesh_{name}_total" and process in ("", whose)
            )
        )

    async def by_label(self, name: str) -> dict[str, int]:
        """Like :meth:`total`, by the values of the labels (``checkout orders.commands``)."""
        await self._read_all()
        sums: dict[str, float] = {}
        for reading in self._last.values():
            for (found, labels), value in reading.items():
                if found == f"ordermesh_{name}_total" and value:
                    sums[labels] = sums.get(labels, 0) + value
        return {labels: round(value) for labels, value in sums.items()}

    async def _run(self) -> None:
        while True:
            await self._read_all()
            await asyncio.sleep(_PAUSE)

    async def _read_all(self) -> None:
        targets = dict(self._targets())
        texts = await asyncio.gather(*(self._read(url) for url in targets.values()))
        for life, text in zip(targets, texts, strict=True):
            if text:
                self._last[life] = _parse(text)

    async def _read(self, url: str) -> str:
        try:
            return (await self._client.get(url)).text
        except httpx.HTTPError:
            # Starting, stopped or killed: its last reading stands.
            return ""


def _parse(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        if family.type == "counter"
        for sample in family.samples
        if sample.name.endswith("_total")
    }
