"""What the embedded servers have in common."""

import abc
import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from shared.embedded.errors import EmbeddedServerError
from shared.embedded.ports import LOOPBACK, wait_for_port
from shared.embedded.process import ChildProcess


class EmbeddedServer(abc.ABC):
    """A server on a loopback port, with all its files in one data folder.

    An async context manager. It may be started again after `stop()` or after its process died, by
    this object or by a new one on the same folder.

    Args:
        data: the folder, made when missing.
        port: the port to listen on; a folder may be opened again with another one.
    """

    name: ClassVar[str]
    # What the server writes when another process holds its data folder.
    lock_messages: ClassVar[tuple[str, ...]]
    # Words in the log that name a cause, with what to do about it.
    remedies: ClassVar[Mapping[str, str]] = {}
    start_limit: ClassVar[float] = 90.0

    def __init__(self, data: Path, port: int) -> None:
        self.data = data.absolute()
        self.port = port
        self.address = f"{LOOPBACK}:{port}"
        self._log_start = 0
        self._process: ChildProcess | None = None

    @property
    def process(self) -> ChildProcess:
        """The child.

        Raises:
            RuntimeError: the server was never started.
        """
        if self._process is None:
            raise RuntimeError(f"the embedded {self.name} was never started")
        return self._process

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start the server; returns when it answers.

        Raises:
            EmbeddedServerError: it cannot be started; the message says what to do.
        """
        if self.pid is not None:
            raise RuntimeError(f"the embedded {self.name} runs already")
        try:
            self.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedServerError(
                f"The data folder {self.data} of the embedded {self.name} cannot be made"
                f" ({error.strerror}). Name one that this user may write to."
            ) from error
        process = await self.prepare()
        if not await asyncio.to_thread(wait_for_port, self.port):
            raise EmbeddedServerError(
                f"The embedded {self.name} cannot listen on {self.address}: the port is taken."
                " Stop what listens there, or name another port."
            )
        self._process = process
        log = process.log
        self._log_start = log.stat().st_size if log is not None and log.exists() else 0
        await process.start()
        try:
            await self._await_answer()
        except BaseException:
            await process.kill()
            raise

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after a limit; returns when the process is gone."""
        if self._process is not None:
            await self._process.stop()

    async def wait(self) -> int:
        """Wait for the server's process to end; gives its return code."""
        return await self.process.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @abc.abstractmethod
    async def prepare(self) -> ChildProcess:
        """Make the data folder ready and give the process to start."""

    @abc.abstractmethod
    async def answers(self) -> bool:
        """Whether the server does its work; asked again until it says so."""

    async def _await_answer(self) -> None:
        deadline = time.monotonic() + self.start_limit
        while True:
            if self.process.pid is None:
                raise self._failure(f"ended with code {self.process.returncode} while starting")
            if await self._listens() and await self.answers():
                return
            if time.monotonic() > deadline:
                raise self._failure(f"did not answer within {self.start_limit:.0f} s")
            await asyncio.sleep(0.05)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            return False
        writer.close()
        return True

    def _failure(self, what: str) -> EmbeddedServerError:
        tail = self.process.log_tail()
        log = self.process.log
        said = "" if log is None or not log.exists() else _from(log, self._log_start)
        advice = next((text for words, text in self.remedies.items() if words in said), None)
        if advice is None and any(words in said for words in self.lock_messages):
            advice = (
                f"Another process uses the data folder {self.data}: stop it, or name another"
                " folder."
            )
        message = f"The embedded {self.name} {what}."
        if advice is not None:
            return EmbeddedServerError(f"{message} {advice}")
        return EmbeddedServerError(f"{message} The end of its log, {log}:\n{tail}")


def _from(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read(1_000_000).decode(errors="replace")
