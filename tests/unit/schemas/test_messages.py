"""The schemas of messages say what the code takes and sends."""

import json
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from pymongo import AsyncMongoClient

from services import names, runtime
from shared.contracts import registry
from shared.contracts.flows import (
    API,
    OUTSIDE,
    SERVICES,
    TOPIC_DESCRIPTIONS,
    Direction,
    consumers,
    direction,
    producers,
    set_aside_by,
    summary,
)
from shared.contracts.registry import TOPIC_OWNERS, MessageType, Topics, message_types
from shared.metrics import Metrics
from shared.schemas.messages import key_fields, message_schema, message_schemas
from shared.service import Resources
from shared.settings import Settings
from tests.support.bodies import bodies
from tests.support.contract import faults
from tests.support.fakes import FakePublisher

every_type = pytest.mark.parametrize("type", message_types().values(), ids=attrgetter("name"))


def parts(name: str) -> dict[str, Any]:
    """The parts of a message's schema by their names, its own under its name."""
    schema = message_schemas()[name]
    return {**schema.get("$defs", {}), name: schema}


@every_type
def test_a_schema_is_a_schema(type: MessageType[Any]) -> None:
    Draft202012Validator.check_schema(message_schema(type))


@every_type
@settings(max_examples=8, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_what_a_model_writes_is_of_its_schema(type: MessageType[Any], data: st.DataObject) -> None:
    body = data.draw(bodies(type.body))

    wire = json.loads(body.model_dump_json(exclude_none=True))

    assert faults(type.topic, type.name, wire) == []


@every_type
@settings(max_examples=4, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_the_named_fields_give_the_key(type: MessageType[Any], data: st.DataObject) -> None:
    body = data.draw(bodies(type.body))
    wire = json.loads(body.model_dump_json(exclude_none=True))

    key = type.key(body)

    assert next(filter(None, (_joined(wire, paths) for paths in key_fields(type)))) == key


def _joined(wire: Any, paths: str) -> str:
    return "/".join(_at(wire, path) for path in paths.split("/"))


def _at(wire: Any, path: str) -> str:
    for name in path.split("."):
        wire = wire.get(name, {})
    return wire or ""


PLACED = {"Order": {"ID": "o", "FromCompanyID": "b"}}


@pytest.mark.parametrize(
    ("topic", "type", "body"),
    [
        ("orders.commands", "PlaceOrder", PLACED),
        ("orders.commands", "PlaceOrder", {"Order": {**PLACED["Order"], "FromUser": "ada"}}),
        ("orders.commands", "PlaceOrder", {"Order": {**PLACED["Order"], "FromUser": None}}),
        ("orders.commands", "PlaceOrder", {**PLACED, "Payments": [{"Type": "CreditCard"}]}),
        ("orders.commands", "PlaceOrder", {**PLACED, "Payments": None, "Unknown": 1}),
        ("orders.commands", "PlaceOrder",
         {**PLACED, "LineItems": [{"ProductID": "p", "UnitPrice": 99_999_999_999.9999}]}),
        ("shipments.commands", "UpdateShipment", {"ID": "s", "Shipper": None}),
        ("catalog.commands", "SaveInventory", {"ID": "p", "QuantityAvailable": 0}),
    ],
)  # fmt: skip
def test_a_command_of_its_schema_is_taken(topic: str, type: str, body: dict[str, Any]) -> None:
    found = registry.find_type(topic, type)
    assert found is not None

    found.body.model_validate_json(json.dumps(body))

    assert faults(topic, type, body) == []


@pytest.mark.parametrize(
    ("topic", "type", "body"),
    [
        ("orders.commands", "PlaceOrder", {}),
        ("orders.commands", "PlaceOrder", {"Order": {"ID": "o"}}),
        ("orders.commands", "PlaceOrder", {"Order": {"ID": "o o", "FromCompanyID": "b"}}),
        ("orders.commands", "PlaceOrder", {"Order": {**PLACED["Order"], "Currency": "usd"}}),
        ("orders.commands", "PlaceOrder", {"Order": {**PLACED["Order"], "FromUser": "a b"}}),
        ("orders.commands", "PlaceOrder", {**PLACED, "Payments": [{"Type": "Cash"}]}),
        ("orders.commands", "PlaceOrder", {**PLACED, "LineItems": None}),
        ("orders.commands", "PlaceOrder",
         {**PLACED, "LineItems": [{"ProductID": "p", "UnitPrice": -1}]}),
        ("orders.commands", "PlaceOrder",
         {**PLACED, "LineItems": [{"ProductID": "p", "UnitPrice": 100_000_000_000}]}),
        ("shipments.commands", "CreateShipment", {"ID": "s", "Shipper": "x" * 201}),
        ("forwarding.commands", "AssignSupplier", {"OrderID": "o", "Assignments": []}),
        ("catalog.commands", "SaveWebhook", {"ID": "w", "Url": "u", "HashKeys": []}),
        ("catalog.commands", "SavePromotion",
         {"ID": "p", "Code": "P", "DiscountType": "Amount", "Value": 0}),
    ],
)  # fmt: skip
def test_a_command_against_its_schema_is_refused(
    topic: str, type: str, body: dict[str, Any]
) -> None:
    found = registry.find_type(topic, type)
    assert found is not None

    with pytest.raises(ValidationError):
        found.body.model_validate_json(json.dumps(body))

    assert len(faults(topic, type, body)) == 1


def test_an_event_has_every_field_that_is_never_null() -> None:
    order = parts("orders.events.OrderSubmitted")["Order"]

    assert order["required"] == [
        "ID", "FromCompanyID", "Currency", "Status", "IsSubmitted", "LineItemCount", "DateCreated",
        "LastUpdated", "Subtotal", "ShippingCost", "ShippingCostOverridden", "TaxCost",
        "PromotionDiscount", "Total",
    ]  # fmt: skip
    assert order["properties"]["Total"] == {"type": "number"}
    assert order["properties"]["DateSubmitted"] == {
        "type": "string",
        "format": "date-time",
    }


def test_the_kinds_that_may_grow_are_open_in_events_and_closed_in_commands() -> None:
    sent = parts("orders.events.OrderSubmitted")
    taken = parts("orders.commands.PlaceOrder")

    assert sent["PaymentType"] == {
        "title": "PaymentType",
        "type": "string",
        "x-extensible-enum": ["PurchaseOrder", "CreditCard", "SpendingAccount"],
    }
    assert taken["PaymentType"]["enum"] == ["PurchaseOrder", "CreditCard", "SpendingAccount"]
    assert "enum" in sent["OrderStatus"]


def test_descriptions_name_fields_as_the_wire_does() -> None:
    line = parts("orders.commands.PlaceOrder")["LineItemDraft"]

    assert line["description"] == (
        "A line as a caller gives it. `UnitPrice` and `ShippingCost` override what pricing would"
        " find; `ShippingCost` is for the whole line."
    )


def test_what_is_between_the_services_is_marked() -> None:
    inside = [n for n, schema in message_schemas().items() if not schema["x-ordermesh"]["public"]]

    assert inside == [
        "pricing.requests.PriceOrder",
        "pricing.requests.ReleaseOrder",
        "pricing.results.OrderPriced",
    ]


# --- who sends and who reads --------------------------------------------------------------------


async def test_the_services_read_what_is_written_down() -> None:
    mongo: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient("mongodb://127.0.0.1:1/", connect=False) as mongo:
        built = [
            runtime.build(name, Resources(Settings(), mongo, FakePublisher(), Metrics()))
            for name in names.SERVICES
        ]

    read = {
        (service.name, type.topic, type.name)
        for service in built
        for processor in service.processors
        for type in processor.types
    }
    assert read == {
        (service, type.topic, type.name)
        for type in message_types().values()
        for service in consumers(type)
        if service != OUTSIDE
    }


@every_type
def test_every_message_has_somebody_who_sends_and_somebody_who_reads(
    type: MessageType[Any],
) -> None:
    assert producers(type)
    assert consumers(type)
    assert {*producers(type), *consumers(type)} <= {OUTSIDE, API, *SERVICES}
    assert summary(type).endswith(".")
    assert (OUTSIDE in producers(type)) == (direction(type.topic) is Direction.COMMAND)


def test_every_topic_is_described() -> None:
    assert TOPIC_DESCRIPTIONS.keys() == {topic for topic, _ in message_types()}


def test_who_owns_a_topic_is_among_those_who_set_aside_what_is_on_it() -> None:
    assert {t for t, owner in TOPIC_OWNERS.items() if owner not in set_aside_by(t)} == set()
    assert set_aside_by(Topics.ORDERS_EVENTS) == ("forwarding", "notifications", "shipments")
    assert set_aside_by(Topics.COMMANDS_REJECTED) == ()
