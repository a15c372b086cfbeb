"""Real servers that notifications arrive at: HTTP and SMTP, on loopback."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult


@dataclass(frozen=True)
class Request:
    """One HTTP request as it arrived; header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


Answer = Callable[[Request], Awaitable[tuple[int, Mapping[str, str]]]]
"""What a path answers: status and headers. It may take its time."""


async def accept(request: Request) -> tuple[int, Mapping[str, str]]:
    return 200, {}


@dataclass
class HttpReceiver:
    """Records every request; ``answers`` say by path what comes back, 200 where none does.
    ``taken`` are those that were answered with success."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    taken: list[Request] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    connections: int = 0
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def taken_at(self, path: str) -> list[Request]:
        return [request for request in self.taken if request.path == path]

    def forget(self) -> None:
        self.requests.clear()
        self.taken.clear()

    async def wait_for(self, count: int, path: str = "/", limit: float = 5.0) -> list[Request]:
        """The requests at ``path`` once there are ``count``; TimeoutError after ``limit`` s."""
        async with asyncio.timeout(limit), self._arrived:
            await self._arrived.wait_for(lambda: len(self.at(path)) >= count)
        return self.at(path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = await _read(reader)
                self.requests.append(request)
                async with self._arrived:
                    self._arrived.notify_all()
                status, headers = await self.answers.get(request.path, accept)(request)
                if 200 <= status < 300:
                    self.taken.append(request)
                lines = [f"HTTP/1.1 {status} Answer", "Content-Length: 0"]
                lines += [f"{name}: {value}" for name, value in headers.items()]
                writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
                await writer.drain()
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {}
    for line in head[1:-2]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(head[0].split(" ")[1], headers, body, asyncio.get_running_loop().time())


@asynccontextmanager
async def http_receiver(tls: ssl.SSLContext | None = None) -> AsyncIterator[HttpReceiver]:
    receiver = HttpReceiver()
    busy: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        busy.add(task)
        try:
            # Ends quietly with the server, whatever still hangs.
            with contextlib.suppress(asyncio.CancelledError):
                await receiver.serve(reader, writer)
        finally:
            busy.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in list(busy):
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


@dataclass
class MailReceiver:
    """A mail server's inside: keeps the mails, refuses ``refused`` mailboxes with 550."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    connections: int = 0
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def forget(self) -> None:
        self.mails.clear()
        self.recipients.clear()

    async def wait_for(self, count: int, limit: float = 5.0) -> list[EmailMessage]:
        """All mails once there are ``count``; TimeoutError after ``limit`` seconds."""
        async with asyncio.timeout(limit), self._arrived:
            await self._arrived.wait_for(lambda: len(self.mails) >= count)
        return self.mails

    # The names are aiosmtpd's.
    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return f"550 5.1.1 <{address}>: no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        async with self._arrived:
            self._arrived.notify_all()
        return "250 OK"


@asynccontextmanager
async def mail_receiver(*, login: bool = False) -> AsyncIterator[MailReceiver]:
    """A mail server; with ``login`` one that takes any user and password, unencrypted."""
    receiver = MailReceiver()
    loop = asyncio.get_running_loop()

    def connect() -> SMTP:
        receiver.connections += 1
        if not login:
            return SMTP(receiver, hostname="mail.test", loop=loop)
        return SMTP(
            receiver,
            hostname="mail.test",
            loop=loop,
            authenticator=lambda *_: AuthResult(success=True),
            auth_require_tls=False,
        )

    server = await loop.create_server(connect, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
