"""Products as a buyer's user sees them: at the user's price, with the stock that is for it."""

from collections.abc import Sequence
from typing import Any

from services.pricing.http.category_tree import depth_of
from services.pricing.http.lookups import states_by_id, token
from services.pricing.http.placement import in_list
from services.pricing.http.places import location_id
from services.pricing.http.price_schedules import show_sale
from services.pricing.http.products import show_numbers
from services.pricing.http.stock import Stock
from services.pricing.http.visibility import (
    Viewer,
    catalog_views,
    default_catalog,
    need_catalog,
    visible_products,
)
from shared.contracts.assortment import BuyerProduct
from shared.contracts.catalog import PriceSchedule
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request, not_found
from shared.http.operations import Call
from shared.http.present import presenter_of

__all__ = ["my_product", "my_products", "priced", "shown_to", "sold_by"]

_present_product = presenter_of(BuyerProduct)
_present_schedule = presenter_of(PriceSchedule)


async def my_products(door: Door, viewer: Viewer, call: Call) -> dict[str, Any]:
    """The condition on products that the list's own parameters make: a catalog, a category and
    how deep below it, a seller."""
    catalog, category = call.parameter("catalogID"), call.parameter("categoryID")
    levels = depth_of(call, None)
    if category is not None and catalog is None:
        catalog = await default_catalog(door, viewer)
        if catalog is None:
            raise bad_request(
                "Product.CategoryFilterRequiresCatalogID",
                "categoryID names a category of a catalog, and your company has no default"
                " catalog: send catalogID with it.",
                Parameter="catalogID",
            )
    catalogs = viewer.catalogs if catalog is None else [need_catalog(viewer, catalog)]
    wanted = [await visible_products(door, viewer, catalogs)]
    if catalog is not None and category is not None:
        tree = (await catalog_views(door, viewer, [catalog]))[catalog].tree
        if category not in tree.nodes or not tree.is_active(category):
            raise not_found("Category", category)
        below = tree.below(category, None if levels is None else levels - 1)
        wanted.append(in_list("categories", [token(catalog, each) for each in (category, *below)]))
    seller = call.parameter("sellerID")
    if seller is not None:
        wanted.append(sold_by(door, seller))
    return wanted[0] if len(wanted) == 1 else {"$and": wanted}


def sold_by(door: Door, seller: str) -> dict[str, Any]:
    """The condition that a product is sold by ``seller``."""
    if seller == door.resources.settings.marketplace_id:
        return {"state.OwnerID": {"$in": [seller, None]}}
    return {"$or": [{"state.OwnerID": seller}, in_list("suppliers", [token(seller)])]}


async def my_product(door: Door, viewer: Viewer, id: str, seller: str | None = None) -> State:
    """A product that the viewer sees. Raises :class:`ApiError` 404."""
    seen = await visible_products(door, viewer, viewer.catalogs)
    wanted: list[dict[str, Any]] = [{"_id": id}, seen]
    if seller is not None:
        wanted.append(sold_by(door, seller))
    found = await door.documents["Product"].collection.find_one({"$and": wanted}, {"state": 1})
    if found is None:
        raise not_found("Product", id)
    state: State = found["state"]
    return state


async def shown_to(
    door: Door, viewer: Viewer, states: list[State], call: Call, seller: str | None = None
) -> list[State]:
    """Products as answers."""
    answers = [_present_product(state) for state in states]
    if not states:
        return answers
    numbers = await door.documents["Product"].beside([state["ID"] for state in states])
    for answer, found in zip(answers, numbers, strict=True):
        show_numbers(door, answer, found)
    await _show_stock_for(door, viewer, answers)
    schedules = await priced(door, viewer, [(state, seller) for state in states], call)
    for answer, schedule in zip(answers, schedules, strict=True):
        answer["PriceSchedule"] = schedule
    return answers


async def priced(
    door: Door, viewer: Viewer, offers: Sequence[tuple[State, str | None]], call: Call
) -> list[State | None]:
    """The price schedule of each product with each seller (None: its owner), for the viewer: that
    assigned to a group of the user's, to the buyer, or the default; None where there is none."""
    ids = sorted({state["ID"] for state, _ in offers})
    assigned = [
        each
        for each in await door.documents["ProductAssignment"].find(
            {"ProductID": {"$in": ids}, "BuyerID": viewer.buyer_id}
        )
        if viewer.is_meant(each) and each.get("PriceScheduleID") is not None
    ]
    # A group's before the buyer's; of two groups' the one that comes first by its ID.
    assigned.sort(key=lambda each: (each.get("UserGroupID") is None, each.get("UserGroupID") or ""))
    sellers = {
        (each["ProductID"], each["SupplierID"]): each.get("DefaultPriceScheduleID")
        for each in await door.documents["ProductSupplier"].find({"ProductID": {"$in": ids}})
    }
    marketplace = door.resources.settings.marketplace_id
    chosen: list[str | None] = []
    for state, seller in offers:
        owner = state.get("OwnerID") or marketplace
        whose = owner if seller is None else seller
        default = state.get("DefaultPriceScheduleID")
        if whose != owner:
            default = sellers.get((state["ID"], whose))
        explicit = (
            each["PriceScheduleID"]
            for each in assigned
            if each["ProductID"] == state["ID"] and (each.get("SellerID") or owner) == whose
        )
        chosen.append(next(explicit, default))
    schedules = await states_by_id(door, "PriceSchedule", [id for id in chosen if id is not None])
    return [
        None if id is None or id not in schedules else _shown_schedule(schedules[id], call)
        for id in chosen
    ]


def _shown_schedule(state: State, call: Call) -> State:
    answer = _present_schedule(state)
    show_sale(answer, call.now)
    # Whose it is, is no buyer's concern.
    answer["OwnerID"] = None
    return answer


async def _show_stock_for(door: Door, viewer: Viewer, answers: list[State]) -> None:
    """Takes off what is at places whose inventory records are for others."""
    tracked = [answer for answer in answers if answer["Inventory"] is not None]
    if not tracked:
        return
    ids = [answer["ID"] for answer in tracked]
    records = await door.documents["InventoryRecord"].find(
        {"ProductID": {"$in": ids}, "AllowAllBuyers": False}
    )
    if not records:
        return
    given = {
        (each["ProductID"], each["InventoryRecordID"])
        for each in await door.documents["InventoryRecordAssignment"].find(
            {"ProductID": {"$in": ids}, "BuyerID": viewer.buyer_id}
        )
        if viewer.is_meant(each)
    }
    stock = await Stock(door.resources).of(ids)
    for answer in tracked:
        id = answer["ID"]
        hidden = sum(
            stock.get(id, {}).get("Records", {}).get(location_id(id, each["ID"]), 0)
            for each in records
            if each["ProductID"] == id and (id, each["ID"]) not in given
        )
        if hidden:
            inventory = answer["Inventory"]
            left = inventory["QuantityAvailable"] - hidden
            answer["Inventory"] = {**inventory, "QuantityAvailable": left}
