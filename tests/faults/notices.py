"""Notifications: what the receivers' own ledgers have to have, derived from the events alone."""

import base64
import hashlib
import hmac
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from email.message import EmailMessage
from types import MappingProxyType
from typing import Any

from tests.faults.documents import Documents
from tests.faults.orders import HOOK_KEY, TARGETS_HEAR, email_of
from tests.faults.topics import Log, Stored
from tests.support.receivers import Request

_TOPICS = ("orders.events", "supplier-orders.events", "shipments.events")
_MAILED = ("OrderSubmitted", "OrderApproved", "OrderCanceled", "OrderCompleted")

About = tuple[str, str]
"""What a notification tells: the event's type, and its body in one spelling."""


def notice_differences(
    log: Log,
    documents: Documents,
    calls: Iterable[Request],
    mails: Iterable[EmailMessage],
    targets: Mapping[str, Iterable[Request]] = MappingProxyType({}),
) -> Iterator[str]:
    """Every expected notification arrived; what came more than once has the same ID. ``targets``
    are the calls of webhooks beside the one that is told everything."""
    events = [record for topic in _TOPICS for record in log.distinct(topic)]
    hooked = _called(calls)
    yield from hooked.differences
    told = Counter(_about(record.type, record.body) for record in events)
    yield from _compared("webhook call", told, Counter(hooked.about.values()))
    received = set(hooked.about)
    told = Counter(_about(x.type, x.body) for x in events if x.type in TARGETS_HEAR)
    for target, came in targets.items():
        called = _called(came)
        yield from called.differences
        yield from _compared(f"call of {target}", told, Counter(called.about.values()))
        received |= called.about.keys()
    wanted = Counter(mail for record in events for mail in _letters(record))
    # The mail about a shipment is written once, whichever event came first.
    wanted = Counter(dict.fromkeys(wanted, 1))
    written = _written(mails)
    yield from written.differences
    arrived = Counter(written.about.values())
    yield from _compared("mail", Counter(_addressed(wanted)), arrived)
    delivered = Counter(
        record.body["ID"]
        for record in log.distinct("notifications.events")
        if record.type == "NotificationDelivered"
    )
    received |= written.about.keys()
    yield from (f"{id} was told as delivered {n} times" for id, n in delivered.items() if n > 1)
    yield from (f"{id} arrived, but was not told" for id in received - delivered.keys())
    yield from (
        f"{id} was told as delivered and never arrived" for id in delivered.keys() - received
    )
    yield from (
        f"delivery {id} is {delivery.status}: {delivery.error}"
        for id, delivery in documents.deliveries.items()
        if delivery.status != "Delivered"
    )


class _Arrived:
    """What a receiver got, by notification ID, and what was wrong with it."""

    def __init__(self) -> None:
        self.about: dict[str, Any] = {}
        self.differences: list[str] = []

    def take(self, id: str, about: Any) -> None:
        if self.about.setdefault(id, about) != about:
            self.differences.append(f"notification {id} arrived twice with different contents")


def _called(calls: Iterable[Request]) -> _Arrived:
    arrived = _Arrived()
    for request in calls:
        body = json.loads(request.body)
        if not _is_signed(request):
            arrived.differences.append(f"webhook call {body['ID']} has a wrong signature")
        arrived.take(request.headers["x-ordermesh-delivery"], _about(body["Type"], body["Data"]))
    return arrived


def _is_signed(request: Request) -> bool:
    digest = hmac.digest(HOOK_KEY.encode(), request.body, hashlib.sha256)
    return request.headers.get("x-oc-hash") == base64.b64encode(digest).decode()


def _written(mails: Iterable[EmailMessage]) -> _Arrived:
    arrived = _Arrived()
    for mail in mails:
        arrived.take(str(mail["X-Ordermesh-Notification"]), (str(mail["To"]), _subject(mail)))
    return arrived


def _subject(mail: EmailMessage) -> str:
    return str(mail["Subject"])


def _letters(record: Stored) -> Iterator[tuple[str, str, str]]:
    """The mails that an event calls for: order, subject, and what it is about."""
    order = record.name
    subjects = {
        "OrderSubmitted": f"We have received your order {order}",
        "OrderApproved": f"We have received your order {order}",
        "OrderCanceled": f"Your order {order} has been canceled",
        "OrderCompleted": f"Your order {order} is complete",
    }
    if record.type in _MAILED:
        yield order, subjects[record.type], record.type
    elif record.type == "OrderShipmentsChanged" and "DateShipped" in record.body["Shipment"]:
        subject = f"A shipment of your order {order} is on its way"
        yield order, subject, record.body["Shipment"]["ID"]


def _addressed(letters: Counter[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(email_of(order), subject) for order, subject, _ in letters]


def _about(type: str, body: Any) -> About:
    return type, json.dumps(body, sort_keys=True)


def _compared(what: str, wanted: Counter[Any], arrived: Counter[Any]) -> Iterator[str]:
    by_type: dict[str, list[str]] = defaultdict(list)
    for about, count in (wanted - arrived).items():
        by_type[f"{what} missing"].append(f"{count} x {_short(about)}")
    for about, count in (arrived - wanted).items():
        by_type[f"{what} too many"].append(f"{count} x {_short(about)}")
    for kind, found in by_type.items():
        yield f"{len(found)} x {kind}, such as {found[:3]}"


def _short(about: Any) -> str:
    return str(about)[:300]
