"""Processor time and memory of processes, children included."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """``cpu`` in seconds since the process began, ``memory`` in bytes (resident)."""

    cpu: float
    memory: int


def usage_of(pids: Mapping[str, int | None]) -> dict[str, Usage]:
    """The usage of each named process that lives, with its children's."""
    return {name: _usage(pid) for name, pid in pids.items() if pid is not None}


def _usage(pid: int) -> Usage:
    process = psutil.Process(pid)
    cpu, memory = 0.0, 0
    for one in [process, *process.children(recursive=True)]:
        times = one.cpu_times()
        cpu += times.user + times.system
        memory += one.memory_info().rss
    return Usage(cpu, memory)
