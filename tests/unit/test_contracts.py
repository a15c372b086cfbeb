"""Every message survives the wire and MongoDB, under the wire's names."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.contracts.base import ID, Address, Time, Xp, wire_name
from shared.contracts.catalog import Webhook
from shared.contracts.orders import LineItem
from shared.contracts.registry import (
    TOPIC_OWNERS,
    MessageType,
    Topics,
    find_type,
    message_types,
)
from shared.mongo.codec import CODEC
from tests.support.bodies import bodies


@pytest.mark.parametrize("type", message_types().values(), ids=attrgetter("name"))
@settings(max_examples=8, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_a_body_survives_the_wire_and_mongodb(type: MessageType[Any], data: st.DataObject) -> None:
    body = data.draw(bodies(type.body))

    wire = body.model_dump_json(exclude_none=True)
    received = type.body.model_validate_json(wire)
    document = bson.encode(received.model_dump(exclude_none=True))
    stored = type.body.model_validate(bson.decode(document, CODEC))

    assert received == body
    assert stored == body
    assert stored.model_dump_json(exclude_none=True) == wire


@pytest.mark.parametrize("type", message_types().values(), ids=attrgetter("name"))
@settings(max_examples=2, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_a_body_gives_its_key(type: MessageType[Any], data: st.DataObject) -> None:
    key = type.key(data.draw(bodies(type.body)))

    assert isinstance(key, str)
    assert key


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("id", "ID"),
        ("from_company_id", "FromCompanyID"),
        ("product_ids", "ProductIDs"),
        ("street1", "Street1"),
        ("xp", "xp"),
        ("order_can_exceed", "OrderCanExceed"),
        ("all_buyers_can_order", "AllBuyersCanOrder"),
        ("id_card", "IDCard"),
        ("valid", "Valid"),
    ],
)
def test_python_names_have_their_wire_names(name: str, wire: str) -> None:
    assert wire_name(name) == wire


def test_names_on_the_wire_are_the_wires() -> None:
    line = LineItem(id="1", product_id="p", quantity=2, unit_price=Decimal("1.50"), xp={"a_b": 1})

    assert line.model_dump_json(exclude_none=True, exclude_defaults=True) == (
        '{"ID":"1","ProductID":"p","Quantity":2,"UnitPrice":1.5,"xp":{"a_b":1}}'
    )


def test_unknown_fields_are_ignored() -> None:
    address = Address.model_validate_json('{"City":"Turin","Planet":"Earth"}')

    assert address == Address(city="Turin")


def test_resources_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Address(city="Turin").city = "Milan"  # type: ignore[misc]


@pytest.mark.parametrize(
    "id", ["", "a b", "a/b", "ü", "a" * 101, "a\n", "a\x00", "a.b", "$a"], ids=ascii
)
def test_what_is_no_id_is_refused(id: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ID).validate_python(id)


@pytest.mark.parametrize("id", ["a", "A-1_b", "a" * 100, "-", "0"])
def test_what_is_an_id(id: str) -> None:
    assert TypeAdapter(ID).validate_python(id) == id


@pytest.mark.parametrize(
    ("wire", "moment"),
    [
        ("2026-01-02T03:04:05.678999Z", datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)),
        ("2026-01-02T03:04:05+02:00", datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_times_are_utc_to_the_millisecond(wire: str, moment: datetime) -> None:
    read = TypeAdapter(Time).validate_python(wire)

    assert read == moment
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize("wire", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"])
def test_a_time_outside_the_calendar_is_refused(wire: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Time).validate_python(wire)


@pytest.mark.parametrize(
    "xp",
    [
        {"a": 2**63},
        {"a": -(2**63) - 1},
        {"a": [{"b": float("nan")}]},
        {"a": float("inf")},
        {"a\0": 1},
        {"a": [{"\0": 1}]},
    ],
)
def test_free_data_that_mongodb_cannot_keep_is_refused(xp: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Xp).validate_python(xp)


def test_free_data_nested_beyond_reason_is_refused() -> None:
    deep: Any = 1
    for _ in range(33):
        deep = [deep]

    with pytest.raises(ValidationError, match="more than 32 levels"):
        TypeAdapter(Xp).validate_python({"a": deep})


def test_types_are_found_by_topic_and_name() -> None:
    assert all(find_type(topic, name) is type for (topic, name), type in message_types().items())
    assert find_type(Topics.ORDERS_COMMANDS, "SaveBuyer") is None


def test_a_type_that_is_read_through_a_view_has_no_key_of_its_own() -> None:
    view = message_types()[Topics.CATALOG_COMMANDS, "SaveWebhook"].reading(Address)

    with pytest.raises(TypeError, match="takes its key from its record"):
        view.key(Address())


def test_every_topic_that_is_consumed_has_one_owner() -> None:
    announced = {
        Topics.CATALOG_EVENTS,
        Topics.ACCOUNTS_EVENTS,
        Topics.NOTIFICATIONS_EVENTS,
        Topics.COMMANDS_REJECTED,
    }

    assert set(TOPIC_OWNERS) == {topic for topic, _ in message_types()} - announced


def test_a_webhook_has_one_or_two_keys() -> None:
    for keys in ([], ["a", "b", "c"]):
        with pytest.raises(ValidationError):
            Webhook(id="w", url="https://example.com", hash_keys=keys)
