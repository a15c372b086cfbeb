"""E-mails to buyers: rendered from the whole event, handed to the mail server."""

from dataclasses import dataclass
from decimal import Decimal
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError

from services.notifications.domain import Delivery, Missed, Outcome, Refused, Sent
from shared.contracts.orders import OrderEvent
from shared.contracts.registry import (
    ORDER_APPROVED,
    ORDER_CANCELED,
    ORDER_COMPLETED,
    ORDER_SHIPMENTS_CHANGED,
    ORDER_SUBMITTED,
)
from shared.guard import AddressRefused
from shared.mail.addresses import mailbox
from shared.mail.sender import MailFrom
from shared.mail.smtp import MailNotTaken, MailRefused, SmtpPool
from shared.money import decimals_of


@dataclass(frozen=True, slots=True)
class Letter:
    """One kind of e-mail: the name of its templates, and its subject."""

    template: str
    subject: str


LETTERS = {
    ORDER_SUBMITTED.name: Letter("submitted", "We have received your order {id}"),
    ORDER_APPROVED.name: Letter("submitted", "We have received your order {id}"),
    ORDER_CANCELED.name: Letter("canceled", "Your order {id} has been canceled"),
    ORDER_COMPLETED.name: Letter("completed", "Your order {id} is complete"),
    ORDER_SHIPMENTS_CHANGED.name: Letter("shipped", "A shipment of your order {id} is on its way"),
}
"""The e-mails by the event that calls for them."""


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        # The text parts are no HTML; every other template is escaped.
        autoescape=lambda name: name is None or not name.endswith(".txt.j2"),  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["money"] = money_text
    return environment


def money_text(amount: Decimal, currency: str) -> str:
    """``1234.5`` US dollars as ``1,234.50 USD``."""
    return f"{amount:,.{decimals_of(currency)}f} {currency}"


class MailRenderer:
    """Makes subject, text and HTML of an order's event."""

    def __init__(self) -> None:
        self._templates = _environment()

    def render(self, event_type: str, event: OrderEvent) -> Rendered:
        letter = LETTERS[event_type]
        values = {
            "order": event.order,
            "lines": event.line_items,
            "shipment": event.shipment,
            "comments": event.comments,
            "name": _name(event),
        }
        return Rendered(
            letter.subject.format(id=event.order.id),
            self._templates.get_template(f"{letter.template}.txt.j2").render(values),
            self._templates.get_template(f"{letter.template}.html.j2").render(values),
        )


def _name(event: OrderEvent) -> str:
    user = event.order.from_user
    if user is None:
        return ""
    return " ".join(part for part in (user.first_name, user.last_name) if part)


def compose(
    id: str, delivery: Delivery, recipient: str, sender: MailFrom, rendered: Rendered
) -> Message:
    """The mail of one delivery. Its Message-ID is made of the delivery's ID, so that a mail
    program that gets it twice can tell.

    Made of MIME parts, in a tenth of the time that EmailMessage takes to parse its headers. Those
    are safe as they are: IDs, addresses that were checked, and the deployment's own sender.
    """
    mail = MIMEMultipart("alternative")
    mail["From"] = sender.header
    mail["To"] = recipient
    mail["Subject"] = rendered.subject
    mail["Date"] = format_datetime(delivery.created)
    mail["Message-ID"] = f"<{id}@{sender.address.rpartition('@')[2]}>"
    mail["X-Ordermesh-Notification"] = id
    # RFC 3834: keeps autoresponders from answering.
    mail["Auto-Submitted"] = "auto-generated"
    mail.attach(_part(rendered.text, "plain"))
    mail.attach(_part(rendered.html, "html"))
    return mail


def _part(content: str, subtype: str) -> MIMEText:
    # ASCII goes as it is, readable in any program; the rest as base64. A line may have 998
    # characters (RFC 5322).
    plain = content.isascii() and max(map(len, content.splitlines()), default=0) <= 998
    return MIMEText(content, subtype, "us-ascii" if plain else "utf-8")


class MailSender:
    """Sends the e-mail of a delivery."""

    def __init__(self, pool: SmtpPool, sender: MailFrom, renderer: MailRenderer) -> None:
        self._pool = pool
        self._sender = sender
        self._renderer = renderer

    async def send(self, id: str, delivery: Delivery) -> Outcome:
        recipient = mailbox(delivery.address)
        if recipient is None or delivery.body is None:
            return Refused("the delivery has no usable address")
        try:
            event = OrderEvent.model_validate_json(delivery.body)
        except ValidationError:
            return Refused(f"the event is no {delivery.event_type}; no e-mail can be made of it")
        rendered = self._renderer.render(delivery.event_type, event)
        mail = compose(id, delivery, recipient, self._sender, rendered)
        try:
            await self._pool.send(self._sender.address, recipient, mail)
        except MailRefused as error:
            return Refused(str(error))
        except MailNotTaken as error:
            return Missed(str(error), target_down=error.server_down)
        except AddressRefused as error:
            return Missed(str(error))
        return Sent()

    async def close(self) -> None:
        await self._pool.close()
