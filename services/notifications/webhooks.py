"""Webhooks: signed HTTP requests to whoever subscribed."""

import json
import ssl
from collections.abc import Iterable
from datetime import datetime

import httpcore

from services.notifications.domain import Delivery, Missed, Outcome, Refused, Sent
from services.notifications.rules import webhook_errors
from services.notifications.signing import signatures
from services.notifications.subscriptions import Subscriptions
from shared.guard import AddressRefused, Guard
from shared.messaging.processor import Clock

_MOST_READ = 64 * 1024
_CONNECT_SECONDS = 3.0
_KEPT_CONNECTIONS = 50
_GONE = 410

SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that the guard has checked. The name stays what the certificate is
    checked for and what the Host header says."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._guard.addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError("the host name cannot be resolved") from error
        failure: Exception | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    address, port, _CONNECT_SECONDS, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None, "a guard gives at least one address"  # noqa: S101
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class WebhookSender:
    """Posts deliveries to the webhooks as they are at that moment, so that a new address or key
    counts for what is tried again. Follows no redirects; takes nothing from the environment."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        guard: Guard,
        clock: Clock,
        *,
        allow_private: bool,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._subscriptions = subscriptions
        self._clock = clock
        self._allow_private = allow_private
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls if tls is not None else ssl.create_default_context(),
            # How many are open at once is the dispatcher's to limit.
            max_connections=None,
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=20.0,
            network_backend=GuardedBackend(guard),
        )

    async def send(self, id: str, delivery: Delivery) -> Outcome:
        webhook = await self._subscriptions.find(delivery.target)
        if webhook is None:
            return Refused("the webhook was deleted or switched off")
        faults = webhook_errors(webhook, allow_private=self._allow_private)
        if faults:
            # Saved under other settings; it may be sent when either is put right.
            return Missed(faults[0].message)
        body = webhook_body(id, delivery)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Ordermesh",
            "X-Ordermesh-Delivery": id,
            "X-Ordermesh-Event": delivery.event_type,
            "X-Ordermesh-Timestamp": _iso(self._clock()),
            **({"traceparent": delivery.trace} if delivery.trace else {}),
            **signatures(webhook.hash_keys, body),
        }
        try:
            status = await self._post(webhook.url, headers, body)
        except AddressRefused as error:
            return Missed(str(error))
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            OSError,
        ) as error:
            # The text of some of these names the host's addresses; the kind says enough.
            return Missed(f"no HTTP answer ({type(error).__name__})")
        return _judge(status)

    async def _post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        fields: list[tuple[bytes | str, bytes | str]] = list(headers.items())
        async with self._pool.stream("POST", url, headers=fields, content=body) as response:
            read = 0
            # An answer read to its end lets the connection be used again; a longer one is cut off.
            async for chunk in response.aiter_stream():
                read += len(chunk)
                if read > _MOST_READ:
                    break
            return response.status

    async def close(self) -> None:
        await self._pool.aclose()


def webhook_body(id: str, delivery: Delivery) -> bytes:
    """The request's body: who and what, and the event's own JSON byte for byte."""
    head: dict[str, str] = {
        "ID": id,
        "Type": delivery.event_type,
        "Time": _iso(delivery.occurred),
    }
    if delivery.order_id is not None:
        head["OrderID"] = delivery.order_id
    return f'{json.dumps(head)[:-1]}, "Data": {delivery.body}}}'.encode()


def _judge(status: int) -> Outcome:
    if 200 <= status < 300:
        return Sent()
    if status == _GONE:
        return Refused("HTTP 410: the receiver is gone for good")
    if 300 <= status < 400:
        return Missed(
            f"HTTP {status}: redirects are not followed; save the webhook with its final address"
        )
    return Missed(f"HTTP {status}")


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
