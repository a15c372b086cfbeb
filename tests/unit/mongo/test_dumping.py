"""What is stored of a resource is what pydantic would dump of it."""

from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.checkout.domain.state import OrderState
from services.forwarding.domain import Forwarding
from services.notifications.domain import Delivery
from services.pricing.allotments import Allotment
from services.pricing.quotes import Quote
from services.shipments.ledger import Ledger
from services.shipments.shipment import ShipmentState
from shared.contracts.base import Resource
from shared.contracts.registry import message_types
from shared.mongo.dumping import bson_of
from tests.support.bodies import bodies

STATES = (OrderState, Forwarding, Delivery, Allotment, Quote, Ledger, ShipmentState)
MODELS = {*STATES, *(type.body for type in message_types().values())}


class Part(Resource):
    id: str
    note: str | None = None


class Whole(Resource):
    id: str
    first: Part | None = None
    parts: list[Part] | None = None
    named: dict[str, Part] | None = None
    amounts: dict[str, int] | None = None


@pytest.mark.parametrize("model", sorted(MODELS, key=lambda each: each.__name__))
@settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_it_is_what_pydantic_would_store(model: type[Resource], data: st.DataObject) -> None:
    resource = data.draw(bodies(model))

    assert bson.encode(bson_of(resource)) == bson.encode(resource.model_dump(exclude_none=True))


def test_a_kind_of_value_that_nobody_said_how_to_write_is_refused() -> None:
    class Odd(Resource):
        parts: set[str]

    with pytest.raises(TypeError, match="it is not known how BSON has set"):
        bson_of(Odd(parts={"a"}))


def test_free_data_keeps_what_is_null_in_it() -> None:
    class Free(Resource):
        xp: dict[str, Any]

    assert bson_of(Free(xp={"a": None, "b": [{"c": None}]})) == {
        "xp": {"a": None, "b": [{"c": None}]}
    }


def test_what_is_kept_shares_its_given_fields_at_every_depth_and_nothing_else_changes() -> None:
    def whole() -> Whole:
        return Whole(
            id="w",
            first=Part(id="1"),
            parts=[Part(id="2", note="two"), Part(id="3")],
            named={"four": Part(id="4")},
            amounts={"five": 5},
        )

    one, other = whole(), whole()
    assert bson_of(one, kept=True) == bson_of(other, kept=True) == bson_of(whole())

    assert one == whole()
    assert one.model_dump_json() == whole().model_dump_json()
    assert one.model_fields_set == {"id", "first", "parts", "named", "amounts"}
    assert one.model_fields_set is other.model_fields_set
    assert one.first is not None
    assert one.parts is not None
    assert one.named is not None
    parts = [one.first, *one.parts, *one.named.values()]
    assert {id(part.model_fields_set) for part in parts} == {id(one.first.model_fields_set)}
    changed = one.model_copy(update={"id": "x"})
    assert changed.model_fields_set is one.model_fields_set
    assert (changed.id, one.id) == ("x", "w")
    assert bson_of(Whole(id="w"), kept=True) == {"ID": "w"}


def test_what_is_not_kept_keeps_its_given_fields() -> None:
    whole = Whole(id="w", first=Part(id="1"))
    bson_of(whole)

    assert whole.model_fields_set == {"id", "first"}
    assert whole.first is not None
    assert whole.first.model_fields_set == {"id"}
