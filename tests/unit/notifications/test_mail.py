"""What the e-mails say, and that nothing gets into them that should not."""

from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from services.notifications.domain import Channel
from services.notifications.mail import MailRenderer, compose, money_text
from shared.contracts.orders import OrderEvent
from shared.mail.addresses import mailbox
from shared.mail.sender import MailFrom
from shared.mail.smtp import MailServer
from tests.unit.notifications.builders import delivery, notice, order_body

_RENDERER = MailRenderer()


def _event(**given: object) -> OrderEvent:
    return OrderEvent.model_validate(order_body(**given))  # type: ignore[arg-type]


def test_the_text_of_a_submitted_order() -> None:
    rendered = _RENDERER.render("OrderSubmitted", _event())

    assert rendered.subject == "We have received your order o-1"
    assert rendered.text == (
        "Hello Ada Lovelace,\n"
        "\n"
        "thank you for your order. We have received it and are getting it ready.\n"
        "\n"
        "Order o-1\n"
        "\n"
        "3 x Bolt, large at 400.00 USD: 1,200.50 USD\n"
        "\n"
        "Subtotal: 1,200.50 USD\n"
        "Discount: -5.00 USD\n"
        "Shipping: 10.00 USD\n"
        "Tax: 0.25 USD\n"
        "Total: 1,205.75 USD\n"
    )


def test_the_text_of_a_shipment() -> None:
    rendered = _RENDERER.render("OrderShipmentsChanged", _event(shipment=notice()))

    assert rendered.subject == "A shipment of your order o-1 is on its way"
    assert rendered.text == (
        "Hello Ada Lovelace,\n"
        "\n"
        "a shipment of your order left on 2026-01-05.\n"
        "Carrier: UPS\n"
        "Tracking number: 1Z999\n"
        "\n"
        "Order o-1\n"
        "\n"
        "Bolt, large: 2 of 3 shipped\n"
        "\n"
        "Total of the order: 1,205.75 USD\n"
    )
    assert "Tracking number: <strong>1Z999</strong>" in rendered.html


def test_a_canceled_order_says_why() -> None:
    rendered = _RENDERER.render("OrderCanceled", _event(Comments="changed my mind"))

    assert "your order has been canceled.\n\nReason: changed my mind\n" in rendered.text
    assert "<p>Reason: changed my mind</p>" in rendered.html


def test_a_completed_order() -> None:
    rendered = _RENDERER.render("OrderCompleted", _event())

    assert rendered.subject == "Your order o-1 is complete"
    assert "your order is complete" in rendered.html


@pytest.mark.parametrize(
    "kind", ["OrderSubmitted", "OrderCanceled", "OrderCompleted", "OrderShipmentsChanged"]
)
def test_what_buyers_and_sellers_wrote_is_escaped(kind: str) -> None:
    evil = "<script>alert('1')</script>"
    body = order_body(shipment={**notice(), "TrackingNumber": evil}, Comments=evil)
    body["Order"]["FromUser"]["FirstName"] = evil
    body["LineItems"][0]["Product"]["Name"] = evil

    rendered = _RENDERER.render(kind, OrderEvent.model_validate(body))

    assert "<script" not in rendered.html
    assert rendered.html.count("&lt;script&gt;") >= 2


def test_an_order_with_bare_lines_can_be_told() -> None:
    lines = [{"ID": "1", "ProductID": "bolt", "Quantity": 1}]
    body = order_body(lines=lines)
    del body["Order"]["FromUser"]

    rendered = _RENDERER.render("OrderSubmitted", OrderEvent.model_validate(body))

    assert rendered.text.startswith("Hello,\n")
    assert "1 x bolt: 0.00 USD\n" in rendered.text


def test_amounts_have_their_currencys_decimals() -> None:
    assert money_text(Decimal("1234.5"), "USD") == "1,234.50 USD"
    assert money_text(Decimal(1234), "JPY") == "1,234 JPY"
    assert money_text(Decimal("1.5"), "KWD") == "1.500 KWD"


def _composed(sender: str = "Ordermesh <orders@shop.example>") -> EmailMessage:
    rendered = _RENDERER.render("OrderSubmitted", _event())
    mail = compose(
        "d-1", delivery(channel=Channel.EMAIL), "ada@example.com", MailFrom.parse(sender), rendered
    )
    parsed = message_from_bytes(bytes(mail), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_the_headers_of_a_mail() -> None:
    mail = _composed()

    assert mail["From"] == "Ordermesh <orders@shop.example>"
    assert mail["To"] == "ada@example.com"
    assert mail["Message-ID"] == "<d-1@shop.example>"
    assert mail["X-Ordermesh-Notification"] == "d-1"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_a_sender_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="ORDERMESH_MAIL_FROM"):
        MailFrom.parse("Ordermesh")


@pytest.mark.parametrize(
    "address",
    ["a@b\r\nBcc: c@d.example", "a b@c.example", "a@b@c.example", "@c.example", "a@",
     "a@-c.example",
     "a@c..example", "<a@c.example>", "a@c.example,b@c.example", '"a b"@c.example', "a" * 65 + "@c",
     ".a@c.example", "ä@c.example", "a@c.example\0", "a@[127.0.0.1]"],
)  # fmt: skip
def test_what_is_no_address_is_none(address: str) -> None:
    assert mailbox(address) is None


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        (" ada@example.com ", "ada@example.com"),
        ("a.b+c@localhost", "a.b+c@localhost"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_addresses_are_taken(address: str, taken: str) -> None:
    assert mailbox(address) == taken


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", MailServer("mail.example", 587, tls=False)),
        ("smtp://mail.example:25", MailServer("mail.example", 25, tls=False)),
        ("smtps://mail.example", MailServer("mail.example", 465, tls=True)),
        (
            "smtp://us%40er:p%3Aw@mail.example:2525",
            MailServer("mail.example", 2525, tls=False, user="us@er", password="p:w"),
        ),
    ],
)
def test_the_mail_servers_url(url: str, server: MailServer) -> None:
    assert MailServer.parse(url) == server


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtp://a:b"])
def test_a_bad_url_of_the_mail_server_is_explained_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^ORDERMESH_SMTP is not understood") as refused:
        MailServer.parse(url)

    assert url not in str(refused.value).replace("smtp://USER", "")


def test_the_password_is_not_shown() -> None:
    assert "hush" not in repr(MailServer.parse("smtp://user:hush@mail.example"))
