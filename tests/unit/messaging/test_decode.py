"""From record to message: nothing raises, and what is wrong is said."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.catalog import Buyer
from shared.contracts.registry import BUYER, ORDER_PRICED, PLACE_ORDER, SUPPLIER
from shared.messaging.decode import REKEYED_FROM, Decoder, Misplaced, Poison
from shared.messaging.message import Message
from tests.support.records import START_MS, FakeRecord, decoder, record

ADA = {"ID": "ada", "Name": "Ada"}


def decode(made: FakeRecord, **settings: Any) -> Message[Any] | Poison | Misplaced | None:
    return decoder(BUYER.save, BUYER.delete, **settings).decode(made)


def reason(made: FakeRecord, **settings: Any) -> str:
    """Why ``made`` is set aside."""
    decoded = decode(made, **settings)
    assert isinstance(decoded, Poison)
    assert decoded.record is made
    return decoded.reason


def test_a_command_is_read() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    made = record(
        BUYER.save, ADA, id="c-1", source="/shop", headers=[("traceparent", trace.encode())]
    )

    assert decode(made) == Message(
        type=BUYER.save,
        body=Buyer(id="ada", name="Ada"),
        id="c-1",
        source="/shop",
        key="ada",
        topic="catalog.commands",
        partition=0,
        offset=made.offset,
        accepted=datetime.fromtimestamp(START_MS / 1000, UTC),
        value=made.value or b"",
        trace=trace,
    )


def test_a_structured_event_is_read() -> None:
    event = {
        "specversion": "1.0",
        "id": "c-1",
        "type": "SaveBuyer",
        "source": "/shop",
        "traceparent": "00-00000000000000000000000000000001-0000000000000002-01",
        "priority": 7,
        "data": {**ADA, "xp": {"Rate": 0.1, "Count": 12345678901234567}},
    }
    headers = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
    made = FakeRecord("catalog.commands", json.dumps(event).encode(), b"ada", headers)

    decoded = decode(made)

    assert isinstance(decoded, Message)
    assert decoded.body == Buyer(id="ada", name="Ada", xp={"Rate": 0.1, "Count": 12345678901234567})
    assert (decoded.id, decoded.source, decoded.trace) == (
        "c-1",
        "/shop",
        "00-00000000000000000000000000000001-0000000000000002-01",
    )


@pytest.mark.parametrize("amount", ["0.1", "99999999999.9999", "12345678901", "0.0001"])
def test_money_in_a_structured_event_is_exact(amount: str) -> None:
    data = (
        '{"Order":{"ID":"o","FromCompanyID":"b"},"LineItems":[],'
        f'"Payments":[{{"Type":"CreditCard","Amount":{amount}}}]}}'
    )
    event = f'{{"type":"PlaceOrder","id":"1","source":"/","data":{data}}}'
    headers = [("content-type", b"application/cloudevents+json")]
    made = FakeRecord("orders.commands", event.encode(), b"o", headers)

    decoded = decoder(PLACE_ORDER).decode(made)

    assert isinstance(decoded, Message)
    assert str(decoded.body.payments[0].amount) == amount


def test_a_command_without_an_id_has_its_place_instead() -> None:
    decoded = decode(record(BUYER.save, ADA, partition=2, offset=7))

    assert isinstance(decoded, Message)
    assert decoded.id == f"catalog.commands/2/7@{START_MS}"


def test_a_moved_command_without_an_id_has_the_place_it_came_from() -> None:
    moved = (REKEYED_FROM, b"catalog.commands/1/3@99")

    decoded = decode(record(BUYER.save, ADA, headers=[moved]))

    assert isinstance(decoded, Message)
    assert decoded.id == "catalog.commands/1/3@99"


def test_a_moved_command_keeps_its_id() -> None:
    decoded = decode(record(BUYER.save, ADA, id="c-1", headers=[(REKEYED_FROM, b"elsewhere")]))

    assert isinstance(decoded, Message)
    assert decoded.id == "c-1"


@pytest.mark.parametrize("key", [None, b"", b"other", b"\xff"])
def test_a_command_under_another_key_is_misplaced(key: bytes | None) -> None:
    made = record(BUYER.save, ADA, key=key)

    assert decode(made) == Misplaced(made, "ada")


@pytest.mark.parametrize(("key", "read"), [(None, ""), (b"\xff", "�"), (b"o-1", "o-1")])
def test_an_event_may_have_any_key(key: bytes | None, read: str) -> None:
    made = record(ORDER_PRICED, {"OrderID": "o", "RequestID": "r"}, id="1", key=key)

    decoded = decoder(ORDER_PRICED).decode(made)

    assert isinstance(decoded, Message)
    assert decoded.key == read


def test_a_topic_of_one_type_needs_no_type() -> None:
    made = record(ORDER_PRICED, {"OrderID": "o", "RequestID": "r"}, id="1")
    made.headers = []

    decoded = decoder(ORDER_PRICED).decode(made)

    assert isinstance(decoded, Message)
    assert decoded.type is ORDER_PRICED


def test_a_type_that_another_service_wants_is_skipped_unread() -> None:
    made = record(PLACE_ORDER, {"Order": {"ID": "o", "FromCompanyID": "b"}})
    made.value = b"not even JSON"
    other = Decoder({}, {"orders.commands": frozenset({"PlaceOrder"})}, frozenset(), 100)

    assert other.decode(made) is None


@pytest.mark.parametrize("value", [None, b"\xff", b"\xc3\x28"])
def test_a_header_that_is_no_text_is_told(value: bytes | None) -> None:
    made = record(BUYER.save, ADA, headers=[("note", value)])

    assert "header is null or not UTF-8" in reason(made)


def test_a_tombstone_is_told() -> None:
    assert "the value is null" in reason(record(BUYER.save, ADA, value=None))


@pytest.mark.parametrize("value", [b"", b"{", b"\xff\xfe", b"[1]", b"null", b'"text"', b"NaN"])
def test_a_body_that_is_no_object_is_told(value: bytes) -> None:
    assert reason(record(BUYER.save, ADA, value=value)).startswith("not a SaveBuyer: ")


def test_a_body_of_another_schema_is_told_by_path_and_without_its_values() -> None:
    said = reason(record(BUYER.save, ADA, value=b'{"ID":"a b","Active":"secret"}'))

    assert said.startswith("not a SaveBuyer: ")
    assert "ID: " in said
    assert "Name: Field required" in said
    assert "Active: " in said
    assert "secret" not in said
    assert "a b" not in said


def test_of_many_faults_five_are_told() -> None:
    lines = [{"Quantity": "x"}] * 10
    body = {"Order": {"ID": "o", "FromCompanyID": "b"}}
    made = record(PLACE_ORDER, body)
    made.value = json.dumps({**body, "LineItems": lines}).encode()

    decoded = decoder(PLACE_ORDER).decode(made)

    assert isinstance(decoded, Poison)
    assert decoded.reason.endswith("(and 15 more)")


def test_a_body_nested_beyond_reason_is_told() -> None:
    deep = b'{"ID":"ada","Name":"Ada","xp":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"

    assert reason(record(BUYER.save, ADA, value=deep)).startswith("not a SaveBuyer: ")


def test_an_unknown_type_is_told_with_those_that_there_are() -> None:
    made = record(BUYER.save, ADA)
    made.headers = [("ce_type", b"SaveByer")]

    said = reason(made)

    assert said.startswith("unknown ce_type 'SaveByer'; catalog.commands takes ")
    assert "SaveBuyer, " in said


def test_a_missing_type_is_told_with_those_that_there_are() -> None:
    made = record(BUYER.save, ADA, id="1")
    made.headers = [header for header in made.headers if header[0] != "ce_type"]

    said = reason(made)

    assert said.startswith("no ce_type header; set it to one of ")
    assert "SaveBuyer" in said


def test_a_command_that_is_too_large_is_told() -> None:
    made = record(BUYER.save, ADA, value=b"{" + b" " * 200 + b"}")

    assert reason(made, max_bytes=200) == "202 bytes, more than the 200 that a command may have"


@pytest.mark.parametrize("header", ["ce_id", "ce_source"])
def test_an_identity_that_is_too_long_to_remember_is_told(header: str) -> None:
    made = record(BUYER.save, ADA)
    made.headers = [*((n, v) for n, v in made.headers if n != header), (header, b"x" * 257)]

    assert reason(made) == "ce_id or ce_source is longer than 256 characters; shorten it"


def test_the_largest_command_is_taken() -> None:
    made = record(BUYER.save, ADA)

    assert isinstance(decode(made, max_bytes=len(made.value or b"")), Message)


def test_an_event_may_be_larger_than_a_command() -> None:
    made = record(ORDER_PRICED, {"OrderID": "o", "RequestID": "r"}, id="1")

    assert isinstance(decoder(ORDER_PRICED, max_bytes=10).decode(made), Message)


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"{}", b'"data"', b"\xff"])
def test_a_structured_event_that_is_none_is_told(value: bytes) -> None:
    headers = [("content-type", b"application/cloudevents+json")]

    assert reason(FakeRecord("catalog.commands", value, b"ada", headers)) in (
        "the value is not JSON",
        "a structured CloudEvent must be a JSON object with data",
    )


@pytest.mark.parametrize("depth", [10, 900, 960, 980, 990, 1000, 100_000])
def test_a_structured_event_nested_beyond_reason_is_told(depth: int) -> None:
    deep = b'{"type":"SaveBuyer","data":' + b"[" * depth + b"]" * depth + b"}"
    headers = [("content-type", b"application/cloudevents+json")]

    assert reason(FakeRecord("catalog.commands", deep, b"ada", headers))


@pytest.mark.parametrize("timestamp", [2**62, -(2**62), 253_402_300_800_000])
def test_a_time_that_is_none_is_told(timestamp: int) -> None:
    assert "timestamp" in reason(record(BUYER.save, ADA, id="1", timestamp=timestamp))


@pytest.mark.parametrize(
    "made",
    [
        FakeRecord("catalog.commands", b"junk", b"k", [("ce_type", b"Junk")]),
        FakeRecord("catalog.commands", b"junk", b"k", [("note", None)]),
        FakeRecord("catalog.commands", None, b"k"),
        FakeRecord("catalog.commands", b"junk", b"k"),
    ],
    ids=["unknown type", "null header", "tombstone", "no type"],
)
def test_what_nobody_can_tell_the_type_of_is_left_to_the_topics_owner(made: FakeRecord) -> None:
    assert decode(made, owned=False) is None
    assert isinstance(decode(made, owned=True), Poison)


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": b"{"},
        {"value": None},
        {"headers": [("ce_type", b"SaveBuyer"), ("note", None)]},
        {"headers": [("ce_type", b"SaveBuyer"), ("note", b"\xff")]},
    ],
    ids=["not JSON", "tombstone", "null header", "header not UTF-8"],
)
def test_a_wanted_type_is_set_aside_by_who_wants_it(wrong: dict[str, Any]) -> None:
    assert reason(record(BUYER.save, ADA, **wrong), owned=False)


def test_a_type_that_another_wants_is_passed_over_whatever_is_wrong_with_it() -> None:
    made = record(SUPPLIER.save, ADA, value=None)

    assert decode(made, owned=True) is None


headers = st.lists(
    st.tuples(
        st.sampled_from(["ce_type", "ce_id", "ce_source", "content-type", REKEYED_FROM, "other"]),
        st.none()
        | st.binary(max_size=20)
        | st.sampled_from([b"SaveBuyer", b"DeleteBuyer", b"application/cloudevents+json"]),
    ),
    max_size=6,
)
values = (
    st.none()
    | st.binary(max_size=50)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["ID", "Name", "data", "type", "xp"]) | st.text(), inner
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)


@settings(deadline=None)
@given(headers, values, st.none() | st.binary(max_size=10), st.integers())
def test_nothing_makes_it_raise(
    headers: list[tuple[str, bytes | None]],
    value: bytes | None,
    key: bytes | None,
    timestamp: int,
) -> None:
    made = FakeRecord("catalog.commands", value, key, headers, timestamp=timestamp)

    assert isinstance(decode(made), Message | Poison | Misplaced | None)
