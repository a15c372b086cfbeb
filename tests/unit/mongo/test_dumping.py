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
