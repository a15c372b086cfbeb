"""Addresses: a buyer's, which its users get assigned, a supplier's, the marketplace's."""

from shared.contracts.resources import (
    ADDRESS,
    ADDRESS_ASSIGNMENT,
    ADMIN_ADDRESS,
    SUPPLIER_ADDRESS,
)
from shared.http.documents import State, wire
from shared.http.door import Door
from shared.http.errors import conflict
from shared.http.kinds import Assignment, Cascade, Change, Kind, Reference, admin_reader
from shared.http.operations import Call
from shared.http.places import ADDRESSES, BUYER_USERS, BUYERS, SUPPLIERS, USER_GROUPS
from shared.http.query import index

SEARCHABLE = (
    "ID",
    "AddressName",
    "CompanyName",
    "City",
    "Street1",
    "Street2",
    "LastName",
    "FirstName",
    "State",
    "Zip",
)
SORTABLE = (
    "AddressName",
    "ID",
    "DateCreated",
    "CompanyName",
    "FirstName",
    "LastName",
    "Street1",
    "Street2",
    "City",
    "State",
    "Zip",
    "Country",
    "Phone",
)
DEFAULT_SORT = ("AddressName", "ID")
_ASSIGNED = (Cascade("AddressAssignment", "AddressID"),)


async def no_stock_there(door: Door, states: list[State], call: Call) -> None:
    """Stock stands at an address, in pricing's records."""
    pricing = door.resources.database("pricing")
    for state in states:
        for name in ("inventory_records", "variant_inventory_records"):
            # An address of the marketplace and one of a supplier may have the same ID.
            at = {"state.AddressID": state["ID"], "state.OwnerID": {"$in": owners_of(door, state)}}
            if await pricing[name].find_one(at, {"_id": 1}) is not None:
                raise conflict(
                    "Address.CannotDeleteInventoryRecordAddress",
                    f"There are inventory records at the address {state['ID']}: delete them, or"
                    " move them to another address, first.",
                    AddressID=state["ID"],
                )


async def stays_where_stock_is(door: Door, change: Change) -> None:
    """Records of stock name an address by its ID, and do not follow a renaming."""
    before = change.before
    if before is not None and before.id != change.after.id:
        await no_stock_there(door, [wire(before)], change.call)


def owners_of(door: Door, state: State) -> list[str | None]:
    """What the records at an address have as their owner: the supplier whose it is, or the
    marketplace, which need not be named."""
    supplier = state.get("SupplierID")
    return [door.resources.settings.marketplace_id, None] if supplier is None else [supplier]


BUYER_ADDRESSES = Kind(
    events=ADDRESS,
    sdk="Addresses",
    path="/buyers/{buyerID}/addresses",
    id="addressID",
    collection="addresses",
    prefix="buyers/",
    roles=admin_reader("Address"),
    searchable=SEARCHABLE,
    sortable=SORTABLE,
    default_sort=DEFAULT_SORT,
    parents=(BUYERS,),
    on_delete=_ASSIGNED,
    renames=_ASSIGNED,
    indexes=(index("BuyerID", "AddressName", "ID"), index("BuyerID", "ID")),
)
SUPPLIER_ADDRESSES = Kind(
    events=SUPPLIER_ADDRESS,
    sdk="SupplierAddresses",
    object_type="Address",
    path="/suppliers/{supplierID}/addresses",
    id="addressID",
    collection="addresses",
    prefix="suppliers/",
    roles=admin_reader("SupplierAddress"),
    searchable=SEARCHABLE,
    sortable=SORTABLE,
    default_sort=DEFAULT_SORT,
    rules=(stays_where_stock_is,),
    before_delete=(no_stock_there,),
    parents=(SUPPLIERS,),
    indexes=(index("SupplierID", "AddressName", "ID"),),
)
ADMIN_ADDRESSES = Kind(
    events=ADMIN_ADDRESS,
    sdk="AdminAddresses",
    object_type="Address",
    path="/addresses",
    id="addressID",
    collection="addresses",
    among={"BuyerID": None, "SupplierID": None},
    roles=admin_reader("AdminAddress"),
    searchable=SEARCHABLE,
    sortable=SORTABLE,
    default_sort=DEFAULT_SORT,
    rules=(stays_where_stock_is,),
    before_delete=(no_stock_there,),
    indexes=(index("BuyerID", "SupplierID", "AddressName", "ID"),),
)

ASSIGNED = Assignment(
    events=ADDRESS_ASSIGNMENT,
    sdk="Addresses",
    list="/buyers/{buyerID}/addresses/assignments",
    save="/buyers/{buyerID}/addresses/assignments",
    delete="/buyers/{buyerID}/addresses/{addressID}/assignments",
    collection="address_assignments",
    roles=BUYER_ADDRESSES.roles,
    parameters=("addressID", "userID", "userGroupID", "isShipping", "isBilling"),
    levels=frozenset({"Company", "Group", "User"}),
    parents=(BUYERS,),
    references=(
        Reference("AddressID", ADDRESSES, ("BuyerID",)),
        Reference("UserID", BUYER_USERS, ("BuyerID",)),
        Reference("UserGroupID", USER_GROUPS, ("BuyerID",)),
    ),
    indexes=(index("BuyerID", "AddressID", "UserID", "UserGroupID"),),
)

KINDS = (BUYER_ADDRESSES, SUPPLIER_ADDRESSES, ADMIN_ADDRESSES)
ASSIGNMENTS = (ASSIGNED,)
