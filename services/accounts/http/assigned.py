"""What is assigned to a buyer's user: to the user itself, to one of its groups, or to all of the
buyer."""

from typing import Any

from services.accounts.http.user_rules import groups_of
from shared.http.documents import State
from shared.http.door import Door
from shared.http.principal import Principal, UserType


async def assigned_to(door: Door, kind: str, principal: Principal) -> list[State]:
    """The assignments of ``kind`` that hold for the user."""
    company, user = principal.company_id, principal.user_id
    groups = await groups_of(door, UserType.BUYER, company, user)
    fields: dict[str, Any] = {
        "BuyerID": company,
        "UserGroupID": {"$in": [None, *sorted(groups)]},
    }
    documents = door.documents[kind]
    if "user_id" in documents.events.stored.model_fields:
        fields["UserID"] = {"$in": [None, user]}
    # The query takes letters of either case for equal.
    return [
        each
        for each in await documents.find(fields)
        if each.get("UserID") in (None, user)
        and (each.get("UserGroupID") or None) in (None, *groups)
    ]
