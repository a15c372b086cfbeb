"""What a webhook must be to be saved."""

from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from services.notifications.views import EVENT_TYPES
from shared.catalog import fold_catalog
from shared.contracts.base import Error
from shared.contracts.catalog import Webhook
from shared.contracts.registry import WEBHOOK
from shared.messaging.message import Event, Message, rejection
from shared.messaging.processor import Decision

_HIDDEN = "********"


def webhook_errors(webhook: Webhook, *, allow_private: bool) -> list[Error]:
    """Everything that is wrong with ``webhook``; plain http is for private targets only."""
    errors = _url_errors(webhook.url, allow_private=allow_private)
    if not all(webhook.hash_keys):
        errors.append(
            Error(
                error_code="Webhook.MissingHashKey",
                message="A hash key is empty; give the secret that the receiver checks with.",
            )
        )
    unknown = sorted(set(webhook.event_types or ()) - EVENT_TYPES.keys())
    if unknown:
        errors.append(
            _invalid(
                "EventTypes",
                f"EventTypes has names of no event; choose from {', '.join(sorted(EVENT_TYPES))}.",
                unknown[:20],
            )
        )
    return errors


def _url_errors(url: str, *, allow_private: bool) -> list[Error]:
    parts = _split(url)
    if parts is None or not parts.hostname:
        return [_invalid("Url", "Url must be like https://host/path, with a host.")]
    if parts.username is not None or parts.password is not None:
        return [
            _invalid("Url", "Url must not carry a user or password; check the signature instead.")
        ]
    if parts.scheme == "https" or (parts.scheme == "http" and allow_private):
        return []
    return [
        Error(
            error_code="Webhook.UrlSchemeHttps",
            message="Url must begin with https://; serve the receiver over TLS.",
            data={"Scheme": parts.scheme},
        )
    ]


def _split(url: str) -> SplitResult | None:
    """The parts of ``url``; None where it is none."""
    if not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _invalid(field: str, message: str, data: list[str] | None = None) -> Error:
    return Error(
        error_code="ValidationFailure",
        message=message,
        data={"Field": field, **({"Unknown": data} if data else {})},
    )


def fold_webhook(
    *, allow_private: bool
) -> Callable[[Webhook | None, Message[Any], None], Decision[Webhook]]:
    """The catalogue's decisions, after a look at what is saved. ``WebhookSaved`` does not tell
    the hash keys: it is on a topic that others read."""
    fold = fold_catalog(WEBHOOK)

    def decide(state: Webhook | None, message: Message[Any], context: None) -> Decision[Webhook]:
        if message.type is not WEBHOOK.save:
            return fold(state, message, context)
        errors = webhook_errors(message.body, allow_private=allow_private)
        if errors:
            return Decision(state, (rejection(message, errors),))
        saved: Webhook = message.body
        public = saved.model_copy(update={"hash_keys": [_HIDDEN] * len(saved.hash_keys)})
        return Decision(saved, (Event(WEBHOOK.saved, public),))

    return decide
