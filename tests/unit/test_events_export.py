"""Messages as JSON Lines, and which of them are about an order."""

import json
from typing import Any

import pytest

from services.events_export import as_line
from services.trail import Trail
from tests.support.records import FakeRecord


def record(topic: str, key: bytes | None, value: bytes | None, **headers: bytes) -> FakeRecord:
    named = [(name.replace("__", "-"), text) for name, text in headers.items()]
    return FakeRecord(topic, value, key, named, offset=7)


PLACED = {
    "kafkatopic": "orders.commands",
    "kafkapartition": 0,
    "kafkaoffset": 7,
    "kafkatime": "2026-01-02T03:04:05.000Z",
}


def test_a_message_in_binary_mode_becomes_an_event_in_structured_mode() -> None:
    made = as_line(
        record(
            "orders.commands", b"O-1", b'{"Total":\n 1.10}', ce_specversion=b"1.0", ce_id=b"c",
            ce_type=b"PlaceOrder", ce_source=b"shop", content__type=b"application/json",
            traceparent=b"00-ab", om_replayed_from=b"x/0/1", dl_error=b"no",
        )
    )  # fmt: skip

    assert "\n" not in made
    assert json.loads(made) == {
        "specversion": "1.0",
        "id": "c",
        "type": "PlaceOrder",
        "source": "shop",
        "datacontenttype": "application/json",
        "traceparent": "00-ab",
        "omreplayedfrom": "x/0/1",
        "dlerror": "no",
        "data": {"Total": 1.1},
        "partitionkey": "O-1",
        **PLACED,
    }


def test_a_message_in_structured_mode_stays_the_event_that_it_is() -> None:
    event = {"specversion": "1.0", "id": "c", "type": "T", "source": "s", "data": {"ID": 1}}

    made = as_line(
        record(
            "orders.commands", None, json.dumps(event).encode(),
            content__type=b"application/cloudevents+json; charset=UTF-8",
        )
    )  # fmt: skip

    assert json.loads(made) == {**event, **PLACED}


@pytest.mark.parametrize(
    ("value", "data"),
    [(None, {}), (b"{", {"data_base64": "ew=="}), (b"\xff", {"data_base64": "/w=="})],
)
def test_what_is_no_event_is_told_too(value: bytes | None, data: dict[str, Any]) -> None:
    made = as_line(record("orders.commands", None, value))

    assert json.loads(made) == {
        "specversion": "1.0",
        "id": "orders.commands/0/7@1767323045000",
        "source": "/kafka/orders.commands",
        "type": "Untyped",
        **data,
        **PLACED,
    }


FORWARDED = record(
    "supplier-orders.events", b"O-1", b'{"Order":{"ID":"odd-name"}}',
    ce_type=b"SupplierOrderForwarded",
)  # fmt: skip
SHIPPED = record("shipments.commands", b"S-1", b'{"Items":[{"OrderID": "odd-name"}]}')
UPDATED = record("shipments.commands", b"S-1", b'{"ID":"S-1"}')


@pytest.mark.parametrize(
    ("one", "about"),
    [
        (record("orders.events", b"O-1", b"{}"), True),
        (record("orders.events", b"O-12", b'{"Order":{"Comments":"O-1"}}'), False),
        (record("orders.commands", None, b'{"Order":{"ID":"O-1"}}'), True),
        (record("orders.commands", None, b'{"Order":{"ID":"O-12"}}'), False),
        (record("orders.commands.dead-letters", b"O-1", b"{"), True),
        (record("orders.commands.dead-letters", b"?", b'{"Order":{"ID":"O-1"'), True),
        (record("commands.rejected", b"S-9", b'{"OrderID":"O-1"}'), True),
        (record("shipments.events", b"S-2", b'{"Items":[{"OrderID":"O-1"}]}'), True),
        (record("shipments.events", b"S-2", b'{"Items":[{"OrderID":"O-2"}]}'), False),
        (record("shipments.events", b"S-2", None), False),
        (SHIPPED, False),
        (UPDATED, False),
    ],
)
def test_what_is_about_an_order(one: FakeRecord, about: bool) -> None:
    assert Trail("O-1").has(one) is about


def test_a_trail_learns_supplier_orders_and_shipments_on_its_way() -> None:
    trail = Trail("O-1")

    followed = [trail.has(one) for one in (FORWARDED, SHIPPED, UPDATED)]

    assert followed == [True, True, True]


def test_a_trail_is_told_what_is_known() -> None:
    assert Trail("O-1", parts=["odd-name"]).has(SHIPPED)
    assert Trail("O-1", shipments=["S-1"]).has(UPDATED)
