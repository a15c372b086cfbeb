"""Events, webhooks and deliveries in a line each."""

from datetime import timedelta
from typing import Any

from services.notifications.domain import Channel, Delivery, webhook_lane
from shared.contracts.catalog import Webhook
from tests.support.fakes import START


def order_body(
    id: str = "o-1",
    *,
    email: str | None = "ada@example.com",
    shipment: dict[str, Any] | None = None,
    lines: list[dict[str, Any]] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """The body of an event on ``orders.events``, wire names."""
    at = "2026-01-02T03:04:05.000Z"
    user = {"ID": "ada", "FirstName": "Ada", "LastName": "Lovelace"}
    body: dict[str, Any] = {
        "Order": {
            "ID": id,
            "FromCompanyID": "acme",
            "FromUser": user if email is None else {**user, "Email": email},
            "Currency": "USD",
            "Status": "Open",
            "DateCreated": at,
            "LastUpdated": at,
            "Subtotal": 1200.5,
            "ShippingCost": 10,
            "TaxCost": 0.25,
            "PromotionDiscount": 5,
            "Total": 1205.75,
        },
        "LineItems": lines
        or [
            {
                "ID": "1",
                "ProductID": "bolt",
                "Quantity": 3,
                "QuantityShipped": 2,
                "UnitPrice": 400,
                "LineTotal": 1200.5,
                "Product": {"ID": "bolt", "Name": "Bolt, large"},
            }
        ],
        **extra,
    }
    if shipment is not None:
        body["Shipment"] = shipment
    return body


def notice(id: str = "s-1", *, shipped: bool = True) -> dict[str, Any]:
    """What an order's event says of a shipment."""
    body = {"ID": id, "Shipper": "UPS", "TrackingNumber": "1Z999"}
    return {**body, "DateShipped": "2026-01-05T00:00:00Z"} if shipped else body


def webhook(
    id: str = "hook",
    *,
    url: str = "https://hooks.example.com/in",
    keys: tuple[str, ...] = ("secret",),
    types: list[str] | None = None,
    active: bool = True,
) -> Webhook:
    return Webhook(id=id, url=url, hash_keys=list(keys), event_types=types, active=active)


def delivery(
    *,
    channel: Channel = Channel.WEBHOOK,
    target: str = "hook",
    attempts: int = 0,
    keep: timedelta = timedelta(hours=1),
    **fields: Any,
) -> Delivery:
    """A pending delivery made at the fake clock's start."""
    given: dict[str, Any] = {
        "lane": webhook_lane(target),
        "event_type": "OrderSubmitted",
        "order_id": "o-1",
        "created": START,
        "occurred": START,
        "deadline": START + keep,
        "next_attempt": START,
        "body": "{}",
        **fields,
    }
    return Delivery(channel=channel, target=target, attempts=attempts, **given)
