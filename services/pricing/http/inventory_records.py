"""Inventory records: how much of a product, or of a variant, is at one address.

A product's record is one place of its allotment: orders take from it as from any location, which is
saved with it. What a variant's record has is kept in the record; as orders choose no variant yet,
they take from the product, which has the sum.
"""

from services.pricing.http.places import address_key, address_of, location_id, save_location
from services.pricing.http.products import PRODUCTS
from services.pricing.http.stock import Stock
from services.pricing.http.variants import tracks_variants
from shared.contracts.parties import PostalAddress
from shared.contracts.resources import (
    INVENTORY_RECORD,
    INVENTORY_RECORD_ASSIGNMENT,
    VARIANT_INVENTORY_RECORD,
    VARIANT_INVENTORY_RECORD_ASSIGNMENT,
)
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request, not_found
from shared.http.kinds import Assignment, Cascade, Change, Kind, Place, Reference
from shared.http.operations import ADMIN_SUPPLIER, Call, Parameter
from shared.http.places import (
    ADMIN_ADDRESSES,
    BUYERS,
    USER_GROUPS,
    VARIANTS,
)
from shared.http.places import (
    PRODUCTS as PRODUCT_PLACE,
)
from shared.http.present import presenter_of
from shared.http.principal import UserType
from shared.http.query import index

__all__ = [
    "INVENTORY_RECORDS",
    "INVENTORY_RECORD_ASSIGNMENTS",
    "VARIANT_INVENTORY_RECORDS",
    "VARIANT_INVENTORY_RECORD_ASSIGNMENTS",
    "show_addresses",
    "show_records",
]


async def on_its_level(door: Door, change: Change) -> None:
    """Stock is tracked by product or by variant, and its records are on that level."""
    if change.before is not None:
        return
    record = change.after
    product = await door.documents["Product"].get(record.product_id)
    of_variant = hasattr(record, "variant_id")
    stock = await Stock(door.resources).of([record.product_id])
    if (product or {}).get("Inventory") is None and not stock:
        raise bad_request(
            "InventoryConfiguration.ProductInventoryMustExist",
            f"Product {record.product_id} has no Inventory: set its Inventory's Enabled to true"
            " first.",
            ProductID=record.product_id,
        )
    tracks = tracks_variants(product)
    if of_variant and not tracks:
        raise bad_request(
            "InventoryConfiguration.InvalidVariantLevelTracking",
            f"Stock of product {record.product_id} is not kept by variant: set its Inventory's"
            " VariantLevelTracking to true, or make records of the product.",
            ProductID=record.product_id,
        )
    if tracks and not of_variant:
        raise bad_request(
            "InventoryConfiguration.CannotCreateInventoryRecord",
            f"Stock of product {record.product_id} is kept by variant: make records of its"
            " variants.",
            ProductID=record.product_id,
        )


async def at_an_address(door: Door, change: Change) -> None:
    """A record is at an address of its owner. Where none is named, the owner is the caller's
    company or, of those that the product may come from, the first that has the address."""
    before, record, caller = change.before, change.after, change.call.principal
    product = await door.documents["Product"].get(record.product_id) or {}
    marketplace = door.resources.settings.marketplace_id
    if caller.user_type is UserType.SUPPLIER:
        owners = [caller.company_id]
    elif record.owner_id is not None:
        owners = [record.owner_id]
    elif before is not None and before.owner_id is not None:
        owners = [before.owner_id]
    else:
        named = (product.get("DefaultSupplierID"), product.get("OwnerID"), marketplace)
        owners = [str(owner) for owner in named if owner is not None]
    for owner in owners:
        if await address_of(door, owner, record.address_id) is not None:
            change.after = record.model_copy(
                update={"owner_id": owner, "last_updated": change.call.now}
            )
            return
    raise not_found("Address", record.address_id)


def sets_quantity(change: Change) -> bool:
    """Whether the quantity is set: always, but by a PATCH of other fields."""
    patched = change.before is not None and change.call.operation.method == "PATCH"
    return not patched or "QuantityAvailable" in change.sent


async def quantity_as_it_is(door: Door, change: Change) -> None:
    """What a PATCH does not say of the quantity is as it is now, not as it was saved last."""
    before = change.before
    if sets_quantity(change):
        return
    quantity = before.quantity_available
    if not hasattr(before, "variant_id"):
        stock = (await Stock(door.resources).of([before.product_id])).get(before.product_id, {})
        place = location_id(before.product_id, before.id)
        quantity = stock.get("Records", {}).get(place, quantity)
    change.after = change.after.model_copy(update={"quantity_available": quantity})


async def stock_is_there(door: Door, change: Change) -> None:
    """The place that orders take from is saved, and what is there; of a record that is kept, only
    what was sent."""
    before, record = change.before, change.after
    place = location_id(record.product_id, record.id)
    await save_location(door, place, record, change.call)
    renamed = before is not None and before.id != record.id
    if renamed or sets_quantity(change):
        await Stock(door.resources).put(record.product_id, place, record.quantity_available)
    if before is not None and renamed:
        old = location_id(before.product_id, before.id)
        await Stock(door.resources).remove(before.product_id, old)


async def variant_has_the_sum(door: Door, change: Change) -> None:
    """The product has what a variant's record has more, or less, now."""
    before = change.before
    if before is not None and before.id != change.after.id:
        return
    more = change.after.quantity_available - (0 if before is None else before.quantity_available)
    await Stock(door.resources).add(change.after.product_id, more)


async def stock_is_gone(door: Door, states: list[State], call: Call) -> None:
    stock = Stock(door.resources)
    for state in states:
        await stock.remove(state["ProductID"], location_id(state["ProductID"], state["ID"]))


async def variant_has_less(door: Door, states: list[State], call: Call) -> None:
    for state in states:
        await Stock(door.resources).add(state["ProductID"], -state.get("QuantityAvailable", 0))


async def show_records(door: Door, states: list[State], answers: list[State], call: Call) -> None:
    """Fills in how much of a product is at each place now."""
    stock = await Stock(door.resources).of({state["ProductID"] for state in states})
    for state, answer in zip(states, answers, strict=True):
        records = stock.get(state["ProductID"], {}).get("Records", {})
        place = location_id(state["ProductID"], state["ID"])
        answer["QuantityAvailable"] = records.get(place, answer["QuantityAvailable"])
    await show_addresses(door, states, answers, call)


async def show_addresses(door: Door, states: list[State], answers: list[State], call: Call) -> None:
    """Fills in the addresses, where they are asked for."""
    if not call.flag("includeAddress"):
        return
    keys = [address_key(door, state.get("OwnerID"), state["AddressID"])[1] for state in states]
    addresses = door.resources.database(ADMIN_ADDRESSES.service)[ADMIN_ADDRESSES.collection]
    found = addresses.find({"_id": {"$in": keys}, "state": {"$ne": None}}, {"state": 1})
    known = {document["_id"]: document["state"] async for document in found}
    present = presenter_of(PostalAddress)
    for key, answer in zip(keys, answers, strict=True):
        answer["Address"] = present(known[key]) if key in known else None


_INCLUDE = (Parameter("includeAddress", "boolean"),)
_ADDRESS = dict.fromkeys(("List", "Get"), _INCLUDE)
_SORT = ("ID", "AddressID")

INVENTORY_RECORDS = Kind(
    events=INVENTORY_RECORD,
    sdk="InventoryRecords",
    path="/products/{productID}/inventoryrecords",
    id="inventoryRecordID",
    collection="inventory_records",
    roles=PRODUCTS.roles,
    users=ADMIN_SUPPLIER,
    parents=(PRODUCT_PLACE,),
    searchable=_SORT,
    sortable=_SORT,
    default_sort=("ID",),
    parameters=_ADDRESS,
    rules=(on_its_level, at_an_address, quantity_as_it_is),
    after_write=(stock_is_there,),
    compute=show_records,
    on_delete=(Cascade("InventoryRecordAssignment", "InventoryRecordID"),),
    after_delete=(stock_is_gone,),
    renames=(Cascade("InventoryRecordAssignment", "InventoryRecordID"),),
    indexes=(index("ProductID", "ID"), index("AddressID")),
)

VARIANT_INVENTORY_RECORDS = Kind(
    events=VARIANT_INVENTORY_RECORD,
    sdk="InventoryRecords",
    suffix="Variant",
    plural="Variant",
    object_type="InventoryRecord",
    path="/products/{productID}/variants/{variantID}/inventoryrecords",
    id="inventoryRecordID",
    collection="variant_inventory_records",
    roles=PRODUCTS.roles,
    users=ADMIN_SUPPLIER,
    parents=(PRODUCT_PLACE, VARIANTS),
    searchable=_SORT,
    sortable=_SORT,
    default_sort=("ID",),
    parameters=_ADDRESS,
    rules=(on_its_level, at_an_address, quantity_as_it_is),
    after_write=(variant_has_the_sum,),
    compute=show_addresses,
    on_delete=(Cascade("VariantInventoryRecordAssignment", "InventoryRecordID"),),
    after_delete=(variant_has_less,),
    renames=(Cascade("VariantInventoryRecordAssignment", "InventoryRecordID"),),
    indexes=(
        index("ProductID", "VariantID", "ID"),
        index("AddressID"),
    ),
)

_RECORDS = Place("pricing", "inventory_records", "InventoryRecord")
_VARIANT_RECORDS = Place("pricing", "variant_inventory_records", "InventoryRecord")
_PARTIES = (
    Reference("BuyerID", BUYERS),
    Reference("UserGroupID", USER_GROUPS, parents=("BuyerID",)),
)
_PARAMETERS = ("buyerID", "inventoryRecordID", "userGroupID")

INVENTORY_RECORD_ASSIGNMENTS = Assignment(
    events=INVENTORY_RECORD_ASSIGNMENT,
    sdk="InventoryRecords",
    list=f"{INVENTORY_RECORDS.path}/assignments",
    save=f"{INVENTORY_RECORDS.path}/assignments",
    delete=f"{INVENTORY_RECORDS.path}/{{inventoryRecordID}}/assignments",
    collection="inventory_record_assignments",
    roles=PRODUCTS.roles,
    users=ADMIN_SUPPLIER,
    parents=(PRODUCT_PLACE,),
    parameters=_PARAMETERS,
    levels=frozenset({"Company", "Group"}),
    references=(Reference("InventoryRecordID", _RECORDS, parents=("ProductID",)), *_PARTIES),
    indexes=(index("ProductID", "InventoryRecordID", "BuyerID", "UserGroupID"),),
)

VARIANT_INVENTORY_RECORD_ASSIGNMENTS = Assignment(
    events=VARIANT_INVENTORY_RECORD_ASSIGNMENT,
    sdk="InventoryRecords",
    methods=("ListVariantAssignments", "SaveVariantAssignment", "DeleteVariantAssignment"),
    list=f"{VARIANT_INVENTORY_RECORDS.path}/assignments",
    save=f"{VARIANT_INVENTORY_RECORDS.path}/assignments",
    delete=f"{VARIANT_INVENTORY_RECORDS.path}/{{inventoryRecordID}}/assignments",
    collection="variant_inventory_record_assignments",
    roles=PRODUCTS.roles,
    users=ADMIN_SUPPLIER,
    parents=(PRODUCT_PLACE, VARIANTS),
    parameters=_PARAMETERS,
    levels=frozenset({"Company", "Group"}),
    references=(
        Reference("InventoryRecordID", _VARIANT_RECORDS, parents=("ProductID", "VariantID")),
        *_PARTIES,
    ),
    indexes=(index("ProductID", "VariantID", "InventoryRecordID", "BuyerID", "UserGroupID"),),
)
