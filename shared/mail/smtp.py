"""The mail server: its URL, and a few connections that carry one mail after the other."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import unquote, urlsplit

import aiosmtplib

from shared.guard import Guard

_CONNECT_SECONDS = 3.0
_COMMAND_SECONDS = 10.0
_FRESH_SECONDS = 5.0
_IDLE_SECONDS = 30.0
_MAILS_A_CONNECTION = 100


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in. ``tls``: encrypted from the first byte on, otherwise as soon as
    the server offers it."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> "MailServer":
        """Reads ``smtp://[USER:PASSWORD@]HOST[:PORT]`` or ``smtps://…``; ports are 587 and 465
        where none is given. Raises ValueError, which does not repeat the URL."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError(
                "ORDERMESH_SMTP is not understood; set smtp://USER:PASSWORD@HOST:PORT, "
                "smtps://…, discard: or nothing"
            )
        tls = parts.scheme == "smtps"
        return cls(
            parts.hostname,
            port or (465 if tls else 587),
            tls,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


class MailRefused(Exception):
    """The server will never take this mail, or not for this mailbox (an answer 5xx)."""


class MailNotTaken(Exception):
    """The mail was not taken now. ``server_down``: it is the server's fault, not the mail's."""

    def __init__(self, reason: str, *, server_down: bool) -> None:
        super().__init__(reason)
        self.server_down = server_down


@dataclass(slots=True)
class _Connection:
    client: aiosmtplib.SMTP
    used_at: float
    mails: int = 0


class SmtpPool:
    """Connections to one mail server, as many as are used at once; each is kept for the next
    mails. ``cleartext_login``: the password may go over an unencrypted connection."""

    def __init__(self, server: MailServer, guard: Guard, *, cleartext_login: bool = False) -> None:
        self._server = server
        self._guard = guard
        self._cleartext_login = cleartext_login
        self._idle: list[_Connection] = []

    async def send(self, sender: str, recipient: str, mail: Message) -> None:
        """Hands in ``mail``. Raises :class:`MailRefused` and :class:`MailNotTaken`, and the
        guard's AddressRefused."""
        try:
            async with self._connection() as connection:
                await connection.client.send_message(mail, sender=sender, recipients=[recipient])
                connection.mails += 1
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            raise _judged(refusal.code, refusal.message) from error
        except aiosmtplib.SMTPDataError as error:
            raise _judged(error.code, error.message) from error
        except aiosmtplib.SMTPResponseException as error:
            # Greeting, login and sender: what they refuse is the set-up, not the mail.
            raise MailNotTaken(_answer(error.code, error.message), server_down=True) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            reason = f"no connection to the mail server ({type(error).__name__})"
            raise MailNotTaken(reason, server_down=True) from error

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            await _quit(connection.client)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[_Connection]:
        connection = await self._take()
        try:
            yield connection
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError):
            # The server answered and waits for the next mail.
            self._keep(connection)
            raise
        except BaseException:
            connection.client.close()
            raise
        self._keep(connection)

    def _keep(self, connection: _Connection) -> None:
        connection.used_at = _now()
        if connection.mails < _MAILS_A_CONNECTION and connection.client.is_connected:
            self._idle.append(connection)
        else:
            connection.client.close()

    async def _take(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if await _usable(connection):
                return connection
            connection.client.close()
        return _Connection(await self._connect(), _now())

    async def _connect(self) -> aiosmtplib.SMTP:
        server = self._server
        # No login on connect: first it must be known whether the connection is encrypted.
        client = aiosmtplib.SMTP(
            hostname=server.host,
            sock=await self._socket(),
            use_tls=server.tls,
            timeout=_COMMAND_SECONDS,
            local_hostname="ordermesh.invalid",
        )
        await client.connect()
        if server.user is not None:
            try:
                await self._login(client, server.user, server.password or "")
            except BaseException:
                client.close()
                raise
        return client

    async def _login(self, client: aiosmtplib.SMTP, user: str, password: str) -> None:
        encrypted = client.get_transport_info("sslcontext") is not None
        if not encrypted and not self._cleartext_login:
            raise MailNotTaken(
                "the mail server offers no encryption, so the password is not sent; use smtps://",
                server_down=True,
            )
        await client.login(user, password)

    async def _socket(self) -> socket.socket:
        failure: OSError | None = None
        for address in await self._guard.addresses(self._server.host, self._server.port):
            try:
                return await _open(address, self._server.port)
            except OSError as error:
                failure = error
        assert failure is not None, "a guard gives at least one address"  # noqa: S101
        raise failure


async def _open(address: str, port: int) -> socket.socket:
    """A connection to a numeric address."""
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(kind, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        async with asyncio.timeout(_CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(opened, (address, port))
    except BaseException:
        opened.close()
        raise
    return opened


async def _usable(connection: _Connection) -> bool:
    """Whether a kept connection still works; servers drop those that say nothing."""
    idle = _now() - connection.used_at
    if not connection.client.is_connected or idle > _IDLE_SECONDS:
        return False
    if idle < _FRESH_SECONDS:
        return True
    try:
        await connection.client.noop()
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True


async def _quit(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(1):
            await client.quit()
    client.close()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _judged(code: int, message: str) -> Exception:
    answer = _answer(code, message)
    if 500 <= code < 600:
        return MailRefused(answer)
    # 421 is the server going away; other 4xx are about this mailbox or mail.
    return MailNotTaken(answer, server_down=code == aiosmtplib.SMTPStatus.domain_unavailable)


def _answer(code: int, message: str) -> str:
    """A server's answer without the addresses that it may repeat."""
    text = re.sub(r"\S*@\S*", "[address]", " ".join(message.split()))
    return f"SMTP {code}: {text[:200]}"
