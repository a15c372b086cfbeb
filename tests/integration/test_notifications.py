"""Notifications from the event's record to the real receiver, through a real MongoDB."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from services.notifications.domain import mailbox_id
from services.notifications.limits import Limits
from services.notifications.signing import signature
from shared.contracts.fulfillment import NotificationResult
from shared.contracts.orders import CommandRejected
from shared.contracts.registry import (
    COMMAND_REJECTED,
    NOTIFICATION_DELIVERED,
    NOTIFICATION_FAILED,
    ORDER_CANCELED,
    ORDER_SHIPMENTS_CHANGED,
    ORDER_SUBMITTED,
    SHIPMENT_CREATED,
    WEBHOOK,
)
from shared.settings import Settings
from tests.support.notifying import QUICK, Notifications
from tests.support.receivers import (
    Answer,
    HttpReceiver,
    MailReceiver,
    Request,
    http_receiver,
    mail_receiver,
)
from tests.support.records import FakeRecord, record
from tests.unit.notifications.builders import notice, order_body

Start = Callable[..., Awaitable[Notifications]]


@pytest.fixture
async def start(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str
) -> AsyncIterator[Start]:
    """Starts an instance of the service; all share this test's database."""
    running: list[Notifications] = []

    async def start_one(limits: Limits = QUICK, **settings: Any) -> Notifications:
        given = {"allow_private_targets": True, **settings}
        instance = Notifications(mongo, Settings(database_prefix=database_prefix, **given), limits)
        await instance.start()
        running.append(instance)
        return instance

    yield start_one
    await asyncio.gather(*(instance.stop() for instance in running))


@pytest.fixture
async def receiver() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as running:
        yield running


@pytest.fixture
async def mailbox() -> AsyncIterator[MailReceiver]:
    async with mail_receiver() as running:
        yield running


def submitted(order: str = "o-1", *, id: str | None = None, **body: Any) -> FakeRecord:
    return record(ORDER_SUBMITTED, order_body(order, **body), id=id or f"submitted-{order}")


def answers(*statuses: int, headers: Mapping[str, str] | None = None) -> Answer:
    """One status after the other, then 200."""
    left = list(statuses)

    async def answer(request: Request) -> tuple[int, Mapping[str, str]]:
        return (left.pop(0) if left else 200), headers or {}

    return answer


def after(release: asyncio.Event) -> Answer:
    async def answer(request: Request) -> tuple[int, Mapping[str, str]]:
        await release.wait()
        return 200, {}

    return answer


# --- e-mail -------------------------------------------------------------------------------------


async def test_a_buyer_gets_a_mail(start: Start, mailbox: MailReceiver) -> None:
    service = await start(smtp=mailbox.url, mail_from="Shop <orders@shop.example>")

    await service.take(submitted())

    (mail,) = await mailbox.wait_for(1)
    (result,) = await service.results(1)
    assert mailbox.recipients == [["ada@example.com"]]
    assert (mail["From"], mail["To"]) == ("Shop <orders@shop.example>", "ada@example.com")
    assert mail["Subject"] == "We have received your order o-1"
    assert mail["Message-ID"] == f"<{result.id}@shop.example>"
    assert mail["X-Ordermesh-Notification"] == result.id
    text, html = mail.iter_parts()
    assert "3 x Bolt, large at 400.00 USD: 1,200.50 USD" in text.get_content()
    assert "<td>Bolt, large</td>" in html.get_content()
    assert result == NotificationResult(
        id=result.id,
        channel="Email",
        target=mailbox_id("ada@example.com"),
        event_type="OrderSubmitted",
        order_id="o-1",
        attempts=1,
    )
    (state,) = await service.states()
    assert state["Status"] == "Delivered"
    assert state.keys().isdisjoint({"Body", "Address", "NextAttempt"})
    assert service.counted("Email", "delivered") == 1


async def test_many_mails_go_over_few_connections(start: Start, mailbox: MailReceiver) -> None:
    service = await start(smtp=mailbox.url)

    await service.take(*(submitted(f"o-{number}") for number in range(40)))

    await service.results(40)
    assert len({mail["X-Ordermesh-Notification"] for mail in mailbox.mails}) == 40
    assert len(mailbox.mails) == 40
    assert mailbox.connections <= QUICK.mails


async def test_a_mailbox_that_is_refused_fails_at_once(start: Start, mailbox: MailReceiver) -> None:
    mailbox.refused.add("ada@example.com")
    service = await start(smtp=mailbox.url)

    await service.take(submitted(), submitted("o-2", email="bob@example.com"))

    (failed,) = await service.results(1, NOTIFICATION_FAILED)
    await service.results(1)
    assert (failed.order_id, failed.attempts) == ("o-1", 1)
    assert failed.error == "SMTP 550: 5.1.1 [address] no such mailbox"
    assert [mail["To"] for mail in mailbox.mails] == ["bob@example.com"]


async def test_a_shipment_is_mailed_once(start: Start, mailbox: MailReceiver) -> None:
    service = await start(smtp=mailbox.url)

    def changed(id: str, shipment: dict[str, Any]) -> FakeRecord:
        return record(ORDER_SHIPMENTS_CHANGED, order_body(shipment=shipment), id=id)

    await service.take(changed("1", notice("s-1", shipped=False)), changed("2", notice("s-1")))
    await service.take(changed("3", notice("s-1")), changed("4", notice("s-2")))

    await service.results(2)
    assert len(mailbox.mails) == 2
    assert service.counted("Email", "duplicate") == 1


async def test_discarded_mail_is_delivered_in_the_write_that_makes_it(start: Start) -> None:
    service = await start(smtp="discard:")

    await service.take(submitted(), submitted("o-2", email=None))

    (result,) = service.publisher.bodies(NOTIFICATION_DELIVERED)
    (document,) = await service.deliveries.find().to_list()
    assert (result.order_id, result.attempts) == ("o-1", 1)
    assert document["state"]["Status"] == "Delivered"
    assert document["version"] == 1
    assert document["outbox"] == []
    assert service.counted("Email", "no_address") == 1


async def test_discarded_mail_that_comes_again_is_told_again_under_its_id(start: Start) -> None:
    service = await start(smtp="discard:")
    event = submitted()
    await service.take(event)
    before = await service.deliveries.find().to_list()

    await service.take(event)

    first, second = service.publisher.entries
    assert (second.id, second.body) == (first.id, first.body)
    assert await service.deliveries.find().to_list() == before
    assert service.counted("Email", "delivered") == 1


async def test_the_relay_clears_what_was_published(start: Start, mailbox: MailReceiver) -> None:
    service = await start(smtp=mailbox.url)
    await service.take(submitted(), submitted("o-2"))
    await service.results(2)
    store = service.service.stores["deliveries"]
    waiting = await store.load([d["_id"] async for d in service.deliveries.find()])

    await store.clear(list(waiting.values()))

    assert await store.outbox_depth() == 0
    assert await service.deliveries.count_documents({"outbox": [], "version": 3}) == 2


# --- webhooks -----------------------------------------------------------------------------------


async def test_a_webhook_gets_a_signed_request(start: Start, receiver: HttpReceiver) -> None:
    service = await start()
    await service.subscribe("hook", receiver.url(), HashKeys=["old", "new"])
    event = submitted()

    await service.take(event)

    (request,) = await receiver.wait_for(1)
    (result,) = await service.results(1)
    assert request.headers["x-oc-hash"] == signature("old", request.body)
    assert request.headers["x-oc-hash-next"] == signature("new", request.body)
    assert request.headers["x-ordermesh-delivery"] == result.id
    assert request.headers["x-ordermesh-event"] == "OrderSubmitted"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert event.value is not None
    assert event.value in request.body
    body = json.loads(request.body)
    assert (body["ID"], body["Type"], body["OrderID"]) == (result.id, "OrderSubmitted", "o-1")
    assert (result.channel, result.target) == ("Webhook", "hook")


async def test_only_what_was_subscribed_to_is_sent(start: Start, receiver: HttpReceiver) -> None:
    service = await start()
    await service.subscribe("all", receiver.url("/all"))
    await service.subscribe("one", receiver.url("/one"), EventTypes=["OrderCanceled"])
    await service.subscribe("off", receiver.url("/off"), Active=False)
    at = "2026-01-02T03:04:05Z"
    shipment = {"Shipment": {"ID": "s-1", "DateCreated": at}, "Items": []}

    await service.take(
        submitted(),
        record(ORDER_CANCELED, order_body(), id="canceled"),
        record(SHIPMENT_CREATED, shipment, id="created"),
    )

    await service.results(4)
    assert len(receiver.at("/all")) == 3
    assert [r.headers["x-ordermesh-event"] for r in receiver.at("/one")] == ["OrderCanceled"]
    assert receiver.at("/off") == []


async def test_without_subscribers_nothing_is_written(start: Start) -> None:
    service = await start(smtp="")

    await service.take(submitted(), submitted("o-2"))

    assert await service.deliveries.count_documents({}) == 0


async def test_duplicates_notify_once(start: Start, receiver: HttpReceiver) -> None:
    service = await start()
    await service.subscribe("hook", receiver.url())

    await service.take(submitted(id="same"), submitted(id="same"))
    await service.take(submitted(id="same"), submitted("o-2"))

    await service.results(2)
    assert len(receiver.requests) == 2
    assert service.counted("Webhook", "duplicate") == 2


async def test_a_hanging_target_delays_no_other(start: Start, receiver: HttpReceiver) -> None:
    release = asyncio.Event()
    receiver.answers["/hangs"] = after(release)
    service = await start(Limits(attempt=5.0, total=16, webhook=8))
    await service.subscribe("hangs", receiver.url("/hangs"))
    await service.subscribe("works", receiver.url("/works"))

    await service.take(*(submitted(f"o-{number}") for number in range(30)))

    results = await service.results(30)
    assert {result.target for result in results} == {"works"}
    assert len(receiver.at("/hangs")) == 8
    release.set()
    await service.results(60)


async def test_a_failing_target_is_tried_again(start: Start, receiver: HttpReceiver) -> None:
    receiver.answers["/"] = answers(500, 404)
    service = await start()
    await service.subscribe("hook", receiver.url())

    await service.take(submitted())

    (result,) = await service.results(1)
    assert (result.attempts, result.error) == (3, None)
    assert len({request.headers["x-ordermesh-delivery"] for request in receiver.requests}) == 1
    assert service.counted("Webhook", "retried") == 2


async def test_a_target_that_was_down_loses_nothing(start: Start, receiver: HttpReceiver) -> None:
    receiver.answers["/"] = answers(*[503] * 12)
    service = await start()
    await service.subscribe("hook", receiver.url())

    await service.take(*(submitted(f"o-{number}") for number in range(30)))

    results = await service.results(30)
    assert len({result.id for result in results}) == 30
    # It was left alone while it was down: not everything was tried in vain.
    assert len(receiver.requests) == 42


async def test_what_fails_until_its_deadline_has_failed(
    start: Start, receiver: HttpReceiver
) -> None:
    receiver.answers["/"] = answers(*[500] * 100)
    service = await start(notification_seconds=1)
    await service.subscribe("hook", receiver.url())

    await service.take(submitted())

    (result,) = await service.results(1, NOTIFICATION_FAILED)
    assert result.error == "HTTP 500"
    assert result.attempts == len(receiver.requests) > 2


async def test_a_receiver_that_is_gone_fails_at_once(start: Start, receiver: HttpReceiver) -> None:
    receiver.answers["/"] = answers(410)
    service = await start()
    await service.subscribe("hook", receiver.url())

    await service.take(submitted())

    (result,) = await service.results(1, NOTIFICATION_FAILED)
    assert (result.attempts, result.error) == (1, "HTTP 410: the receiver is gone for good")


async def test_redirects_are_not_followed(start: Start, receiver: HttpReceiver) -> None:
    moved = {"Location": receiver.url("/elsewhere")}
    receiver.answers["/"] = answers(*[302] * 100, headers=moved)
    service = await start()
    await service.subscribe("hook", receiver.url())

    await service.take(submitted())

    state = await service.state_with_error()
    assert state["Status"] == "Pending"
    assert state["Error"].startswith("HTTP 302: redirects are not followed")
    assert receiver.at("/elsewhere") == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
async def test_loopback_is_refused_by_default(
    start: Start, receiver: HttpReceiver, host: str
) -> None:
    service = await start(allow_private_targets=False)
    await service.subscribe("hook", f"https://{host}:{receiver.port}/")

    await service.take(submitted())

    state = await service.state_with_error()
    assert state["Error"].startswith("the host is or has a private address")
    assert receiver.connections == 0


async def test_the_mail_server_is_guarded_too(start: Start, mailbox: MailReceiver) -> None:
    service = await start(allow_private_targets=False, smtp=mailbox.url)

    await service.take(submitted())

    state = await service.state_with_error()
    assert state["Error"].startswith("the host is or has a private address")
    assert mailbox.connections == 0


async def test_a_webhook_with_a_plain_url_is_rejected(start: Start) -> None:
    service = await start(allow_private_targets=False)

    await service.subscribe("hook", "http://hooks.example.com/")

    (rejected,) = service.publisher.bodies(COMMAND_REJECTED)
    assert isinstance(rejected, CommandRejected)
    assert [error.error_code for error in rejected.errors] == ["Webhook.UrlSchemeHttps"]
    await service.take(submitted())
    assert await service.deliveries.count_documents({}) == 0


async def test_a_deleted_webhook_gets_nothing_more(start: Start, receiver: HttpReceiver) -> None:
    receiver.answers["/"] = answers(*[500] * 100)
    service = await start()
    await service.subscribe("hook", receiver.url())
    await service.take(submitted())
    await receiver.wait_for(1)

    await service.take(record(WEBHOOK.delete, {"ID": "hook"}))

    (result,) = await service.results(1, NOTIFICATION_FAILED)
    assert result.error == "the webhook was deleted or switched off"
    await service.take(submitted("o-2"))
    assert await service.deliveries.count_documents({}) == 1


# --- crashes, several instances, stopping ---------------------------------------------------------


async def test_a_crash_between_send_and_write_sends_again_with_the_same_id(
    start: Start, receiver: HttpReceiver
) -> None:
    release = asyncio.Event()
    receiver.answers["/"] = after(release)
    dying = await start(Limits(attempt=0.5, lease=1.0, grace=0.0))
    await dying.subscribe("hook", receiver.url())
    await dying.take(submitted())
    await receiver.wait_for(1)

    await dying.stop()
    release.set()
    heir = await start()

    (result,) = await heir.results(1)
    first, second = receiver.requests
    assert first.body == second.body
    assert second.headers["x-ordermesh-delivery"] == result.id
    assert dying.publisher.bodies(NOTIFICATION_DELIVERED) == []


async def test_a_crash_after_the_write_is_not_sent_again(
    start: Start, receiver: HttpReceiver
) -> None:
    service = await start()
    await service.subscribe("hook", receiver.url())
    await service.take(submitted())
    await service.results(1)

    # The offset was not committed: the same record comes again, to another instance.
    heir = await start()
    await heir.take(submitted())

    assert heir.counted("Webhook", "duplicate") == 1
    assert len(receiver.requests) == 1


async def test_more_than_fits_in_memory_is_found_in_the_database(
    start: Start, receiver: HttpReceiver
) -> None:
    small = Limits(held=7, lane=4, total=3, poll=0.05)
    service = await start(small)
    await service.subscribe("a", receiver.url("/a"))
    await service.subscribe("b", receiver.url("/b"))

    await service.take(*(submitted(f"o-{number}") for number in range(40)))

    results = await service.results(80)
    assert len({result.id for result in results}) == 80
    assert len(receiver.requests) == 80


async def test_two_instances_do_not_send_the_same(start: Start, receiver: HttpReceiver) -> None:
    small = Limits(held=10, lane=10, poll=0.02)
    one, two = await start(small), await start(small)
    await one.subscribe("hook", receiver.url())

    await one.take(*(submitted(f"o-{number}") for number in range(100)))
    await receiver.wait_for(100)

    await asyncio.sleep(0.3)
    assert len(receiver.requests) == 100
    delivered = [one.counted("Webhook", "delivered"), two.counted("Webhook", "delivered")]
    assert all(delivered)
    assert sum(count or 0 for count in delivered) == 100


async def test_stopping_lets_what_is_under_way_end_and_gives_back_the_rest(
    start: Start, receiver: HttpReceiver
) -> None:
    release = asyncio.Event()
    receiver.answers["/"] = after(release)
    service = await start(Limits(webhook=1, grace=2.0))
    await service.subscribe("hook", receiver.url())
    await service.take(submitted(), submitted("o-2"))
    await receiver.wait_for(1)

    asyncio.get_running_loop().call_later(0.1, release.set)
    await service.stop()

    assert len(service.publisher.bodies(NOTIFICATION_DELIVERED)) == 1
    states = {state["Status"]: state for state in await service.states()}
    assert states.keys() == {"Delivered", "Pending"}
    assert states["Pending"]["Attempts"] == 0
    heir = await start()
    await heir.results(1)
    assert len(receiver.requests) == 2
