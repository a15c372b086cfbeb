"""Child processes that never outlive their parent.

A child is started in a session of its own, so that Ctrl-C in a terminal reaches the parent only,
which then stops its children in order. When the parent dies, however it dies, the kernel kills the
child (Linux; `prctl(2)`, PR_SET_PDEATHSIG). The kernel looks at the thread that started the child:
start children from the main thread, or from one that lives as long.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

# Runs between fork and the real program, in a fresh interpreter: code run by `preexec_fn` can hang
# in a process with threads. The parent may have died before prctl: then nobody will send a signal.
_GUARD = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
try:
    os.execv(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""
_LOG_LIMIT = 10_000_000


class ChildProcess:
    """A program that can be started, waited for, stopped and started again.

    Args:
        argv: the program, as a path, and its arguments.
        log: the file that its output is appended to, beyond 10 MB moved to `<log>.1` at the next
            start; without one, output goes to this process's stderr.
        environment: variables to set on top of this process's.
        stop_limit: seconds from SIGTERM to SIGKILL.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        stop_limit: float = 10.0,
    ) -> None:
        self.argv = list(argv)
        self.log = log
        self.stop_limit = stop_limit
        self._environment = dict(environment or {})
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def returncode(self) -> int | None:
        """How the last run ended; negative for a signal, None while it runs."""
        return None if self._process is None else self._process.returncode

    async def start(self) -> None:
        """Start the program; returns at once.

        Raises:
            OSError: the log file cannot be written or the system starts no more processes.
        """
        argv = self.argv
        if sys.platform == "linux":
            argv = [sys.executable, "-I", "-S", "-c", _GUARD, str(os.getpid()), *argv]
        with contextlib.ExitStack() as files:
            output: IO[bytes] | int
            if self.log is None:
                output = sys.__stderr__.fileno() if sys.__stderr__ else subprocess.DEVNULL
            else:
                output = files.enter_context(_open_log(self.log))
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **self._environment},
                start_new_session=True,
            )

    async def wait(self) -> int:
        """Wait for the end of the current run and give its return code."""
        if self._process is None:
            raise RuntimeError("the process was never started")
        return await self._process.wait()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after the limit; returns when the process is gone."""
        if self.pid is None:
            return
        os.kill(self.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(self.wait(), self.stop_limit)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL to the process and its descendants; returns when it is gone."""
        self.send_kill()
        if self._process is not None:
            await self._process.wait()

    def send_kill(self) -> None:
        """SIGKILL to the process and its descendants, without waiting."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def log_tail(self, size: int = 2_000) -> str:
        """The end of the log file, whole lines, at most `size` bytes."""
        if self.log is None or not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - size))
            text = file.read().decode(errors="replace")
        return text if length <= size else text.partition("\n")[2]


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")
