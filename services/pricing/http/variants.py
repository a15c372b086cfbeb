"""Variants: the combinations of a product's options."""

import hashlib
from itertools import product as combinations
from math import prod
from typing import Any

from services.pricing.http.counts import count_anew, count_of_gone
from services.pricing.http.lookups import exact
from services.pricing.http.products import PRODUCTS
from services.pricing.http.specs import specs_of
from services.pricing.http.stock import Stock
from shared.contracts.assortment import Variant, VariantOverrides, VariantSpec
from shared.contracts.resources import VARIANT
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request, not_found
from shared.http.kinds import Cascade, Change, Kind
from shared.http.operations import ADMIN_SUPPLIER, Call, Operation, Parameter
from shared.http.places import PRODUCTS as PRODUCT_PLACE
from shared.http.query import index
from shared.http.resources import ResourceOperations

__all__ = ["VARIANTS", "show_variants", "tracks_variants", "variant_operations"]

MOST_VARIANTS = 1_000
"""The most that are made of one product."""


async def is_there(door: Door, change: Change) -> None:
    """Variants are generated; what is saved is one that there is."""
    if change.before is None:
        raise not_found("Variant", change.after.id)


def tracks_variants(product: State | None) -> bool:
    """Whether a product's stock is kept by variant."""
    inventory = (product or {}).get("Inventory") or {}
    return bool(inventory.get("VariantLevelTracking"))


async def stock_of_its_own(door: Door, change: Change) -> None:
    """A variant has stock where its product's is tracked by variant. Where it has inventory
    records, these say how much."""
    before, variant = change.before, change.after
    sent = change.sent.get("Inventory")
    if not isinstance(sent, dict):
        if "Inventory" not in change.sent and before is not None:
            change.after = variant.model_copy(update={"inventory": before.inventory})
        return
    quantity = sent.get("QuantityAvailable")
    if quantity is not None and not tracks_variants(
        await door.documents["Product"].get(variant.product_id)
    ):
        raise bad_request(
            "Variant.MustEnableInventory",
            f"Stock of product {variant.product_id} is not kept by variant: set its Inventory's"
            " Enabled and VariantLevelTracking to true first.",
            Field="Inventory.QuantityAvailable",
        )
    known = None if before is None or before.inventory is None else before.inventory
    update: State = {"last_updated": change.call.now}
    if quantity is None or await _records(door, variant.product_id, [variant.id]):
        update["quantity_available"] = None if known is None else known.quantity_available
    change.after = variant.model_copy(
        update={"inventory": variant.inventory.model_copy(update=update)}
    )


async def product_has_the_sum(door: Door, change: Change) -> None:
    """Orders take from the product's stock, for they choose no variant yet: it has what its
    variants have more, or less, now."""
    more = _quantity(change.after) - _quantity(change.before)
    if tracks_variants(await door.documents["Product"].get(change.after.product_id)):
        await Stock(door.resources).add(change.after.product_id, more)


def _quantity(variant: Variant | None) -> int:
    inventory = None if variant is None else variant.inventory
    return 0 if inventory is None else inventory.quantity_available or 0


def _stored_quantity(state: State) -> int:
    return (state.get("Inventory") or {}).get("QuantityAvailable") or 0


async def _records(door: Door, product_id: str, variant_ids: list[str]) -> dict[str, int]:
    """How much the inventory records of those variants have that have some."""
    found = await door.documents["VariantInventoryRecord"].find(
        {"ProductID": product_id, "VariantID": {"$in": variant_ids}}
    )
    sums: dict[str, int] = {}
    for state in found:
        id = str(state["VariantID"])
        sums[id] = sums.get(id, 0) + state.get("QuantityAvailable", 0)
    return sums


async def show_variants(door: Door, states: list[State], answers: list[State], call: Call) -> None:
    """Fills in what inventory records say of the stock."""
    sums = await _records(door, states[0]["ProductID"], [state["ID"] for state in states])
    for answer in answers:
        if answer["ID"] in sums:
            inventory = answer["Inventory"] or {"NotificationPoint": None, "LastUpdated": None}
            answer["Inventory"] = {**inventory, "QuantityAvailable": sums[answer["ID"]]}


_OF_VARIANT = (
    Cascade("VariantInventoryRecordAssignment", "VariantID"),
    Cascade("VariantInventoryRecord", "VariantID"),
)

VARIANTS = Kind(
    events=VARIANT,
    sdk="Products",
    suffix="Variant",
    path="/products/{productID}/variants",
    id="variantID",
    collection="variants",
    roles=PRODUCTS.roles,
    users=ADMIN_SUPPLIER,
    parents=(PRODUCT_PLACE,),
    operations=frozenset({"List", "Get", "Save", "Patch"}),
    searchable=("ID", "Name", "Description"),
    sortable=("ID", "Name"),
    default_sort=("ID", "Name"),
    rules=(is_there, stock_of_its_own),
    after_write=(product_has_the_sum,),
    compute=show_variants,
    on_delete=_OF_VARIANT,
    after_delete=(count_of_gone,),
    renames=_OF_VARIANT,
    indexes=(index("ProductID", "ID"), index("ProductID", "Name", "ID"), exact("ProductID")),
)


def variant_operations(door: Door) -> list[Operation]:
    """Generating variants."""
    products = ResourceOperations(door, PRODUCTS)
    variants = ResourceOperations(door, VARIANTS)
    documents = door.documents["Variant"]

    async def generate(call: Call) -> State:
        product = await products.existing(call)
        overrides: VariantOverrides = call.sent(VariantOverrides)
        active = overrides.active if "active" in overrides.model_fields_set else product["Active"]
        overwrite = bool(call.flag("overwriteExisting"))
        _fits_variants(product)
        specs = [each for each in await specs_of(door, product["ID"]) if each["DefinesVariant"]]
        made = generated(product, specs, active)
        existing = await documents.find({"ProductID": product["ID"]})
        if overwrite:
            ids = {state["ID"] for state in made}
            old = [state for state in existing if state["ID"] not in ids]
            if old:
                await variants.remove(old, call)
            taken: set[str] = set()
        else:
            known = {_choices(state.get("Specs")) for state in existing}
            made = [state for state in made if _choices(state["Specs"]) not in known]
            taken = {state["ID"] for state in existing}
        for state in made:
            state["ID"] = _free(state["ID"], taken)
        await documents.put_all(
            {
                f"{product['ID']}/{state['ID']}": documents.events.stored.model_validate(state)
                for state in made
            },
            call,
        )
        await count_anew(door, [product["ID"]])
        await _adjust_stock(product, existing, call)
        return (await products.shown([product], call))[0]

    async def _adjust_stock(product: State, existing: list[State], call: Call) -> None:
        """What was counted of variants that are gone, or begin anew, is not there any more."""
        if not tracks_variants(product):
            return
        now = await documents.find({"ProductID": product["ID"]})
        more = sum(map(_stored_quantity, now)) - sum(map(_stored_quantity, existing))
        await Stock(door.resources).add(product["ID"], more)

    return [
        Operation(
            name="Products.GenerateVariants",
            method="POST",
            path="/products/{productID}/variants/generate",
            handler=generate,
            users=ADMIN_SUPPLIER,
            roles=PRODUCTS.roles.write,
            body=VariantOverrides,
            answer=PRODUCTS.model,
            status=201,
            parameters=(Parameter("overwriteExisting", "boolean"),),
            summary="Makes a variant of every combination of options that there is none of yet.",
        )
    ]


def _fits_variants(product: State) -> None:
    if product.get("IsParent") or product.get("ParentID") is not None:
        raise bad_request(
            "Product.ParentChildProductsCannotHaveVariants",
            f"Product {product['ID']} is a parent or a child; only others have variants.",
            ProductID=product["ID"],
        )


def generated(product: State, specs: list[State], active: bool) -> list[State]:
    """A variant for every combination of the options of ``specs``. Raises ApiError where a spec
    has no option, or there are too many."""
    if not specs:
        return []
    specs = sorted(specs, key=lambda spec: (spec["ListOrder"], spec["Name"], spec["ID"]))
    options = [[each for each in spec["Options"] if not each["IsOpenText"]] for spec in specs]
    for spec, of_it in zip(specs, options, strict=True):
        if not of_it:
            raise bad_request(
                "Spec.OneOrMoreRequiresValue",
                f"Spec {spec['ID']} defines variants and has no options: save some first.",
                SpecID=spec["ID"],
            )
    count = prod(map(len, options))
    if count > MOST_VARIANTS:
        raise bad_request(
            "Variant.ExceededLimit",
            f"The options combine to {count} variants, and a product may have {MOST_VARIANTS}: take"
            " options away, or let a spec define none.",
            Count=count,
            MaxCount=MOST_VARIANTS,
        )
    return [
        {
            "ID": variant_id(product["ID"], [each["ID"] for each in chosen]),
            "ProductID": product["ID"],
            "Name": " ".join([product["Name"], *(each["Value"] for each in chosen)])[:100],
            "Active": active,
            "Specs": [
                VariantSpec(
                    spec_id=spec["ID"],
                    name=spec["Name"],
                    option_id=each["ID"],
                    value=each["Value"],
                    price_markup_type=each["PriceMarkupType"],
                    price_markup=each["PriceMarkup"],
                ).model_dump(exclude_none=True)
                for spec, each in zip(specs, chosen, strict=True)
            ],
        }
        for chosen in combinations(*options)
    ]


def variant_id(product_id: str, option_ids: list[str]) -> str:
    """``{product}-{option}-…``; what is longer than an ID may be ends in a digest of it."""
    id = "-".join([product_id, *option_ids])
    if len(id) <= 100:
        return id
    digest = hashlib.sha256(id.encode()).hexdigest()[:16]
    return f"{id[:83]}-{digest}"


def _free(id: str, taken: set[str]) -> str:
    """``id``, or with a number where another combination has it: hyphens are parts of IDs too."""
    free, number = id, 1
    while free in taken:
        number += 1
        free = f"{id[:95]}-{number}"
    taken.add(free)
    return free


def _choices(specs: Any) -> frozenset[tuple[str, str | None]]:
    return frozenset((each["SpecID"], each.get("OptionID")) for each in specs or ())
