"""Whose something is: the marketplace's, or a supplier's."""

from typing import Any

from shared.http.door import Door
from shared.http.errors import ApiError, error
from shared.http.kinds import Change
from shared.http.places import PRODUCTS, SUPPLIERS


def owner_of(door: Door, state: Any) -> str:
    """The ID of who owns a resource; without any it is the marketplace."""
    owner = state.get("OwnerID") if isinstance(state, dict) else state.owner_id
    return str(owner or door.resources.settings.marketplace_id)


async def owner_exists(door: Door, change: Change) -> None:
    """The owner of something new is the marketplace or a supplier that there is."""
    owner = owner_of(door, change.after)
    known = (door.resources.settings.marketplace_id, change.call.principal.company_id)
    if change.before is not None or owner in known:
        return
    if not await door.exists(SUPPLIERS, owner):
        raise ApiError(
            404,
            [
                error(
                    "NotFound",
                    f"OwnerID names no Supplier: there is none with ID {owner}; correct it, or"
                    " leave it out for the marketplace's own.",
                    ObjectType="Supplier",
                    ObjectID=owner,
                    Field="OwnerID",
                )
            ],
        )


async def own_product(door: Door, change: Change) -> None:
    """A supplier assigns its own products alone."""
    await door.check_owner(PRODUCTS, change.call, change.after.product_id)
