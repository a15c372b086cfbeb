"""Serving an application beside other work, in a process that has its own order of stopping."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn


class CannotListen(RuntimeError):
    """The address is taken, or not this machine's."""


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, which would take signals away from the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any, host: str, port: int) -> AsyncIterator[None]:
    """Serves an ASGI ``app`` while it is entered. Raises :class:`CannotListen`."""
    server = _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
    )
    task = asyncio.create_task(_serve(server), name=f"http {host}:{port}")
    while not server.started:
        if task.done():
            raise CannotListen(f"cannot listen on {host}:{port}")
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def _serve(server: uvicorn.Server) -> None:
    try:
        await server.serve()
    except SystemExit:
        # How uvicorn ends when it cannot listen; left alone, it would end the whole process.
        return
