"""Products: what is sold."""

from collections.abc import Mapping
from typing import Any

from services.pricing.http.counts import COUNTED, count_anew, counts_of
from services.pricing.http.lookups import exact, token
from services.pricing.http.owners import owner_exists, owner_of
from services.pricing.http.placement import (
    in_list,
    place_new_product,
    place_renamed_product,
    placed_index,
)
from services.pricing.http.places import location_id, save_location
from services.pricing.http.product_rules import family_fits, references_fit, tracking_fits
from services.pricing.http.stock import (
    STOCK,
    Stock,
    at_places,
    available,
    shown_inventory,
    stock_beside,
)
from shared.contracts.resources import PRODUCT
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request
from shared.http.kinds import Beside, Cascade, Change, Kind, Refuse, admin_reader, own_by_owner
from shared.http.operations import Call, Parameter
from shared.http.query import ANY, index

__all__ = ["PRODUCTS", "show_numbers"]


async def stock_as_it_is(door: Door, change: Change) -> None:
    """What a product does not say of its stock is as it is now, not as it was saved last."""
    inventory = change.after.inventory
    if inventory is None:
        return
    sent = sent_inventory(change)
    told: dict[str, Any] = {} if sent is None else {"last_updated": change.call.now}
    before = None if change.before is None else change.before.id
    allotment = None if before is None else (await Stock(door.resources).of([before])).get(before)
    if allotment is not None and (
        sent is None or sent.get("QuantityAvailable") is None or at_places(allotment)
    ):
        told["quantity_available"] = available(allotment)
    if told:
        change.after = change.after.model_copy(
            update={"inventory": inventory.model_copy(update=told)}
        )


async def stock_follows(door: Door, change: Change) -> None:
    """The ledger, which orders take from, learns what was sent of the product's stock, as it does
    of ``SaveProduct``: nothing where nothing was."""
    product, stock = change.after, Stock(door.resources)
    if "Inventory" in change.sent and change.sent["Inventory"] is None:
        await stock.stop_tracking(product.id)
        return
    sent = sent_inventory(change)
    if sent is None or product.inventory is None:
        return
    quantity = sent.get("QuantityAvailable")
    if at_places((await stock.of([product.id])).get(product.id)):
        quantity = None
    inventory = product.inventory.model_copy(
        update={"quantity_available": None if quantity is None else int(quantity)}
    )
    await stock.set_by_product(product.model_copy(update={"inventory": inventory}))


def sent_inventory(change: Change) -> State | None:
    """What was sent of the product's stock."""
    sent = change.sent.get("Inventory")
    return sent if isinstance(sent, dict) else None


async def stock_is_renamed(door: Door, change: Change) -> None:
    """The stock follows, and the places that stand for the product's inventory records."""
    old, new = change.before.id, change.after.id
    documents = door.documents["InventoryRecord"]
    places = {}
    for state in await documents.find({"ProductID": new}):
        place = location_id(new, state["ID"])
        places[location_id(old, state["ID"])] = place
        record = documents.events.stored.model_validate(state)
        await save_location(door, place, record, change.call)
    await Stock(door.resources).move(old, new, places)


async def stock_is_kept(door: Door, change: Change) -> None:
    """A product that is saved without an inventory keeps the one it has."""
    before = change.before
    if before is not None and before.inventory is not None and "Inventory" not in change.sent:
        change.after = change.after.model_copy(update={"inventory": before.inventory})


async def stock_is_gone(door: Door, states: list[State], call: Call) -> None:
    for state in states:
        await Stock(door.resources).change(state["ID"], lambda stored: None)


def show_numbers(door: Door, answer: State, beside: Mapping[str, Any]) -> None:
    """Fills in what is counted, and the stock as it is."""
    answer |= counts_of(beside)
    answer["Inventory"] = shown_inventory(answer["Inventory"], beside.get(STOCK))
    if "OwnerID" in answer:
        answer["OwnerID"] = owner_of(door, answer)


async def renamed_is_counted(door: Door, change: Change) -> None:
    await count_anew(door, [change.after.id])


async def products_of(door: Door, call: Call) -> dict[str, Any]:
    """The list's own parameters: a catalog, one of its categories, a supplier."""
    catalog, category = call.parameter("catalogID"), call.parameter("categoryID")
    wanted: list[dict[str, Any]] = []
    if category is not None:
        if catalog is None:
            raise bad_request(
                "Product.CategoryFilterRequiresCatalogID",
                "categoryID names a category of a catalog: send catalogID with it.",
                Parameter="catalogID",
            )
        wanted.append(in_list("categories", [token(catalog, category)]))
    elif catalog is not None:
        wanted.append(in_list("catalogs", [token(catalog)]))
    supplier = call.parameter("supplierID")
    if supplier is not None:
        wanted.append(
            {
                "$or": [
                    {"state.OwnerID": supplier},
                    {"state.DefaultSupplierID": supplier},
                    in_list("suppliers", [token(supplier)]),
                ]
            }
        )
    return {"$and": wanted} if wanted else {}


PRODUCTS = Kind(
    events=PRODUCT,
    sdk="Products",
    path="/products",
    id="productID",
    collection="products",
    roles=admin_reader("Product"),
    owned=True,
    visible=own_by_owner,
    searchable=ANY,
    sortable=ANY,
    default_sort=("Name", "ID"),
    search_types=True,
    facets=True,
    parameters={"List": tuple(map(Parameter, ("catalogID", "categoryID", "supplierID")))},
    narrow=products_of,
    rules=(
        owner_exists,
        references_fit,
        family_fits,
        stock_is_kept,
        tracking_fits,
        stock_as_it_is,
    ),
    after_write=(stock_follows, place_new_product),
    beside=Beside((COUNTED,), stock_beside, show_numbers),
    on_delete=(
        Refuse(
            "Product",
            "ParentID",
            "Product.CannotDeleteParentProduct",
            "The product has child products: delete those first, or give them another ParentID.",
        ),
        Cascade("InventoryRecordAssignment", "ProductID"),
        Cascade("InventoryRecord", "ProductID"),
        Cascade("VariantInventoryRecordAssignment", "ProductID"),
        Cascade("VariantInventoryRecord", "ProductID"),
        Cascade("Variant", "ProductID"),
        Cascade("SpecProductAssignment", "ProductID"),
        Cascade("ProductAssignment", "ProductID"),
        Cascade("ProductSupplier", "ProductID"),
        Cascade("ProductCatalogAssignment", "ProductID"),
        Cascade("CategoryProductAssignment", "ProductID"),
    ),
    after_delete=(stock_is_gone,),
    renames=(
        Cascade("Product", "ParentID"),
        Cascade("InventoryRecordAssignment", "ProductID"),
        Cascade("InventoryRecord", "ProductID"),
        Cascade("VariantInventoryRecordAssignment", "ProductID"),
        Cascade("VariantInventoryRecord", "ProductID"),
        Cascade("Variant", "ProductID"),
        Cascade("SpecProductAssignment", "ProductID"),
        Cascade("ProductAssignment", "ProductID"),
        Cascade("ProductSupplier", "ProductID"),
        Cascade("ProductCatalogAssignment", "ProductID"),
        Cascade("CategoryProductAssignment", "ProductID"),
    ),
    after_rename=(stock_is_renamed, place_renamed_product, renamed_is_counted),
    indexes=(
        index("Name", "ID"),
        index("ID"),
        index("OwnerID", "Name", "ID"),
        index("DefaultSupplierID", "Name", "ID"),
        exact("ParentID"),
        index("ParentID"),
        index("DefaultPriceScheduleID"),
        *map(placed_index, ("catalogs", "categories", "parties", "suppliers")),
    ),
)
