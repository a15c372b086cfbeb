"""Categories: the nodes of a catalog's tree, what stands in them and who sees them."""

from typing import Any

from services.pricing.http.category_tree import (
    MOST_LEVELS,
    depth_of,
    levels_of,
    names_parent,
    tree_of,
)
from services.pricing.http.lookups import exact, token
from services.pricing.http.owners import own_product
from services.pricing.http.placement import (
    delete_all,
    displace_all,
    displacing,
    placing,
    replace_all,
)
from shared.contracts.resources import (
    CATEGORY,
    CATEGORY_ASSIGNMENT,
    CATEGORY_PRODUCT_ASSIGNMENT,
)
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request, not_found
from shared.http.kinds import Assignment, Cascade, Change, Kind, Reference, admin_reader
from shared.http.operations import ADMIN_SUPPLIER, Call, Parameter
from shared.http.places import BUYERS, CATALOGS, PRODUCTS, USER_GROUPS
from shared.http.places import CATEGORIES as CATEGORY_PLACE
from shared.http.query import index

__all__ = [
    "CATEGORIES",
    "CATEGORY_ASSIGNMENTS",
    "CATEGORY_PRODUCT_ASSIGNMENTS",
    "count_children",
]


async def fits_the_tree(door: Door, change: Change) -> None:
    """A category's parent is in the same catalog, not below it, and not too deep."""
    category, before = change.after, change.before
    if category.parent_id is None or (
        before is not None and before.parent_id == category.parent_id
    ):
        return
    tree = await tree_of(door, category.catalog_id)
    if category.parent_id not in tree.nodes:
        raise not_found("Category", category.parent_id)
    id = category.id if before is None else before.id
    above = tree.upward(category.parent_id)
    if id in above:
        raise bad_request(
            "Category.CircularReference",
            f"Category {category.parent_id} is below {id}, or is itself: choose another ParentID.",
            Field="ParentID",
            ParentID=category.parent_id,
        )
    depth = len(above) + tree.height(id)
    if depth > MOST_LEVELS:
        raise bad_request(
            "Category.InvalidDepth",
            f"A tree has at most {MOST_LEVELS} levels, and this would make {depth}: choose a"
            " ParentID nearer to the root.",
            Field="ParentID",
            Depth=depth,
        )


async def others_make_room(door: Door, change: Change) -> None:
    """With ``adjustListOrders`` the siblings from the category's place on move up by one, as far
    as they have to."""
    category = change.after
    if not change.call.flag("adjustListOrders") or category.list_order is None:
        return
    documents = door.documents["Category"]
    siblings = await documents.find(
        {"CatalogID": category.catalog_id, "ParentID": category.parent_id}
    )
    numbers: dict[str, int] = {}
    last = category.list_order
    for each in sorted(siblings, key=lambda each: (each.get("ListOrder") or 0, each["ID"])):
        number = each.get("ListOrder")
        if each["ID"] != category.id and number is not None and category.list_order <= number:
            last = max(number, last + 1)
            if number != last:
                numbers[each["ID"]] = last

    def decide(stored: Any) -> Any:
        return stored and stored.model_copy(update={"list_order": numbers[stored.id]})

    if numbers:
        keys = [f"{category.catalog_id}/{id}" for id in numbers]
        await documents.change_all(keys, decide, change.call)


async def count_children(door: Door, states: list[State], answers: list[State], call: Call) -> None:
    """Fills in ``ChildCount``."""
    found = await door.documents["Category"].collection.aggregate(
        [
            {
                "$match": {
                    "state.CatalogID": {"$in": sorted({state["CatalogID"] for state in states})},
                    "state.ParentID": {"$in": [state["ID"] for state in states]},
                }
            },
            {
                "$group": {
                    "_id": {"catalog": "$state.CatalogID", "parent": "$state.ParentID"},
                    "count": {"$sum": 1},
                }
            },
        ]
    )
    counts = {
        (each["_id"]["catalog"], each["_id"]["parent"]): each["count"] async for each in found
    }
    for state, answer in zip(states, answers, strict=True):
        answer["ChildCount"] = counts.get((state["CatalogID"], state["ID"]), 0)


async def so_deep(door: Door, call: Call) -> State:
    """The parameter ``depth``: the roots where it is absent; a filter on ``ParentID`` finds at any
    depth."""
    levels = depth_of(call, None if names_parent(call) else 1)
    if levels is None or levels == 1:
        return {} if levels is None else {"ParentID": None}
    return levels_of(await tree_of(door, call.path["catalogID"]), levels)


async def with_all_below(door: Door, states: list[State], call: Call) -> None:
    """A category goes with all that is below it, and with what was assigned to them: from below,
    so that an interrupted deletion can be asked for again."""
    for state in states:
        catalog, id = state["CatalogID"], state["ID"]
        tree = await tree_of(door, catalog)
        for each in [*reversed(tree.below(id)), id]:
            of_it = {"CatalogID": catalog, "CategoryID": each}
            await delete_all(door, "CategoryAssignment", of_it, call)
            await delete_all(door, "CategoryProductAssignment", of_it, call)
            await displace_all(door, "categories", token(catalog, each))
            if each != id:
                await delete_all(door, "Category", {"CatalogID": catalog, "ID": each}, call)


async def all_in_it_follow(door: Door, change: Change) -> None:
    catalog, old, new = change.after.catalog_id, change.before.id, change.after.id
    await replace_all(door, "categories", token(catalog, old), token(catalog, new))


_ADJUST = (Parameter("adjustListOrders", "boolean"),)

CATEGORIES = Kind(
    events=CATEGORY,
    sdk="Categories",
    path="/catalogs/{catalogID}/categories",
    id="categoryID",
    collection="categories",
    roles=admin_reader("Category"),
    users=ADMIN_SUPPLIER,
    parents=(CATALOGS,),
    searchable=("ID", "Name", "Description"),
    sortable=("ID", "Name"),
    default_sort=("ListOrder", "ID"),
    parameters={
        "List": (Parameter("depth"),),
        "Create": _ADJUST,
        "Save": _ADJUST,
        "Patch": _ADJUST,
    },
    narrow=so_deep,
    rules=(fits_the_tree,),
    after_write=(others_make_room,),
    compute=count_children,
    before_delete=(with_all_below,),
    renames=(
        Cascade("Category", "ParentID"),
        Cascade("CategoryAssignment", "CategoryID"),
        Cascade("CategoryProductAssignment", "CategoryID"),
    ),
    after_rename=(all_in_it_follow,),
    indexes=(
        index("CatalogID", "ListOrder", "ID"),
        index("CatalogID", "ParentID", "ListOrder", "ID"),
        exact("CatalogID", "ParentID"),
    ),
)

_OF_CATEGORY = Reference("CategoryID", CATEGORY_PLACE, parents=("CatalogID",))

CATEGORY_ASSIGNMENTS = Assignment(
    events=CATEGORY_ASSIGNMENT,
    sdk="Categories",
    list="/catalogs/{catalogID}/categories/assignments",
    save="/catalogs/{catalogID}/categories/assignments",
    delete="/catalogs/{catalogID}/categories/{categoryID}/assignments",
    collection="category_assignments",
    roles=CATEGORIES.roles,
    users=ADMIN_SUPPLIER,
    parents=(CATALOGS,),
    parameters=("categoryID", "buyerID", "userGroupID"),
    levels=frozenset({"Company", "Group"}),
    references=(
        _OF_CATEGORY,
        Reference("BuyerID", BUYERS),
        Reference("UserGroupID", USER_GROUPS, parents=("BuyerID",)),
    ),
    indexes=(
        index("CatalogID", "CategoryID", "BuyerID", "UserGroupID"),
        index("BuyerID", "CatalogID"),
    ),
)


async def no_child(door: Door, change: Change) -> None:
    """Child products are where their parent is."""
    product = await door.documents["Product"].get(change.after.product_id)
    if product is not None and product.get("ParentID") is not None:
        raise bad_request(
            "Category.CannotAssignChildProduct",
            f"Product {product['ID']} is a child, which is where its parent is: assign"
            f" {product['ParentID']}.",
            ProductID=product["ID"],
        )


async def in_the_catalog(door: Door, change: Change) -> None:
    """What stands in a category stands in its catalog."""
    assignment = change.after
    key = f"{assignment.catalog_id}/{assignment.product_id}"
    if await door.documents["ProductCatalogAssignment"].get(key) is None:
        raise bad_request(
            "Catalog.CannotAssignProduct",
            f"Product {assignment.product_id} is not in catalog {assignment.catalog_id}: assign it"
            " to the catalog first.",
            ProductID=assignment.product_id,
            CatalogID=assignment.catalog_id,
        )


CATEGORY_PRODUCT_ASSIGNMENTS = Assignment(
    events=CATEGORY_PRODUCT_ASSIGNMENT,
    sdk="Categories",
    methods=("ListProductAssignments", "SaveProductAssignment", "DeleteProductAssignment"),
    list="/catalogs/{catalogID}/categories/productassignments",
    save="/catalogs/{catalogID}/categories/productassignments",
    delete="/catalogs/{catalogID}/categories/{categoryID}/productassignments/{productID}",
    collection="category_product_assignments",
    roles=CATEGORIES.roles,
    users=ADMIN_SUPPLIER,
    parents=(CATALOGS,),
    parameters=("categoryID", "productID"),
    references=(_OF_CATEGORY, Reference("ProductID", PRODUCTS)),
    rules=(own_product, no_child, in_the_catalog),
    after_write=(placing("CategoryProductAssignment"),),
    after_delete=(displacing("CategoryProductAssignment"),),
    indexes=(
        index("CatalogID", "CategoryID", "ProductID"),
        index("ProductID"),
    ),
)
