"""Talking by lines with processes that measure: through their standard input and output."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from services.checks import DeploymentError

_END_SECONDS = 60.0


@asynccontextmanager
async def child(
    *command: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is told what to do by lines, and ends when its standard input does. It is
    killed where that is not waited for."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
        env=environment,
    )
    try:
        yield process
        if process.stdin is not None:
            process.stdin.close()
        await asyncio.wait_for(process.wait(), _END_SECONDS)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def tell(process: asyncio.subprocess.Process, line: str) -> None:
    if process.stdin is not None:
        process.stdin.write(line.encode() + b"\n")
        await process.stdin.drain()


async def answers(processes: Sequence[asyncio.subprocess.Process]) -> list[bytes]:
    """The next line of each. Raises DeploymentError when one has ended instead."""
    return list(await asyncio.gather(*map(_answer, processes)))


async def _answer(process: asyncio.subprocess.Process) -> bytes:
    line = await process.stdout.readline() if process.stdout is not None else b""
    if not line:
        raise DeploymentError("What measures ended early; its own lines on stderr say why.")
    return line
