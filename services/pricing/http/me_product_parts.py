"""What a buyer's user sees of one product: its specs, variants, stock and sellers."""

from typing import Any

from services.pricing.http.inventory_records import (
    INVENTORY_RECORDS,
    VARIANT_INVENTORY_RECORDS,
    show_addresses,
    show_records,
)
from services.pricing.http.me import get_of, list_of, shape_of, without_owner
from services.pricing.http.my_products import my_product, priced
from services.pricing.http.product_assignments import suppliers_with_ids
from services.pricing.http.specs import SPECS, specs_of
from services.pricing.http.variants import VARIANTS, show_variants
from services.pricing.http.visibility import Viewer, viewer_of
from shared.contracts.assortment import ProductSeller
from shared.http.documents import State, with_ids
from shared.http.door import Door
from shared.http.errors import not_found
from shared.http.kinds import Kind
from shared.http.operations import Call, Operation, Parameter
from shared.http.present import presenter_of
from shared.http.query import ListShape, parse_list, run_small_list
from shared.http.resources import scope_of

_PRODUCT = "/me/products/{productID}"


async def _seen(door: Door, call: Call) -> tuple[Viewer, State]:
    """The caller, and the product that the path names, which it sees."""
    viewer = await viewer_of(door, call)
    return viewer, await my_product(door, viewer, call.path["productID"])


async def _small(door: Door, states: list[State], call: Call, shape: ListShape) -> State:
    query = parse_list(call.query, shape)
    page = await run_small_list(door.resources.database(door.service), states, query)
    return {"Meta": page.meta(), "Items": page.documents}


def my_spec_operations(door: Door) -> list[Operation]:
    """Specs."""
    shape = shape_of(SPECS, "catalogID")
    in_catalog = (Parameter("catalogID"),)

    async def found(call: Call) -> list[State]:
        _, product = await _seen(door, call)
        return without_owner(await specs_of(door, product["ID"]))

    async def list_specs(call: Call) -> State:
        return await _small(door, await found(call), call, shape)

    async def get_spec(call: Call) -> State:
        for spec in await found(call):
            if spec["ID"] == call.path["specID"]:
                return spec
        raise not_found("Spec", call.path["specID"])

    return [
        list_of(
            "ListSpecs",
            f"{_PRODUCT}/specs",
            list_specs,
            shape,
            SPECS.model,
            "Lists what is chosen with a product.",
            parameters=in_catalog,
        ),
        get_of(
            "GetSpec",
            f"{_PRODUCT}/specs/{{specID}}",
            get_spec,
            SPECS.model,
            "Gets a spec of a product.",
            parameters=in_catalog,
        ),
    ]


def my_variant_operations(door: Door) -> list[Operation]:
    """Variants."""
    documents = door.documents["Variant"]
    present = presenter_of(VARIANTS.model)
    shape = shape_of(VARIANTS)

    async def shown(states: list[State], call: Call) -> list[State]:
        answers = [present(state) for state in states]
        if answers:
            await show_variants(door, states, answers, call)
        return answers

    async def list_variants(call: Call) -> State:
        query = parse_list(call.query, shape)
        _, product = await _seen(door, call)
        page = await documents.page(scope_of({"ProductID": product["ID"], "Active": True}), query)
        return {"Meta": page.meta(), "Items": await shown(page.documents, call)}

    async def get_variant(call: Call) -> State:
        _, product = await _seen(door, call)
        return (await shown([await active_variant(door, product["ID"], call)], call))[0]

    return [
        list_of(
            "ListVariants",
            f"{_PRODUCT}/variants",
            list_variants,
            shape,
            VARIANTS.model,
            "Lists the active variants of a product.",
        ),
        get_of(
            "GetVariant",
            f"{_PRODUCT}/variants/{{variantID}}",
            get_variant,
            VARIANTS.model,
            "Gets a variant of a product.",
        ),
    ]


async def active_variant(door: Door, product_id: str, call: Call) -> State:
    """The variant that the path names. Raises :class:`ApiError` 404 where it is not active."""
    id = call.path["variantID"]
    state = await door.documents["Variant"].get(f"{product_id}/{id}")
    if state is None or not state.get("Active"):
        raise not_found("Variant", id)
    return state


def my_record_operations(door: Door) -> list[Operation]:
    """Inventory records: those for all buyers, and those for the caller's."""

    async def page(kind: Kind, of: State, viewer: Viewer, call: Call, show: Any) -> State:
        query = parse_list(call.query, shape_of(kind, "includeAddress"))
        assigned = await door.documents[f"{kind.name}Assignment"].find(
            {**of, "BuyerID": viewer.buyer_id}
        )
        ids = {each["InventoryRecordID"] for each in assigned if viewer.is_meant(each)}
        mine = {"$or": [{"state.AllowAllBuyers": True}, scope_of(with_ids(ids))]}
        page = await door.documents[kind.name].page({**scope_of(of), **mine}, query)
        present = presenter_of(kind.model)
        answers = [present(state) for state in page.documents]
        if answers:
            await show(door, page.documents, answers, call)
        return {"Meta": page.meta(), "Items": without_owner(answers)}

    async def of_product(call: Call) -> State:
        viewer, product = await _seen(door, call)
        of = {"ProductID": product["ID"]}
        return await page(INVENTORY_RECORDS, of, viewer, call, show_records)

    async def of_variant(call: Call) -> State:
        viewer, product = await _seen(door, call)
        variant = await active_variant(door, product["ID"], call)
        of = {"ProductID": product["ID"], "VariantID": variant["ID"]}
        return await page(VARIANT_INVENTORY_RECORDS, of, viewer, call, show_addresses)

    parameters = (Parameter("includeAddress", "boolean"),)
    return [
        list_of(
            "ListProductInventoryRecords",
            f"{_PRODUCT}/inventoryrecords",
            of_product,
            shape_of(INVENTORY_RECORDS, "includeAddress"),
            INVENTORY_RECORDS.model,
            "Lists where a product is, and how much of it.",
            parameters=parameters,
        ),
        list_of(
            "ListVariantInventoryRecords",
            f"{_PRODUCT}/variants/{{variantID}}/inventoryrecords",
            of_variant,
            shape_of(VARIANT_INVENTORY_RECORDS, "includeAddress"),
            VARIANT_INVENTORY_RECORDS.model,
            "Lists where a variant is, and how much of it.",
            parameters=parameters,
        ),
    ]


def my_seller_operations(door: Door) -> list[Operation]:
    """Who sells a product, at which price."""
    shape = ListShape(ProductSeller, ("ID", "Name"), ("Name", "ID"), ("Name", "ID"))

    async def list_sellers(call: Call) -> State:
        viewer, product = await _seen(door, call)
        marketplace = door.resources.settings.marketplace_id
        owner = product.get("OwnerID") or marketplace
        assigned = await door.documents["ProductSupplier"].find({"ProductID": product["ID"]})
        ids = {owner, *(each["SupplierID"] for each in assigned)}
        sellers = [
            {"ID": each["ID"], "Name": each["Name"]}
            for each in await suppliers_with_ids(door, sorted(ids))
            if each.get("Active")
        ]
        if owner == marketplace:
            sellers.append({"ID": marketplace, "Name": marketplace})
        offers = [(product, str(seller["ID"])) for seller in sellers]
        prices = await priced(door, viewer, offers, call)
        for seller, schedule in zip(sellers, prices, strict=True):
            seller["PriceSchedule"] = schedule
        return await _small(door, sellers, call, shape)

    return [
        list_of(
            "ListProductSellers",
            f"{_PRODUCT}/sellers",
            list_sellers,
            shape,
            ProductSeller,
            "Lists who sells a product, at which price.",
        )
    ]
