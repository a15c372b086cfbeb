"""Webhook requests and what a webhook must be."""

import base64
import hashlib
import hmac
import json

import pytest

from services.notifications.rules import fold_webhook, webhook_errors
from services.notifications.signing import signature, signatures
from services.notifications.webhooks import webhook_body
from shared.contracts.orders import CommandRejected
from shared.contracts.registry import COMMAND_REJECTED, WEBHOOK
from tests.support.fakes import START, message
from tests.unit.notifications.builders import delivery, webhook


def test_the_signature_is_the_base64_of_the_hmac() -> None:
    # RFC 4231, test case 2.
    expected = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")

    assert base64.b64decode(signature("Jefe", b"what do ya want for nothing?")) == expected


def test_two_keys_make_two_signatures() -> None:
    def of(key: str) -> str:
        digest = hmac.new(key.encode(), b"body", hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    assert signatures(["old"], b"body") == {"X-oc-hash": of("old")}
    assert signatures(["old", "nëw"], b"body") == {
        "X-oc-hash": of("old"),
        "X-oc-hash-next": of("nëw"),
    }


def test_the_body_carries_the_event_as_it_came() -> None:
    raw = '{"Order":{"ID":"o-1","Total":10.10},  "xp": {"é":1e2}}'

    body = webhook_body("d-1", delivery(body=raw))

    assert raw.encode() in body
    assert json.loads(body) == {
        "ID": "d-1",
        "Type": "OrderSubmitted",
        "Time": START.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "OrderID": "o-1",
        "Data": json.loads(raw),
    }


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/", "Webhook.UrlSchemeHttps"),
        ("ftp://hooks.example.com/", "Webhook.UrlSchemeHttps"),
        ("file://host/etc/passwd", "Webhook.UrlSchemeHttps"),
        ("hooks.example.com", "ValidationFailure"),
        ("https://", "ValidationFailure"),
        ("https:///path", "ValidationFailure"),
        ("https://user:secret@hooks.example.com/", "ValidationFailure"),
        ("https://user@hooks.example.com/", "ValidationFailure"),
        ("https://hooks.example.com:99999/", "ValidationFailure"),
        ("https://hooks.example.com/a b", "ValidationFailure"),
        ("https://hooks.example.com/\r\nX: y", "ValidationFailure"),
        ("https://[::1/", "ValidationFailure"),
        ("", "ValidationFailure"),
    ],
)
def test_a_bad_url_is_refused(url: str, code: str) -> None:
    errors = webhook_errors(webhook(url=url), allow_private=False)

    assert [error.error_code for error in errors] == [code]


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://hooks.example.com", False),
        ("https://hooks.example.com:8443/in?token=1", False),
        ("http://127.0.0.1:8080/in", True),
    ],
)
def test_a_good_url_is_taken(url: str, *, private: bool) -> None:
    assert webhook_errors(webhook(url=url), allow_private=private) == []


def test_an_empty_key_and_an_unknown_event_are_refused_together() -> None:
    wrong = webhook(keys=("",), types=["OrderSubmitted", "OrderSubmited"])

    errors = webhook_errors(wrong, allow_private=False)

    assert [error.error_code for error in errors] == [
        "Webhook.MissingHashKey",
        "ValidationFailure",
    ]
    assert errors[1].data == {"Field": "EventTypes", "Unknown": ["OrderSubmited"]}


def test_a_refused_webhook_leaves_the_old_one() -> None:
    old = webhook()
    command = message(WEBHOOK.save, webhook(url="http://hooks.example.com/"))

    decision = fold_webhook(allow_private=False)(old, command, None)

    assert decision.state is old
    (event,) = decision.events
    assert event.type is COMMAND_REJECTED
    assert isinstance(event.body, CommandRejected)
    assert [error.error_code for error in event.body.errors] == ["Webhook.UrlSchemeHttps"]


def test_a_saved_webhook_keeps_its_keys_to_itself() -> None:
    new = webhook(keys=("old", "new"))

    decision = fold_webhook(allow_private=False)(None, message(WEBHOOK.save, new), None)

    assert decision.state == new
    (event,) = decision.events
    assert event.type is WEBHOOK.saved
    assert event.body == new.model_copy(update={"hash_keys": ["********", "********"]})


def test_a_webhook_is_deleted_as_any_resource_is() -> None:
    decision = fold_webhook(allow_private=False)(
        webhook(), message(WEBHOOK.delete, {"ID": "hook"}), None
    )

    assert decision.state is None
    assert [event.type for event in decision.events] == [WEBHOOK.deleted]
