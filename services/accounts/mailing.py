"""Mails of the accounts service: plain text, sent in the background."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from datetime import datetime
from email.message import Message
from email.mime.text import MIMEText
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.guard import AddressRefused, Guard, Resolver
from shared.logs import told
from shared.mail.addresses import mailbox
from shared.mail.sender import MailFrom
from shared.mail.smtp import MailNotTaken, MailRefused, MailServer, SmtpPool
from shared.messaging.faults import INFRASTRUCTURE_FAULTS
from shared.settings import Settings

log = structlog.get_logger()

_DISCARD = "discard:"
_WAITS = (1.0, 5.0, 20.0)
"""Seconds before a mail that was not taken is handed in again."""


class Mailer(Protocol):
    """Sends mails."""

    async def send(self, recipient: str, mail: Message) -> None:
        """Hands ``mail`` in, trying for a while. What cannot be sent is logged, without the
        address."""
        ...

    async def close(self) -> None: ...


class Discarding:
    """Sends nothing."""

    async def send(self, recipient: str, mail: Message) -> None:
        log.info("mail_discarded")

    async def close(self) -> None:
        """There is nothing to close."""


class SmtpMailer:
    """Hands mails to a mail server."""

    def __init__(self, pool: SmtpPool, sender: MailFrom, resolver: Resolver) -> None:
        self._pool = pool
        self._sender = sender
        self._resolver = resolver

    async def send(self, recipient: str, mail: Message) -> None:
        for wait in (*_WAITS, None):
            try:
                await self._pool.send(self._sender.address, recipient, mail)
            except MailRefused as error:
                log.warning("mail_refused", reason=str(error))
                return
            except (MailNotTaken, AddressRefused) as error:
                log.warning("mail_not_taken", reason=str(error), again=wait is not None)
                if wait is not None:
                    await asyncio.sleep(wait)
            else:
                return

    async def close(self) -> None:
        await self._pool.close()
        self._resolver.close()


def mailer_of(settings: Settings) -> Mailer | None:
    """What sends mails by these settings, or None where they name no mail server. Raises
    ValueError for a mail server or a sender that is not understood."""
    url = settings.smtp.get_secret_value()
    if not url:
        return None
    if url == _DISCARD:
        return Discarding()
    resolver = Resolver(threads=2)
    private = settings.allow_private_targets
    guard = Guard(resolver, allow_private=private)
    pool = SmtpPool(MailServer.parse(url), guard, cleartext_login=private)
    return SmtpMailer(pool, MailFrom.parse(settings.mail_from), resolver)


class Letters:
    """Makes mails of templates."""

    def __init__(self, sender: str) -> None:
        self._sender = MailFrom.parse(sender)
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=False,  # noqa: S701 - plain text, which has nothing to escape
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def write(
        self, template: str, subject: str, address: str, now: datetime, **values: Any
    ) -> tuple[str, Message] | None:
        """The mailbox and the mail; None where ``address`` is no mailbox. ``now`` is in UTC."""
        recipient = mailbox(address)
        if recipient is None:
            return None
        text = self._templates.get_template(f"{template}.txt.j2").render(values)
        mail = MIMEText(text, "plain", "us-ascii" if text.isascii() else "utf-8")
        mail["From"] = self._sender.header
        mail["To"] = recipient
        mail["Subject"] = subject
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{uuid4().hex}@{self._sender.address.rpartition('@')[2]}>"
        # RFC 3834: keeps autoresponders from answering.
        mail["Auto-Submitted"] = "auto-generated"
        return recipient, mail


Errand = Callable[[], Coroutine[Any, Any, None]]


class Background:
    """Does errands after their requests were answered, a few at a time."""

    def __init__(self, *, at_once: int = 4, waiting: int = 500) -> None:
        self._errands: asyncio.Queue[Errand] = asyncio.Queue(waiting)
        self._at_once = at_once

    def take(self, errand: Errand) -> bool:
        """Whether there was room for it."""
        with contextlib.suppress(asyncio.QueueFull):
            self._errands.put_nowait(errand)
            return True
        return False

    async def run(self) -> None:
        """Does them until cancelled."""
        await asyncio.gather(*(self._work() for _ in range(self._at_once)))

    async def work_off(self) -> None:
        """Does those that wait now."""
        while not self._errands.empty():
            await self._do(self._errands.get_nowait())

    async def _work(self) -> None:
        while True:
            await self._do(await self._errands.get())

    @staticmethod
    async def _do(errand: Errand) -> None:
        try:
            await errand()
        except INFRASTRUCTURE_FAULTS as error:
            log.warning("errand_failed", error=told(error))
        except Exception:
            # The request was answered; nobody but the log can be told, and the next waits.
            log.exception("errand_defect")
