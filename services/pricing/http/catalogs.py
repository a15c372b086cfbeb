"""Catalogs: trees of categories with products in them, and which buyers see them."""

from services.pricing.http.lookups import exact, token
from services.pricing.http.owners import own_product, owner_exists
from services.pricing.http.placement import (
    delete_all,
    displace_all,
    displacing,
    placing,
    remove_assignments,
    replace_all,
)
from shared.contracts.resources import (
    CATALOG,
    CATALOG_ASSIGNMENT,
    PRODUCT_CATALOG_ASSIGNMENT,
)
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request
from shared.http.kinds import (
    Assignment,
    Cascade,
    Change,
    Kind,
    Reference,
    admin_reader,
    own_by_owner,
)
from shared.http.operations import Call
from shared.http.places import BUYERS, PRODUCTS
from shared.http.places import CATALOGS as CATALOG_PLACE
from shared.http.query import index

__all__ = ["CATALOGS", "CATALOG_ASSIGNMENTS", "PRODUCT_CATALOG_ASSIGNMENTS", "category_counts"]


async def count_categories(
    door: Door, states: list[State], answers: list[State], call: Call
) -> None:
    await category_counts(door, answers)


async def category_counts(door: Door, answers: list[State]) -> None:
    """Fills in ``CategoryCount``."""
    found = await door.documents["Category"].collection.aggregate(
        [
            {"$match": {"state.CatalogID": {"$in": [answer["ID"] for answer in answers]}}},
            {"$group": {"_id": "$state.CatalogID", "count": {"$sum": 1}}},
        ]
    )
    counts = {each["_id"]: each["count"] async for each in found}
    for answer in answers:
        answer["CategoryCount"] = counts.get(answer["ID"], 0)


async def no_default_catalog(door: Door, states: list[State], call: Call) -> None:
    """A buyer always has its default catalog."""
    ids = [state["ID"] for state in states]
    buyers = door.resources.database(BUYERS.service)[BUYERS.collection]
    buyer = await buyers.find_one({"state.DefaultCatalogID": {"$in": ids}}, {"_id": 1})
    if buyer is not None:
        raise bad_request(
            "Catalog.CannotDelete",
            f"The catalog is the default of buyer {buyer['_id']}: give the buyer another"
            " DefaultCatalogID first.",
            BuyerID=buyer["_id"],
        )


async def all_in_it_goes(door: Door, states: list[State], call: Call) -> None:
    """The tree goes with its catalog, and so does whatever was assigned to either."""
    for state in states:
        for category in await door.documents["Category"].find({"CatalogID": state["ID"]}):
            await displace_all(door, "categories", token(state["ID"], category["ID"]))
        await displace_all(door, "catalogs", token(state["ID"]))
        for name in _PARTS:
            await delete_all(door, name, {"CatalogID": state["ID"]}, call)


async def all_in_it_follow(door: Door, change: Change) -> None:
    old, new = change.before.id, change.after.id
    await replace_all(door, "catalogs", token(old), token(new))
    for category in await door.documents["Category"].find({"CatalogID": new}):
        id = category["ID"]
        await replace_all(door, "categories", token(old, id), token(new, id))


_PARTS = (
    "CategoryProductAssignment",
    "CategoryAssignment",
    "Category",
    "ProductCatalogAssignment",
    "CatalogAssignment",
)
"""What belongs to a catalog."""

CATALOGS = Kind(
    events=CATALOG,
    sdk="Catalogs",
    path="/catalogs",
    id="catalogID",
    collection="catalogs",
    roles=admin_reader("Catalog"),
    owned=True,
    visible=own_by_owner,
    searchable=("ID", "Name", "Description"),
    sortable=("OwnerID", "Name", "ID"),
    default_sort=("Name", "ID"),
    rules=(owner_exists,),
    compute=count_categories,
    before_delete=(no_default_catalog, all_in_it_goes),
    renames=tuple(Cascade(name, "CatalogID") for name in _PARTS),
    after_rename=(all_in_it_follow,),
    indexes=(index("Name", "ID"), index("OwnerID", "Name", "ID"), exact("OwnerID")),
)

CATALOG_ASSIGNMENTS = Assignment(
    events=CATALOG_ASSIGNMENT,
    sdk="Catalogs",
    list="/catalogs/assignments",
    save="/catalogs/assignments",
    delete="/catalogs/{catalogID}/assignments",
    collection="catalog_assignments",
    roles=CATALOGS.roles,
    owner=Reference("CatalogID", CATALOG_PLACE),
    parameters=("catalogID", "buyerID"),
    references=(Reference("CatalogID", CATALOG_PLACE), Reference("BuyerID", BUYERS)),
    indexes=(index("CatalogID", "BuyerID"), index("BuyerID")),
)


async def no_child(door: Door, change: Change) -> None:
    """Child products are where their parent is."""
    product = await door.documents["Product"].get(change.after.product_id)
    if product is not None and product.get("ParentID") is not None:
        raise bad_request(
            "Catalog.CannotAssignChildProduct",
            f"Product {product['ID']} is a child, which is where its parent is: assign"
            f" {product['ParentID']}.",
            ProductID=product["ID"],
        )


async def out_of_categories(door: Door, states: list[State], call: Call) -> None:
    """What leaves a catalog leaves its categories."""
    for state in states:
        of_it = {"ProductID": state["ProductID"], "CatalogID": state["CatalogID"]}
        await remove_assignments(door, "CategoryProductAssignment", of_it, call)


PRODUCT_CATALOG_ASSIGNMENTS = Assignment(
    events=PRODUCT_CATALOG_ASSIGNMENT,
    sdk="Catalogs",
    methods=("ListProductAssignments", "SaveProductAssignment", "DeleteProductAssignment"),
    list="/catalogs/productassignments",
    save="/catalogs/productassignments",
    delete="/catalogs/{catalogID}/productassignments/{productID}",
    collection="product_catalog_assignments",
    roles=CATALOGS.roles,
    owner=Reference("CatalogID", CATALOG_PLACE),
    parameters=("catalogID", "productID"),
    references=(Reference("CatalogID", CATALOG_PLACE), Reference("ProductID", PRODUCTS)),
    rules=(own_product, no_child),
    after_write=(placing("ProductCatalogAssignment"),),
    after_delete=(displacing("ProductCatalogAssignment"), out_of_categories),
    indexes=(index("CatalogID", "ProductID"), index("ProductID")),
)
