"""The senders against servers that encrypt."""

import datetime
import ssl
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo.asynchronous.database import AsyncDatabase

from services.notifications.domain import Missed, Sent
from services.notifications.subscriptions import Subscriptions
from services.notifications.webhooks import WebhookSender
from shared.aggregates import Aggregate
from shared.clock import utc_now
from shared.contracts.catalog import Webhook
from shared.guard import Guard
from shared.mail.smtp import MailNotTaken, MailServer, SmtpPool
from shared.mongo.aggregates import MongoAggregateStore
from tests.support.receivers import HttpReceiver, http_receiver, mail_receiver
from tests.unit.notifications.builders import delivery, webhook

_HOST = "hooks.ordermesh.test"


async def to_loopback(host: str, port: int) -> list[str]:
    """Resolves every name to this machine."""
    return ["127.0.0.1"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for hooks.ordermesh.test, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _HOST)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
async def receiver(certificate: Path) -> AsyncIterator[HttpReceiver]:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    async with http_receiver(tls) as running:
        yield running


async def sender_for(
    database: AsyncDatabase[dict[str, Any]], url: str, certificate: Path
) -> WebhookSender:
    store = MongoAggregateStore(database, "webhooks", Webhook)
    await store.save([Aggregate("hook", state=webhook(url=url))])
    return WebhookSender(
        Subscriptions(store),
        Guard(to_loopback, allow_private=True),
        utc_now,
        allow_private=True,
        tls=ssl.create_default_context(cafile=certificate),
    )


async def test_the_name_stays_what_the_certificate_and_the_host_header_say(
    database: AsyncDatabase[dict[str, Any]], receiver: HttpReceiver, certificate: Path
) -> None:
    sender = await sender_for(database, f"https://{_HOST}:{receiver.port}/", certificate)

    outcome = await sender.send("d-1", delivery())
    await sender.close()

    assert outcome == Sent()
    assert receiver.requests[0].headers["host"] == f"{_HOST}:{receiver.port}"


async def test_a_certificate_for_another_name_is_not_accepted(
    database: AsyncDatabase[dict[str, Any]], receiver: HttpReceiver, certificate: Path
) -> None:
    sender = await sender_for(database, f"https://other.test:{receiver.port}/", certificate)

    outcome = await sender.send("d-1", delivery())
    await sender.close()

    assert outcome == Missed("no HTTP answer (ConnectError)")
    assert receiver.requests == []


async def test_a_password_is_not_sent_without_encryption() -> None:
    async with mail_receiver() as mailbox:
        server = MailServer("mail.ordermesh.test", mailbox.port, tls=False, user="u", password="p")
        pool = SmtpPool(server, Guard(to_loopback, allow_private=True))

        with pytest.raises(MailNotTaken, match="offers no encryption") as refused:
            await pool.send("a@shop.example", "b@shop.example", EmailMessage())

        await pool.close()
    assert refused.value.server_down
    assert mailbox.mails == []
