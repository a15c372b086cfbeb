"""What buyers and suppliers have in common, and who may trade with whom."""

from typing import Any

from shared.http.documents import State, with_ids
from shared.http.door import Door
from shared.http.errors import forbidden
from shared.http.kinds import Change
from shared.http.operations import Call
from shared.http.principal import UserType


async def founded_by_the_seller(door: Door, change: Change) -> None:
    """A company administers itself; that there is one is the marketplace's to say."""
    if change.before is None:
        _need_the_seller(change.call)


async def closed_by_the_seller(door: Door, states: list[State], call: Call) -> None:
    _need_the_seller(call)


def _need_the_seller(call: Call) -> None:
    if call.principal.user_type is not UserType.ADMIN:
        raise forbidden(
            "Auth.UserNotAuthorizedToAdmin",
            "Companies are created and deleted by the marketplace's own users: use a token of one.",
            UserTypes=[UserType.ADMIN],
        )


async def buyers_of(door: Door, supplier_id: str) -> dict[str, Any]:
    """The scope of the buyers that the marketplace tied to a supplier."""
    ties = await door.documents["SupplierBuyer"].find({"SupplierID": supplier_id})
    return with_ids(tie["BuyerID"] for tie in ties)


async def sellers_to(door: Door, buyer_id: str) -> dict[str, Any]:
    """The scope of the suppliers that a buyer may order from: those that sell to all, and those
    tied to it."""
    ties = await door.documents["SupplierBuyer"].find({"BuyerID": buyer_id})
    tied = with_ids(tie["SupplierID"] for tie in ties)["$expr"]
    return {"$expr": {"$or": [{"$eq": ["$state.AllBuyersCanOrder", True]}, tied]}}
