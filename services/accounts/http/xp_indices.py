"""Indexed properties: keys in the ``xp`` of a kind of resource by which lists are found fast."""

import re
from collections.abc import Mapping, Sequence

from shared.contracts.access import XpThingType
from shared.contracts.resources import XP_INDEX
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request
from shared.http.kinds import Assignment, Change, Roles
from shared.http.operations import ADMIN, Call
from shared.http.query import index
from shared.http.xp_indices import COLLECTION, ensure_xp_indexes

OWN_THINGS: Mapping[str, Sequence[str]] = {
    XpThingType.ADDRESS.value: ("addresses",),
    XpThingType.COST_CENTER.value: ("cost_centers",),
    XpThingType.CREDIT_CARD.value: ("credit_cards",),
    XpThingType.USER_GROUP.value: ("user_groups",),
    XpThingType.COMPANY.value: ("buyers", "suppliers"),
    XpThingType.SPENDING_ACCOUNT.value: ("spending_accounts",),
    XpThingType.USER.value: ("users",),
}
"""The collections of this service's things."""

MOST_A_THING = 10
"""Each index costs every write of the thing, and MongoDB has 64 to a collection at most."""

_KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


async def _names_a_property(door: Door, change: Change) -> None:
    if _KEY.fullmatch(change.after.key) is None:
        raise bad_request(
            "ValidationFailure",
            "Key is the name of a property in xp, of letters, digits, hyphens and underscores;"
            " those of nested ones have dots between.",
            Field="Key",
        )


async def _is_one_of_few(door: Door, change: Change) -> None:
    thing = change.after.thing_type.value
    others = await door.documents["XpIndex"].find({"ThingType": thing})
    keys = {other["Key"] for other in others} - {change.after.key}
    if len(keys) >= MOST_A_THING:
        raise bad_request(
            "ValidationFailure",
            f"{thing} has {MOST_A_THING} indexed properties, which is the most: delete one first.",
            Field="Key",
            Maximum=MOST_A_THING,
        )


async def ensure_own(door: Door) -> None:
    """Makes the indexes of this service's own things."""
    resources = door.resources
    await ensure_xp_indexes(resources.database(door.service), OWN_THINGS, resources)


async def _is_made(door: Door, change: Change) -> None:
    if change.after.thing_type.value in OWN_THINGS:
        await ensure_own(door)


async def _is_dropped(door: Door, states: list[State], call: Call) -> None:
    await ensure_own(door)


INDICES = Assignment(
    events=XP_INDEX,
    sdk="XpIndices",
    methods=("List", "Put", "Delete"),
    list="/xpindices",
    save="/xpindices",
    save_method="PUT",
    delete="/xpindices/{thingType}/{key}",
    collection=COLLECTION,
    roles=Roles((), ("XpIndexAdmin",)),
    users=ADMIN,
    filterable=True,
    searchable=("ThingType", "Key"),
    sortable=("ThingType", "Key"),
    rules=(_names_a_property, _is_one_of_few),
    after_write=(_is_made,),
    after_delete=(_is_dropped,),
    indexes=(index("ThingType", "Key"),),
)
