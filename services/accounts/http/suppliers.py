"""Suppliers: the companies that sell in the marketplace, and the buyers tied to them."""

from services.accounts.http.belongings import OF_SUPPLIER
from services.accounts.http.companies import (
    buyers_of,
    closed_by_the_seller,
    founded_by_the_seller,
)
from services.accounts.http.door import AccountsDoor
from shared.contracts.parties import SupplierBuyer
from shared.contracts.resources import SUPPLIER, SUPPLIER_BUYER
from shared.http.kinds import Assignment, Kind, Reference, admin_reader, own_company
from shared.http.operations import ADMIN, ADMIN_SUPPLIER, Call, ListOf, Operation
from shared.http.places import BUYERS, SUPPLIERS
from shared.http.present import presenter_of
from shared.http.query import ListShape, index, parse_list
from shared.http.resources import scope_of

SUPPLIER_KIND = Kind(
    events=SUPPLIER,
    sdk="Suppliers",
    defaults={"AllBuyersCanOrder": False},
    path="/suppliers",
    id="supplierID",
    collection="suppliers",
    roles=admin_reader("Supplier"),
    users=ADMIN_SUPPLIER,
    visible=own_company,
    searchable=("Name", "ID"),
    sortable=("ID", "Name", "DateCreated"),
    default_sort=("ID",),
    rules=(founded_by_the_seller,),
    before_delete=(closed_by_the_seller,),
    on_delete=OF_SUPPLIER,
    fixed_id=True,
    indexes=(index("ID"), index("Name", "ID")),
)

SELLS_TO = Assignment(
    events=SUPPLIER_BUYER,
    sdk="Suppliers",
    methods=("ListBuyers", "SaveBuyer", "DeleteBuyer"),
    save="/suppliers/{supplierID}/buyers/{buyerID}",
    save_method="PUT",
    delete="/suppliers/{supplierID}/buyers/{buyerID}",
    collection="supplier_buyers",
    roles=SUPPLIER_KIND.roles,
    users=ADMIN,
    references=(Reference("SupplierID", SUPPLIERS), Reference("BuyerID", BUYERS)),
    indexes=(index("SupplierID", "BuyerID"), index("BuyerID", "SupplierID")),
)

KINDS = (SUPPLIER_KIND,)
ASSIGNMENTS = (SELLS_TO,)
_BUYERS = ListShape(SupplierBuyer, ("ID", "Name"), ("Name", "ID"), ("Name", "ID"))


def operations(door: AccountsDoor) -> list[Operation]:
    """What is special about suppliers."""
    present = presenter_of(SupplierBuyer)

    async def buyers(call: Call) -> object:
        await door.check_parents((SUPPLIERS,), call)
        scope = await buyers_of(door, call.path["supplierID"])
        page = await door.documents["Buyer"].page(scope_of(scope), parse_list(call.query, _BUYERS))
        return {"Meta": page.meta(), "Items": [present(each) for each in page.documents]}

    return [
        Operation(
            name="Suppliers.ListBuyers",
            method="GET",
            path="/suppliers/{supplierID}/buyers",
            handler=buyers,
            users=ADMIN_SUPPLIER,
            roles=SUPPLIER_KIND.roles.readers,
            answer=ListOf(SupplierBuyer),
            list=_BUYERS,
            summary="Lists the buyers that are tied to a supplier.",
        )
    ]
