"""Who is told what."""

from datetime import timedelta
from typing import Any

import pytest

from services.notifications.domain import EMAIL_LANE, Channel, mailbox_id
from services.notifications.planning import Plan, Planner
from services.notifications.views import event_views
from shared.contracts.catalog import Webhook
from shared.messaging.message import Message
from tests.support.fakes import START, message
from tests.unit.notifications.builders import notice, order_body, webhook

_DAY = timedelta(days=1)


def _event(name: str, body: dict[str, Any], *, mail: bool = True, **given: Any) -> Message[Any]:
    (type,) = (type for type in event_views(mail=mail) if type.name == name)
    return message(type, body, **{"key": "o-1", **given})


def _plan(*messages: Message[Any], hooks: tuple[Webhook, ...] = (), mail: bool = True) -> Plan:
    return Planner(mail=mail, keep=_DAY).plan(messages, hooks, START)


@pytest.mark.parametrize(
    "name", ["OrderSubmitted", "OrderApproved", "OrderCanceled", "OrderCompleted"]
)
def test_the_buyer_is_written_to(name: str) -> None:
    plan = _plan(_event(name, order_body()))

    (delivery,) = plan.deliveries.values()
    assert (delivery.channel, delivery.lane) == (Channel.EMAIL, EMAIL_LANE)
    assert (delivery.event_type, delivery.order_id) == (name, "o-1")
    assert delivery.address == "ada@example.com"
    assert delivery.target == mailbox_id("ada@example.com")
    assert (delivery.created, delivery.deadline) == (START, START + _DAY)


@pytest.mark.parametrize("name", ["OrderAwaitingApproval", "OrderDeclined"])
def test_other_changes_are_no_mail(name: str) -> None:
    assert _plan(_event(name, order_body())).deliveries == {}


def test_a_shipment_is_told_once_however_often_it_changes() -> None:
    first = _event("OrderShipmentsChanged", order_body(shipment=notice("s-1")))
    again = _event("OrderShipmentsChanged", order_body(shipment=notice("s-1")))
    other = _event("OrderShipmentsChanged", order_body(shipment=notice("s-2")))

    plan = _plan(first, again, other)

    assert len(plan.deliveries) == 2
    assert plan.repeated == [Channel.EMAIL]


@pytest.mark.parametrize("shipment", [None, notice(shipped=False)])
def test_a_shipment_that_has_not_left_is_not_told(shipment: dict[str, Any] | None) -> None:
    event = _event("OrderShipmentsChanged", order_body(shipment=shipment))

    assert _plan(event) == Plan({}, [], [])


@pytest.mark.parametrize("email", [None, "", "ada", "ada@exa mple.com", "a@b.com\r\nBcc: x@y.z"])
def test_a_buyer_without_a_usable_address_is_noted(email: str | None) -> None:
    plan = _plan(_event("OrderSubmitted", order_body(email=email)))

    assert plan == Plan({}, [], ["o-1"])


def test_without_mail_nobody_is_written_to() -> None:
    assert _plan(_event("OrderSubmitted", order_body(), mail=False), mail=False).deliveries == {}


def test_the_same_event_twice_is_one_delivery() -> None:
    event = _event("OrderSubmitted", order_body(), id="e-1")

    plan = _plan(event, _event("OrderSubmitted", order_body(), id="e-1"), hooks=(webhook(),))

    assert len(plan.deliveries) == 2
    assert sorted(plan.repeated) == [Channel.EMAIL, Channel.WEBHOOK]


def test_a_webhook_gets_what_it_named() -> None:
    hooks = (webhook("a", types=["OrderSubmitted"]), webhook("b", types=["OrderCanceled"]))

    plan = _plan(_event("OrderSubmitted", order_body(), mail=False), hooks=hooks, mail=False)

    assert [delivery.target for delivery in plan.deliveries.values()] == ["a"]


def test_a_webhook_that_names_nothing_gets_every_public_event() -> None:
    events = [_event("OrderDeclined", order_body()), _event("LineItemsHeld", {})]

    plan = _plan(*events, hooks=(webhook("a"), webhook("b", types=["LineItemsHeld"])))

    assert [(d.target, d.event_type) for d in plan.deliveries.values()] == [
        ("a", "OrderDeclined"),
        ("b", "LineItemsHeld"),
    ]


@pytest.mark.parametrize(("orders", "told"), [(["o-1", "o-1"], "o-1"), (["o-1", "o-2"], None)])
def test_a_shipments_event_names_its_order_if_it_has_one(
    orders: list[str], told: str | None
) -> None:
    body = {"items": [{"order_id": order} for order in orders]}

    plan = _plan(_event("ShipmentCreated", body, key="s-1"), hooks=(webhook(),))

    assert [delivery.order_id for delivery in plan.deliveries.values()] == [told]
