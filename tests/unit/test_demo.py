"""What the demo makes of what its outside systems heard."""

from typing import Any

from services.demo.outside import OutsideEvent
from services.demo.stage import CREATION, Stage


def refused(command: str, id: str, code: str) -> OutsideEvent:
    body: dict[str, Any] = {
        "Command": {"Topic": "shipments.commands", "Type": command, "ID": id, "Source": "demo"},
        "Errors": [{"ErrorCode": code, "Message": "No."}, {"ErrorCode": "Other", "Message": "No."}],
    }
    return OutsideEvent("CommandRejected", id, body, 0.0)


def test_units_of_refused_shipments_are_counted_by_their_first_reason_and_once() -> None:
    stage = Stage(wanted=1, shipments={"S1": 2, "S2": 3, "S3": 4, "S4": 5})

    stage.hear(refused("CreateShipment", f"{CREATION}S1", "Order.CannotShipBadStatus"))
    stage.hear(refused("CreateShipment", f"{CREATION}S1", "Order.CannotShipBadStatus"))
    stage.hear(refused("CreateShipment", f"{CREATION}S2", "Order.CannotShipBadStatus"))
    stage.hear(refused("CreateShipment", f"{CREATION}S3", "NotFound"))
    stage.hear(refused("UpdateShipment", "leave-S4", "NotFound"))

    assert stage.refused_units == {"Order.CannotShipBadStatus": 5, "NotFound": 4}


def test_where_nothing_is_refused_no_unit_is() -> None:
    stage = Stage(wanted=1, shipments={"S1": 2})

    stage.hear(refused("CancelOrder", "cancel-O1", "Order.CannotCancelInCurrentStatus"))

    assert stage.refused_units == {}
