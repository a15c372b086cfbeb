"""Keeps the programs of one machine running, in one data folder."""

import asyncio
import contextlib
import fcntl
import json
import os
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

import structlog

from shared.embedded.errors import EmbeddedServerError
from shared.embedded.ports import free_port, wait_for_port

_log = structlog.get_logger(__name__)


class Child(Protocol):
    """What a supervisor can run: a `ChildProcess` or an embedded server."""

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""

    async def start(self) -> None:
        """Start it; returns when it does its work."""

    async def wait(self) -> int:
        """Wait for its end; gives the return code."""

    async def stop(self) -> None:
        """Stop it within its own time limit."""


@dataclass
class _Entry:
    name: str
    child: Child
    restarts: int = 0
    watch: asyncio.Task[None] | None = field(default=None, repr=False)


class Supervisor:
    """Starts children in the order given and restarts each that ends, until it is stopped.

    A restart waits `first_delay` seconds, twice as long after each end that follows soon, up to
    `max_delay`; a child that ran for `healthy_after` seconds starts again with the first delay.
    """

    def __init__(
        self,
        *,
        first_delay: float = 0.2,
        max_delay: float = 10.0,
        healthy_after: float = 30.0,
    ) -> None:
        self._first_delay = first_delay
        self._max_delay = max_delay
        self._healthy_after = healthy_after
        self._entries: dict[str, _Entry] = {}

    @property
    def pids(self) -> dict[str, int | None]:
        """The process id of every child, in the order of start; None while one is down."""
        return {name: entry.child.pid for name, entry in self._entries.items()}

    @property
    def restarts(self) -> dict[str, int]:
        """How often each child was started again."""
        return {name: entry.restarts for name, entry in self._entries.items()}

    async def start(self, name: str, child: Child) -> None:
        """Start a child and look after it from then on.

        Raises:
            EmbeddedServerError, OSError: the first start failed; the child is not looked after.
        """
        if name in self._entries:
            raise ValueError(f"a child named {name!r} runs already")
        entry = self._entries[name] = _Entry(name, child)
        try:
            await child.start()
        except BaseException:
            del self._entries[name]
            raise
        _log.info("child started", child=name, pid=child.pid)
        entry.watch = asyncio.create_task(self._watch(entry), name=f"watch {name}")

    async def stop(self, together: Collection[str] = ()) -> None:
        """Stop the children with the names ``together`` at once, where any are given, or else all
        of them, the last started first; each has its own time limit."""
        if together:
            chosen = [entry for entry in self._entries.values() if entry.name in together]
            await asyncio.gather(*map(self._stop, chosen))
            return
        for entry in reversed(list(self._entries.values())):
            await self._stop(entry)

    async def _stop(self, entry: _Entry) -> None:
        if entry.watch is not None:
            entry.watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await entry.watch
        pid = entry.child.pid
        await entry.child.stop()
        _log.info("child stopped", child=entry.name, pid=pid)
        del self._entries[entry.name]

    async def _watch(self, entry: _Entry) -> None:
        delay = self._first_delay
        while True:
            began = time.monotonic()
            code = await entry.child.wait()
            if time.monotonic() - began >= self._healthy_after:
                delay = self._first_delay
            _log.warning("child ended", child=entry.name, code=code, restart_in=delay)
            delay = await self._restart(entry, delay)

    async def _restart(self, entry: _Entry, delay: float) -> float:
        """Start the child again, as often as it takes; gives the delay for the next end."""
        while True:
            await asyncio.sleep(delay)
            delay = min(2 * delay, self._max_delay)
            try:
                await entry.child.start()
            except (EmbeddedServerError, OSError) as error:
                _log.error(
                    "child not restarted", child=entry.name, error=str(error), retry_in=delay
                )
            else:
                entry.restarts += 1
                _log.info(
                    "child restarted", child=entry.name, pid=entry.child.pid, count=entry.restarts
                )
                return delay


class DataFolder:
    """The folder of one deployment: who uses it, and the ports that it keeps.

    The lock is the kernel's (`flock(2)`): it goes with the process that holds it, however that
    ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """Take the folder for this process, making it where it is missing.

        Raises:
            EmbeddedServerError: another process has it, which the message names.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / "ordermesh.lock").open("a+")
        except OSError as error:
            raise EmbeddedServerError(
                f"The data folder {self.path} cannot be used ({error.strerror}). Name one that"
                " this user may write to."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise EmbeddedServerError(
                f"The data folder {self.path} is in use by the process {holder}. Stop it (kill"
                f" {holder}), or name another folder with --data."
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._lock = file

    def release(self) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def port(self, name: str) -> int:
        """The port that `name` had before, or a free one, which is then remembered.

        A port that something else took meanwhile is given up for another.
        """
        ports = self._ports()
        port = ports.get(name)
        if port is not None and wait_for_port(port):
            return port
        new = free_port()
        while new in ports.values():
            new = free_port()
        if port is not None:
            _log.warning("port taken", owner=name, port=port, instead=new)
        ports[name] = new
        staged = self.path / "ports.json.new"
        staged.write_text(json.dumps(ports, indent=2) + "\n")
        staged.replace(self._ports_file)
        return new

    @property
    def _ports_file(self) -> Path:
        return self.path / "ports.json"

    def _ports(self) -> dict[str, int]:
        try:
            ports: dict[str, int] = json.loads(self._ports_file.read_text())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise EmbeddedServerError(
                f"{self._ports_file} is damaged ({error}). Remove it: new ports are chosen then."
            ) from error
        return ports
