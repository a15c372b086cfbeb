"""Whose a product is at which price, and who sells it."""

from dataclasses import replace
from typing import Any

from services.pricing.http.owners import owner_of
from services.pricing.http.placement import displacing, placing
from services.pricing.http.products import PRODUCTS
from shared.contracts.assortment import ProductSupplier
from shared.contracts.resources import PRODUCT_ASSIGNMENT, PRODUCT_SUPPLIER
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request, not_found
from shared.http.kinds import Assignment, Change, Reference, Roles
from shared.http.operations import ADMIN_SUPPLIER, Call, ListOf, Operation
from shared.http.places import (
    BUYERS,
    PRICE_SCHEDULES,
    SUPPLIERS,
    USER_GROUPS,
)
from shared.http.places import (
    PRODUCTS as PRODUCT_PLACE,
)
from shared.http.present import presenter_of
from shared.http.principal import Principal, UserType
from shared.http.query import ListShape, index, parse_list, run_small_list
from shared.http.resources import ResourceOperations

__all__ = [
    "PRODUCT_ASSIGNMENTS",
    "PRODUCT_SUPPLIERS",
    "product_supplier_operations",
    "suppliers_with_ids",
]


def sold_by_oneself(principal: Principal) -> dict[str, Any]:
    """A supplier sees who buys from it."""
    if principal.user_type is UserType.ADMIN:
        return {}
    return {"SellerID": principal.company_id}


async def seller_fits(door: Door, change: Change) -> None:
    """A supplier assigns what it may sell, in its own name; a seller has its own prices."""
    assignment, caller = change.after, change.call.principal
    if caller.user_type is UserType.SUPPLIER:
        product = await door.documents["Product"].get(assignment.product_id)
        if not await may_sell(door, product or {}, caller.company_id):
            raise not_found("Product", assignment.product_id)
        assignment = assignment.model_copy(update={"seller_id": caller.company_id})
        change.after = assignment
    seller = assignment.seller_id
    if assignment.price_schedule_id is None:
        if seller is not None:
            raise bad_request(
                "ProductAssigment.MustSpecifyPriceScheduleID",
                f"{seller} sells at prices of its own: send the PriceScheduleID of one that it"
                " owns.",
                Field="PriceScheduleID",
            )
        return
    if seller is None or seller == door.resources.settings.marketplace_id:
        return
    schedule = await door.documents["PriceSchedule"].get(assignment.price_schedule_id)
    if schedule is not None and owner_of(door, schedule) != seller:
        raise bad_request(
            "PriceSchedule.MissingOrConflicting",
            f"Price schedule {assignment.price_schedule_id} is not {seller}'s: a seller sells at"
            " prices that it owns; name one of those.",
            Field="PriceScheduleID",
        )


async def may_sell(door: Door, product: State, supplier: str) -> bool:
    """Whether a supplier owns the product, or is one of its suppliers."""
    if supplier in (product.get("OwnerID"), product.get("DefaultSupplierID")):
        return True
    id = product.get("ID")
    return bool(await door.documents["ProductSupplier"].get(f"{id}/{supplier}"))


PRODUCT_ASSIGNMENTS = Assignment(
    events=PRODUCT_ASSIGNMENT,
    sdk="Products",
    list="/products/assignments",
    save="/products/assignments",
    delete="/products/{productID}/assignments/{buyerID}",
    collection="product_assignments",
    roles=Roles(("ProductReader",), ("ProductAdmin", "ProductAssignmentAdmin")),
    users=ADMIN_SUPPLIER,
    visible=sold_by_oneself,
    parameters=("productID", "priceScheduleID", "buyerID", "userGroupID"),
    levels=frozenset({"Company", "Group"}),
    references=(
        Reference("ProductID", PRODUCT_PLACE),
        Reference("BuyerID", BUYERS),
        Reference("UserGroupID", USER_GROUPS, parents=("BuyerID",)),
        Reference("PriceScheduleID", PRICE_SCHEDULES),
        Reference("SellerID", SUPPLIERS),
    ),
    rules=(seller_fits,),
    after_write=(placing("ProductAssignment"),),
    after_delete=(displacing("ProductAssignment"),),
    indexes=(
        index("ProductID", "BuyerID", "UserGroupID", "SellerID"),
        index("BuyerID", "ProductID"),
        index("PriceScheduleID"),
    ),
)


async def may_be_sold(door: Door, change: Change) -> None:
    """A supplier adds itself where all suppliers can sell, or to what it owns; its price is by a
    schedule of its own."""
    assignment, caller = change.after, change.call.principal
    product = await door.documents["Product"].get(assignment.product_id)
    if caller.user_type is UserType.SUPPLIER and not (
        product is not None
        and (product.get("AllSuppliersCanSell") or product.get("OwnerID") == caller.company_id)
    ):
        raise not_found("Product", assignment.product_id)
    id = assignment.default_price_schedule_id
    if id is None:
        return
    schedule = await door.documents["PriceSchedule"].get(id)
    if schedule is not None and owner_of(door, schedule) != assignment.supplier_id:
        raise bad_request(
            "PriceSchedule.InvalidDefaultPriceScheduleID",
            f"Price schedule {id} is not {assignment.supplier_id}'s: name one that it owns.",
            Field="DefaultPriceScheduleID",
            PriceScheduleID=id,
        )


PRODUCT_SUPPLIERS = Assignment(
    events=PRODUCT_SUPPLIER,
    sdk="Products",
    methods=("ListSuppliers", "SaveSupplier", "RemoveSupplier"),
    save="/products/{productID}/suppliers/{supplierID}",
    save_method="PUT",
    save_parameters=("defaultPriceScheduleID",),
    delete="/products/{productID}/suppliers/{supplierID}",
    collection="product_suppliers",
    roles=PRODUCTS.roles,
    parents=(replace(PRODUCT_PLACE, owned=False),),
    references=(
        Reference("SupplierID", SUPPLIERS),
        Reference("DefaultPriceScheduleID", PRICE_SCHEDULES),
    ),
    rules=(may_be_sold,),
    after_write=(placing("ProductSupplier"),),
    after_delete=(displacing("ProductSupplier"),),
    indexes=(
        index("ProductID", "SupplierID"),
        index("SupplierID"),
        index("DefaultPriceScheduleID"),
    ),
)


async def suppliers_with_ids(door: Door, ids: list[str]) -> list[State]:
    """The suppliers with these IDs, which are accounts' data."""
    collection = door.resources.database(SUPPLIERS.service)[SUPPLIERS.collection]
    found = collection.find({"_id": {"$in": ids}, "state": {"$ne": None}}, {"state": 1})
    return [document["state"] async for document in found]


def product_supplier_operations(door: Door) -> list[Operation]:
    """The list of who sells a product, with what suppliers themselves are."""
    products = ResourceOperations(door, PRODUCTS)
    present = presenter_of(ProductSupplier)
    shape = ListShape(ProductSupplier, ("Name", "ID"), ("ID", "Name", "DateCreated"), ("ID",))

    async def page(call: Call) -> dict[str, Any]:
        query = parse_list(call.query, shape)
        await products.existing(call)
        sellers = await door.documents["ProductSupplier"].find(
            {"ProductID": call.path["productID"]}
        )
        prices = {each["SupplierID"]: each.get("DefaultPriceScheduleID") for each in sellers}
        found = [
            {**state, "DefaultPriceScheduleID": prices[state["ID"]]}
            for state in await suppliers_with_ids(door, list(prices))
        ]
        page = await run_small_list(door.resources.database(door.service), found, query)
        return {"Meta": page.meta(), "Items": [present(each) for each in page.documents]}

    return [
        Operation(
            name="Products.ListSuppliers",
            method="GET",
            path="/products/{productID}/suppliers",
            handler=page,
            users=ADMIN_SUPPLIER,
            roles=PRODUCTS.roles.readers,
            answer=ListOf(ProductSupplier),
            list=shape,
            summary="Lists the suppliers that sell a product.",
        )
    ]
