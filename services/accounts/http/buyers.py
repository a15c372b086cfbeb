"""Buyers: the companies that buy, each with a catalog to begin with."""

from services.accounts.http.belongings import IMPERSONATED_BUYER, OF_BUYER
from services.accounts.http.companies import (
    closed_by_the_seller,
    founded_by_the_seller,
    sellers_to,
)
from services.accounts.http.door import AccountsDoor, accounts
from shared.contracts.parties import BuyerSupplier
from shared.contracts.resources import BUYER
from shared.http.door import Door
from shared.http.errors import conflict
from shared.http.kinds import Change, Kind, Reference, admin_reader, own_company
from shared.http.operations import ADMIN_BUYER, Call, ListOf, Operation
from shared.http.places import BUYERS, CATALOGS
from shared.http.present import presenter_of
from shared.http.query import ListShape, index, parse_list
from shared.http.resources import scope_of

SELLERS = ListShape(BuyerSupplier, ("ID", "Name"), ("Name", "ID"), ("Name", "ID"))


async def has_a_catalog(door: Door, change: Change) -> None:
    """A new buyer's default catalog is one of its own where it names none. A catalog that it
    names has to be there."""
    catalog, before = change.after.default_catalog_id, change.before
    if before is not None and before.default_catalog_id == catalog:
        return
    if catalog is not None:
        await door.check_references(
            (Reference("DefaultCatalogID", CATALOGS),), {"DefaultCatalogID": catalog}
        )
    elif before is None and accounts(door).catalogs is not None:
        own = change.after.id
        if await door.exists(CATALOGS, own) and not await door.exists(BUYERS, own):
            raise conflict(
                "Buyer.DefaultCatalogAlreadyExists",
                f"A new buyer gets a catalog with its ID, and there is a catalog {own} already:"
                " name it in DefaultCatalogID, or choose another ID for the buyer.",
                CatalogID=own,
            )
        change.after = change.after.model_copy(update={"default_catalog_id": own})


async def makes_its_catalog(door: Door, change: Change) -> None:
    """Again at every PUT, should it have failed after the buyer was written."""
    catalogs, buyer = accounts(door).catalogs, change.after
    if catalogs is None or buyer.default_catalog_id != buyer.id:
        return
    if change.call.operation.method != "PATCH":
        await catalogs.create_default(change.call, buyer)


BUYER_KIND = Kind(
    events=BUYER,
    sdk="Buyers",
    path="/buyers",
    id="buyerID",
    collection="buyers",
    roles=admin_reader("Buyer"),
    users=ADMIN_BUYER,
    visible=own_company,
    searchable=("Name", "ID"),
    sortable=("ID", "Name", "DateCreated"),
    default_sort=("ID",),
    rules=(founded_by_the_seller, has_a_catalog),
    after_write=(makes_its_catalog,),
    before_delete=(closed_by_the_seller,),
    on_delete=(IMPERSONATED_BUYER, *OF_BUYER),
    fixed_id=True,
    indexes=(index("ID"), index("Name", "ID")),
)

KINDS = (BUYER_KIND,)


def operations(door: AccountsDoor) -> list[Operation]:
    """What is special about buyers."""
    present = presenter_of(BuyerSupplier)

    async def sellers(call: Call) -> object:
        await door.check_parents((BUYERS,), call)
        scope = await sellers_to(door, call.path["buyerID"])
        query = parse_list(call.query, SELLERS)
        page = await door.documents["Supplier"].page(scope_of(scope), query)
        return {"Meta": page.meta(), "Items": [present(each) for each in page.documents]}

    return [
        Operation(
            name="Buyers.ListBuyerSellers",
            method="GET",
            path="/buyers/{buyerID}/sellers",
            handler=sellers,
            users=ADMIN_BUYER,
            roles=BUYER_KIND.roles.readers,
            answer=ListOf(BuyerSupplier),
            list=SELLERS,
            summary="Lists the suppliers that a buyer may order from.",
        )
    ]
