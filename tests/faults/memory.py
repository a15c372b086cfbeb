"""How much memory the services hold, sampled through a trial."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator

import psutil

from tests.support.cluster import Cluster

_EVERY = 1.0
_MB = 1024 * 1024

_SHARE, _SLACK = 1.10, 16
"""The bound: a tenth and 16 MB, for what an allocator keeps and a batch more or less."""


class Memory:
    """Samples the resident memory of every service until it is stopped."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._samples: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._began = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def begin(self) -> None:
        """From now on no service is restarted: only what is sampled since counts."""
        self._samples.clear()
        self._began = time.monotonic()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def highest(self) -> Iterator[tuple[str, float, float]]:
        """Each service with the most that it held, in MB, in the second and in the last third of
        the time since :meth:`begin`. The first third is its warm-up."""
        third = (time.monotonic() - self._began) / 3
        for name, samples in self._samples.items():
            middle, last = (
                max(
                    size for at, size in samples if n * third <= at - self._began <= (n + 1) * third
                )
                for n in (1, 2)
            )
            yield name, middle, last

    def differences(self) -> Iterator[str]:
        """The services whose memory grew after its warm-up."""
        for name, middle, last in self.highest():
            if last > middle * _SHARE + _SLACK:
                yield f"{name} grew from {middle:.0f} MB to {last:.0f} MB"

    async def _run(self) -> None:
        while True:
            for name, pid in self._cluster.pids().items():
                # It may be gone before anybody was told.
                with contextlib.suppress(psutil.NoSuchProcess):
                    if pid is not None:
                        size = psutil.Process(pid).memory_info().rss / _MB
                        self._samples[name].append((time.monotonic(), size))
            await asyncio.sleep(_EVERY)
