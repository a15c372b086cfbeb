"""Processor time and memory of processes."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu`` in seconds since the process began, ``memory`` in bytes (resident)."""

    cpu: float
    memory: int


def usage_of(pids: Mapping[str, int | None]) -> dict[str, Usage]:
    """The usage of each named process that lives; the servers and services have no children."""
    return {name: _usage(pid) for name, pid in pids.items() if pid is not None}


def _usage(pid: int) -> Usage:
    process = psutil.Process(pid)
    times = process.cpu_times()
    return Usage(times.user + times.system, process.memory_info().rss)
