"""Traces and logs of a whole deployment: one order is one trace, and neither traces nor logs have
anything personal or secret, whatever fails."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from tests.e2e.conftest import NewID
from tests.e2e.goods import SHIPPED_AT, line, order_body, priced_product
from tests.support.collector import Collector, Reported, collector
from tests.support.deployment import Deployment, deployment
from tests.support.outside import Body, OutsideSystem
from tests.support.receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver

MARK = f"Zq{uuid4().hex[:10]}"
"""Part of everything that must not be told: names, addresses, card tokens, passwords."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A deployment that records every trace, and all around it."""

    engine: Deployment
    outside: OutsideSystem
    collector: Collector
    mails: MailReceiver
    hooks: HttpReceiver
    stack: AsyncExitStack
    """Closing it is the collector's end."""


@pytest.fixture(scope="module")
async def traced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    async with AsyncExitStack() as stack:
        down = await stack.enter_async_context(AsyncExitStack())
        taking = await down.enter_async_context(collector())
        mails = await stack.enter_async_context(mail_receiver(login=True))
        hooks = await stack.enter_async_context(http_receiver())
        engine = await stack.enter_async_context(
            deployment(
                tmp_path_factory.mktemp("traced") / "data",
                otlp=taking.url.replace("://", f"://user:{MARK}otlp@"),
                trace_ratio="1",
                smtp=mails.url.replace("://", f"://user:{MARK}smtp@"),
            )
        )
        outside = await stack.enter_async_context(OutsideSystem(engine.kafka))
        yield Traced(engine, outside, taking, mails, hooks, down)


def personal(order: str, buyer: str, *lines: Body, **more: Any) -> Body:
    """A PlaceOrder with everything in it that is nobody's business."""
    address = {
        "FirstName": f"{MARK}Ada", "LastName": f"{MARK}Lovelace", "Street1": f"{MARK} Street 1",
        "City": f"{MARK}ville", "Country": "PT", "Phone": f"{MARK}-555",
    }  # fmt: skip
    return order_body(
        order, buyer, *lines,
        order={
            "FromUser": {"ID": "u1", "FirstName": f"{MARK}Ada", "LastName": f"{MARK}Lovelace",
                         "Email": f"{MARK}@example.com", "Phone": f"{MARK}-555"},
            "BillingAddress": address, "ShippingAddress": address,
            "Comments": f"{MARK} rings twice", "xp": {"Secret": MARK},
        },
        Payments=[{"ID": "p1", "Type": "CreditCard", "Amount": 1000.0,
                   "xp": {"Token": f"{MARK}tok_4242"}}],
        **more,
    )  # fmt: skip


async def open_shop(traced: Traced, own: NewID) -> str:
    """Two suppliers with a product each, and a webhook; the buyer's ID."""
    buyer = own("buyer")
    await traced.outside.save_all(
        [
            ("Buyer", {"ID": buyer, "Name": f"{MARK} Ltd"}),
            ("Supplier", {"ID": own("near"), "Name": "Near"}),
            ("Supplier", {"ID": own("far"), "Name": "Far"}),
            *priced_product(own("lamp"), own("near"), 10),
            *priced_product(own("desk"), own("far"), 20),
            ("Webhook", {"ID": own("hook"), "Url": traced.hooks.url(f"/{own('h')}?key={MARK}"),
                         "HashKeys": [f"{MARK}key"],
                         "EventTypes": ["OrderSubmitted", "OrderCompleted"]}),
        ]
    )  # fmt: skip
    return buyer


async def known_to_shipments(traced: Traced, order: str) -> None:
    """Waits until shipments has heard of the order and both its parts."""
    client: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient(traced.engine.mongodb) as client, asyncio.timeout(10):
        ledgers = client["ordermesh_shipments"]["ledgers"]
        query = {"_id": order, "state.Parts.1": {"$exists": True}}
        while not await ledgers.find_one(query):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.02)


def unconnected(spans: list[Reported]) -> list[str]:
    """What keeps ``spans`` from being one tree."""
    known = {span.id for span in spans}
    roots = [f"root {span.name}" for span in spans if not span.parent]
    return roots[1:] + [
        f"{span.service}: {span.name} without its parent"
        for span in spans
        if span.parent and span.parent not in known
    ]


async def test_one_order_is_one_trace_from_its_command_to_its_last_notification(
    traced: Traced, own: NewID
) -> None:
    outside, order = traced.outside, own("order")
    buyer = await open_shop(traced, own)

    command = await outside.command(
        "PlaceOrder",
        personal(order, buyer, line("L1", own("lamp"), 2), line("L2", own("desk"))),
    )
    await outside.events("SupplierOrderForwarded", order, 2)
    await known_to_shipments(traced, order)
    forwarded = {
        body["Order"]["ToCompanyID"]: trace
        for body, trace in zip(
            outside.all("SupplierOrderForwarded", order),
            outside.traces("SupplierOrderForwarded", order),
            strict=True,
        )
    }
    # One supplier hands the trace on; the other has never heard of traces, and sets the date
    # with a second command that does not even name the order.
    await outside.command(
        "CreateShipment",
        {"ID": own("s1"), "DateShipped": SHIPPED_AT,
         "Items": [{"OrderID": f"{order}-{own('near')}", "LineItemID": "L1",
                    "QuantityShipped": 2}]},
        trace=forwarded[own("near")],
    )  # fmt: skip
    await outside.command(
        "CreateShipment",
        {"ID": own("s2"), "Items": [{"OrderID": f"{order}-{own('far')}", "LineItemID": "L2",
                                     "QuantityShipped": 1}]},
    )  # fmt: skip
    await outside.event("ShipmentCreated", own("s2"))
    await outside.command("UpdateShipment", {"ID": own("s2"), "DateShipped": SHIPPED_AT})
    await outside.event("OrderCompleted", order)
    told = await outside.events("NotificationDelivered", order, 6)

    sent = {f"send {x['Channel']} {x['EventType']}" for x in told}
    assert len(sent) == 5
    root = outside.traces("NotificationDelivered", order)[0]
    assert root is not None
    trace = root[3:35]
    # The trace is all there once its last spans are: those of the events about its completion.
    last = {("notifications", "process OrderCompleted"),
            ("notifications", "process ShipmentReconciled"),
            ("notifications", "process SupplierOrderCompleted"),
            ("checkout", "process ShipmentReconciled")}  # fmt: skip

    def done() -> bool:
        spans = traced.collector.trace(trace)
        names = [span.name for span in spans if span.name.startswith("send ")]
        return (
            len(names) == 6
            and {(s.service, s.name) for s in spans} >= last
            and not unconnected(spans)
        )

    def wrong() -> str:
        spans = traced.collector.trace(trace)
        return f"{unconnected(spans)} {sorted((s.service, s.name) for s in spans)}"

    await traced.collector.until(done, wrong)
    spans = traced.collector.trace(trace)
    (first,) = (span for span in spans if not span.parent)
    assert (first.service, first.name) == ("checkout", "process PlaceOrder")
    assert (
        first.attributes
        | {
            "messaging.system": "kafka",
            "messaging.destination.name": "orders.commands",
            "messaging.message.id": command,
            "messaging.kafka.message.key": order,
            "ordermesh.order.id": order,
            "cloudevents.event_type": "PlaceOrder",
        }
        == first.attributes
    )
    assert {span.service for span in spans} == {
        "checkout", "pricing", "forwarding", "shipments", "notifications",
    }  # fmt: skip
    assert {span.name for span in spans if span.name.startswith("send ")} == sent
    for type, key in (
        ("OrderSubmitted", order), ("SupplierOrderCompleted", order), ("OrderCompleted", order),
        ("ShipmentCreated", own("s1")), ("ShipmentCreated", own("s2")),
        ("NotificationDelivered", order),
    ):  # fmt: skip
        traces = outside.traces(type, key)
        assert {None if text is None else text[3:35] for text in traces} == {trace}, type
    # A webhook's request continues its own attempt.
    attempts = {span.id: span for span in spans if span.name.startswith("send Webhook")}
    calls = await traced.hooks.wait_for(2, f"/{own('h')}?key={MARK}")
    assert {call.headers["traceparent"][3:35] for call in calls} == {trace}
    assert {call.headers["traceparent"][36:52] for call in calls} == attempts.keys()
    _check_batches(traced.collector.spans(), spans)
    assert MARK.encode() not in traced.collector.raw()


def _check_batches(everything: list[Reported], spans: list[Reported]) -> None:
    """Every message is linked with a batch, which stands in another trace, with its phases."""
    batches = {(s.trace, s.id): s for s in everything if s.name.endswith(" batch")}
    messages = [span for span in spans if span.name.startswith("process ")]
    assert messages
    for message in messages:
        (link,) = message.links
        batch = batches[link]
        assert batch.service == message.service
        assert batch.trace != message.trace
        assert batch.parent == ""
        assert (message.trace, message.id) in batch.links
    placed = next(span for span in messages if span.name == "process PlaceOrder")
    phases = {s.name for s in everything if s.parent == batches[placed.links[0]].id}
    assert {"commit", "publish"} < phases
    assert phases & {"find orders", "update orders", "insert orders", "find buyers"}


async def test_no_log_line_tells_anything_personal_or_secret_whatever_fails(
    traced: Traced, own: NewID
) -> None:
    outside, engine = traced.outside, traced.engine
    buyer = await open_shop(traced, own)
    good, refused = own("good"), own("refused")
    one = line("L1", own("lamp"))

    async def fail(request: object) -> tuple[int, dict[str, str]]:
        return 500, {"X-Note": MARK}

    traced.hooks.answers[f"/{own('h')}?key={MARK}"] = fail
    traced.mails.refused.add(f"{MARK}@example.com")
    body = personal(good, buyer, one)
    await outside.command("PlaceOrder", body)
    await outside.command("PlaceOrder", personal(refused, buyer, line("L1", own("nothing"))))
    # Unreadable in every way there is, with all of it inside.
    text = json.dumps(body).encode()
    known = [("ce_type", b"PlaceOrder"), ("ce_id", f"{MARK}@example.com".encode())]
    bad = json.dumps({**body, "LineItems": [{"Quantity": MARK, "UnitPrice": f"{MARK} EUR"}]})
    for value, key, headers in (
        (text, f"{MARK} Ada".encode(), [("ce_type", f"{MARK} 's".encode())]),
        (text[:-9], f"{MARK}@example.com".encode(), known),
        (bad.encode(), own("bad").encode(), [*known, ("traceparent", MARK.encode())]),
        (text, own("null").encode(), [*known, ("x", None)]),
    ):
        await outside.produce("orders.commands", value, key, headers)
    await outside.event("CommandRejected", refused)
    await outside.event("NotificationFailed", good)
    await outside.until(
        lambda: len(outside.letters("orders.commands", lambda _: True)) >= 4,
        lambda: "not everything unreadable was set aside",
        10,
    )
    # MongoDB dies with orders on their way.
    pid = engine.description["pids"]["mongodb"]
    os.kill(pid, signal.SIGKILL)
    more = [own(f"more{number}") for number in range(5)]
    for order in more:
        await outside.command("PlaceOrder", personal(order, buyer, one))
    for order in more:
        await outside.event("OrderSubmitted", order)

    lines = engine.log.read_text().splitlines()

    assert [text for text in lines if MARK in text] == []
    logged = [json.loads(text) for text in lines]
    events = {entry["event"] for entry in logged}
    assert events >= {"dead_letter", "notification_not_sent", "child ended"}
    assert all({"event", "level", "timestamp"} <= entry.keys() for entry in logged)
    (letter,) = (e for e in logged if e["event"] == "dead_letter" and e["key"] == own("bad"))
    assert (letter["message_id"], letter["trace_id"]) == ("(withheld)", None)
    unsent = [e for e in logged if e["event"] == "notification_not_sent" and e["key"] == good]
    assert {entry["error"] for entry in unsent} == {"SMTP 550", "HTTP 500"}
    assert all(len(entry["trace_id"]) == 32 and entry["message_id"] for entry in unsent)


async def test_commands_about_an_order_continue_its_trace_without_knowing_it(
    traced: Traced, own: NewID
) -> None:
    outside = traced.outside
    buyer = await open_shop(traced, own)
    await outside.save_all(priced_product(own("odd"), None, 5))
    held, canceled = own("held"), own("canceled")
    await outside.command("PlaceOrder", order_body(held, buyer, line("L1", own("odd"))))
    await outside.command("PlaceOrder", order_body(canceled, buyer, line("L1", own("lamp"))))
    await outside.event("LineItemsHeld", held)
    await outside.event("OrderSubmitted", canceled)

    assignment = {"LineItemID": "L1", "SupplierID": own("near")}
    await outside.command("AssignSupplier", {"OrderID": held, "Assignments": [assignment]})
    await outside.command("CancelOrder", {"OrderID": canceled})
    await outside.event("SupplierOrderForwarded", held)
    await outside.event("OrderCanceled", canceled)

    for first, last, order in (
        ("OrderSubmitted", "SupplierOrderForwarded", held),
        ("OrderSubmitted", "OrderCanceled", canceled),
    ):
        begun, ended = outside.traces(first, order)[0], outside.traces(last, order)[0]
        assert begun is not None
        assert ended is not None
        assert begun[3:35] == ended[3:35]


async def test_orders_pass_without_a_collector(traced: Traced, own: NewID) -> None:
    outside, order = traced.outside, own("order")
    buyer = await open_shop(traced, own)

    await traced.stack.aclose()
    await outside.command("PlaceOrder", personal(order, buyer, line("L1", own("lamp"))))
    await outside.events("SupplierOrderForwarded", order, 1)
    await outside.command(
        "CreateShipment",
        {"ID": own("s"), "DateShipped": SHIPPED_AT,
         "Items": [{"OrderID": order, "LineItemID": "L1", "QuantityShipped": 1}]},
    )  # fmt: skip

    await outside.event("OrderCompleted", order)
    assert outside.traces("OrderCompleted", order)[0] is not None
    # Its address has a password.
    assert MARK not in traced.engine.log.read_text()
