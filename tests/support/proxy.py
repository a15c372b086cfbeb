"""A TCP proxy that can keep a server's answers from its clients: what they asked for is done, and
they do not hear of it."""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.embedded import free_port
from shared.embedded.ports import LOOPBACK

_AT_ONCE = 256 * 1024


def mongodb_write(request: bytes) -> bool:
    """Whether a request to MongoDB inserts or updates: the command's name is its first field."""
    return b"\x02insert\x00" in request or b"\x02update\x00" in request


def kafka_produce(request: bytes) -> bool:
    """Whether a request to Kafka brings records: behind its length stands what is asked, 0."""
    return request[4:6] == b"\x00\x00"


@dataclass(eq=False)
class _Connection:
    """One client's connection and the one to the server that belongs to it. ``asks``: a write was
    forwarded and not answered yet. ``deaf``: no answer reaches the client any more, which could
    not tell it from one that it missed."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    asks: bool = False
    deaf: bool = False

    def cut(self) -> None:
        for writer in (self.client, self.server):
            writer.transport.abort()


@dataclass
class Proxy:
    """Forwards what comes to ``address`` to ``target``, a port of this machine.

    After :meth:`mute` requests go through as before, on new connections too, and whatever the
    server says is dropped, until :meth:`heal`. :meth:`cut_write` does it to a single write.
    """

    target: int
    is_write: Callable[[bytes], bool]
    port: int = field(default_factory=free_port)
    unheard: int = 0
    """How many writes the server has answered of which the client did not hear."""
    _mute: bool = False
    _wanted: re.Pattern[bytes] | None = None
    _connections: set[_Connection] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _listening: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        self._listening = await asyncio.start_server(self._serve, LOOPBACK, self.port)

    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def mute(self) -> None:
        """From now on no answer comes back."""
        self._mute = True

    def heal(self) -> None:
        """Answers come back again, to clients that missed one on new connections."""
        self._mute = False
        for connection in self._connections:
            if connection.deaf:
                connection.cut()

    async def cut_write(self, service: str, limit: float = 60.0) -> None:
        """Lets the next write of ``service`` through, and cuts its connection when the server has
        carried it out, instead of the answer."""
        # Both protocols name who asks: by the database, or by the client's ID.
        self._wanted = re.compile(rf"ordermesh[-_]{service}".encode())
        wanted = self.unheard + 1
        async with asyncio.timeout(limit), self._news:
            await self._news.wait_for(lambda: self.unheard >= wanted)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # Ends quietly: with the server, which may be down, or with the proxy.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                answers, server = await asyncio.open_connection(LOOPBACK, self.target)
                await self._forward(reader, answers, _Connection(writer, server))
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _forward(
        self,
        requests: asyncio.StreamReader,
        answers: asyncio.StreamReader,
        connection: _Connection,
    ) -> None:
        self._connections.add(connection)
        asking = asyncio.create_task(self._requests(requests, connection))
        try:
            await self._answers(answers, connection)
        finally:
            self._connections.discard(connection)
            connection.cut()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _requests(self, reader: asyncio.StreamReader, connection: _Connection) -> None:
        with contextlib.suppress(OSError):
            while request := await reader.read(_AT_ONCE):
                if self.is_write(request):
                    connection.asks = True
                    if self._wanted is not None and self._wanted.search(request):
                        connection.deaf, self._wanted = True, None
                connection.server.write(request)
                await connection.server.drain()
            # The client hung up: the server hears that behind what was asked.
            connection.server.write_eof()

    async def _answers(self, reader: asyncio.StreamReader, connection: _Connection) -> None:
        while answer := await reader.read(_AT_ONCE):
            if self._mute or connection.deaf:
                connection.deaf = True
                self.unheard += connection.asks
                async with self._news:
                    self._news.notify_all()
                if not self._mute:
                    return
            else:
                connection.client.write(answer)
                await connection.client.drain()
            connection.asks = False
