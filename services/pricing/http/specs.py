"""Specs: what is chosen with a product, out of which options."""

from typing import Any

from services.pricing.http.counts import count_assigned, count_of_gone
from services.pricing.http.lookups import exact, states_by_id
from services.pricing.http.owners import own_product, owner_exists
from services.pricing.http.products import PRODUCTS
from shared.contracts.assortment import SpecOption
from shared.contracts.resources import SPEC, SPEC_OPTION, SPEC_PRODUCT_ASSIGNMENT
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request, not_found
from shared.http.kinds import Assignment, Cascade, Change, Kind, Reference, own_by_owner
from shared.http.operations import ADMIN_SUPPLIER, Call, ListOf, Operation
from shared.http.places import PRODUCTS as PRODUCT_PLACE
from shared.http.places import SPECS as SPEC_PLACE
from shared.http.present import presenter_of
from shared.http.query import ListShape, index, parse_list, run_small_list
from shared.http.resources import ResourceOperations

__all__ = [
    "SPECS",
    "SPEC_OPTIONS",
    "SPEC_PRODUCT_ASSIGNMENTS",
    "product_spec_operations",
    "specs_of",
    "with_options",
]


async def variants_need_a_choice(door: Door, change: Change) -> None:
    """What defines variants is always chosen, and from the options."""
    spec = change.after
    if spec.defines_variant and spec.allow_open_text:
        raise bad_request(
            "Spec.CannotAllowOpenText",
            "A spec that defines variants has a variant for each option, so AllowOpenText must be"
            " false.",
            Field="AllowOpenText",
        )
    if spec.defines_variant and not spec.required:
        raise bad_request(
            "Spec.MustBeRequired",
            "A spec that defines variants has to be chosen: set Required to true.",
            Field="Required",
        )


async def default_is_an_option(door: Door, change: Change) -> None:
    """The default is one of the options, so these have to be there first."""
    spec, before = change.after, change.before
    option = spec.default_option_id
    if option is not None and (before is None or before.default_option_id != option):
        await _need_option(door, spec.id if before is None else before.id, option)


async def _need_option(door: Door, spec_id: str, option_id: str) -> None:
    if await door.documents["SpecOption"].get(f"{spec_id}/{option_id}") is None:
        raise not_found("SpecOption", option_id)


async def with_options(door: Door, answers: list[State]) -> None:
    """Fills in ``Options`` and ``OptionCount``."""
    options: dict[str, list[State]] = {answer["ID"]: [] for answer in answers}
    for state in await door.documents["SpecOption"].find({"SpecID": {"$in": list(options)}}):
        # What is only alike is found, too.
        options.get(state["SpecID"], []).append(state)
    present = presenter_of(SpecOption)
    for answer in answers:
        of_it = sorted(options[answer["ID"]], key=option_order)
        answer["Options"] = [present(each) for each in of_it]
        answer["OptionCount"] = len(of_it)


def option_order(state: State) -> tuple[int, str]:
    """Options stand by ListOrder, then by ID."""
    return state.get("ListOrder", 0), state["ID"]


async def show_options(door: Door, states: list[State], answers: list[State], call: Call) -> None:
    await with_options(door, answers)


async def variants_follow_spec(door: Door, change: Change) -> None:
    await _change_variants(door, change, change.before.id, {"spec_id": change.after.id})


SPECS = Kind(
    events=SPEC,
    sdk="Specs",
    path="/specs",
    id="specID",
    collection="specs",
    roles=PRODUCTS.roles,
    owned=True,
    visible=own_by_owner,
    searchable=("Name", "ID"),
    sortable=("ListOrder", "Name", "ID"),
    default_sort=("ListOrder", "Name", "ID"),
    rules=(owner_exists, variants_need_a_choice, default_is_an_option),
    compute=show_options,
    on_delete=(Cascade("SpecProductAssignment", "SpecID"), Cascade("SpecOption", "SpecID")),
    renames=(Cascade("SpecOption", "SpecID"), Cascade("SpecProductAssignment", "SpecID")),
    after_rename=(variants_follow_spec,),
    indexes=(
        index("ListOrder", "Name", "ID"),
        index("OwnerID", "ListOrder", "Name", "ID"),
        exact("OwnerID"),
    ),
)


async def no_default_any_more(door: Door, states: list[State], call: Call) -> None:
    """An option that is gone is nobody's default."""
    for state in states:
        await _default_becomes(door, state["SpecID"], state["ID"], None, call)


async def option_follows(door: Door, change: Change) -> None:
    old, new = change.before.id, change.after.id
    await _default_becomes(door, change.after.spec_id, old, new, change.call)
    await _change_variants(door, change, change.after.spec_id, {"option_id": new}, option=old)


async def _default_becomes(door: Door, spec_id: str, old: str, new: str | None, call: Call) -> None:
    def decide(stored: Any) -> Any:
        if stored is None or stored.default_option_id != old:
            return stored
        return stored.model_copy(update={"default_option_id": new})

    await door.documents["Spec"].change(spec_id, decide, call)
    assignments = door.documents["SpecProductAssignment"]
    keys = await assignments.keys({"SpecID": spec_id, "DefaultOptionID": old})
    if keys:
        await assignments.change_all(keys, decide, call)


async def _change_variants(
    door: Door, change: Change, spec_id: str, update: State, option: str | None = None
) -> None:
    """Variants go on naming a spec, or its ``option``, that has another ID."""

    def renamed(stored: Any) -> Any:
        if stored is None:
            return None
        specs = [
            each.model_copy(update=update)
            if each.spec_id == spec_id and option in (None, each.option_id)
            else each
            for each in stored.specs or ()
        ]
        return stored.model_copy(update={"specs": specs})

    wanted = {"SpecID": spec_id} if option is None else {"SpecID": spec_id, "OptionID": option}
    keys = await door.documents["Variant"].keys({"Specs": {"$elemMatch": wanted}})
    if keys:
        await door.documents["Variant"].change_all(keys, renamed, change.call)


SPEC_OPTIONS = Kind(
    events=SPEC_OPTION,
    sdk="Specs",
    suffix="Option",
    path="/specs/{specID}/options",
    id="optionID",
    collection="spec_options",
    roles=PRODUCTS.roles,
    users=ADMIN_SUPPLIER,
    parents=(SPEC_PLACE,),
    searchable=("Value", "ID"),
    sortable=("ListOrder", "ID"),
    default_sort=("ListOrder", "ID"),
    after_delete=(no_default_any_more,),
    after_rename=(option_follows,),
    indexes=(index("SpecID", "ListOrder", "ID"),),
)


async def fits_the_product(door: Door, change: Change) -> None:
    """Parents and children have no variants; the product's default is one of the options."""
    assignment, documents = change.after, door.documents
    product = await documents["Product"].get(assignment.product_id) or {}
    spec = await documents["Spec"].get(assignment.spec_id) or {}
    in_family = product.get("IsParent") or product.get("ParentID") is not None
    if in_family and spec.get("DefinesVariant"):
        raise bad_request(
            "ProductAssigment.ParentChildProductCannotBeAssignedToVariantSpec",
            f"Product {assignment.product_id} is a parent or a child, which have no variants, and"
            f" spec {assignment.spec_id} defines variants: assign another spec.",
            ProductID=assignment.product_id,
            SpecID=assignment.spec_id,
        )
    if assignment.default_option_id is not None:
        await _need_option(door, assignment.spec_id, assignment.default_option_id)


SPEC_PRODUCT_ASSIGNMENTS = Assignment(
    events=SPEC_PRODUCT_ASSIGNMENT,
    sdk="Specs",
    methods=("ListProductAssignments", "SaveProductAssignment", "DeleteProductAssignment"),
    list="/specs/productassignments",
    save="/specs/productassignments",
    delete="/specs/{specID}/productassignments/{productID}",
    collection="spec_product_assignments",
    roles=PRODUCTS.roles,
    after_write=(count_assigned,),
    after_delete=(count_of_gone,),
    owner=Reference("SpecID", SPEC_PLACE),
    references=(Reference("SpecID", SPEC_PLACE), Reference("ProductID", PRODUCT_PLACE)),
    rules=(own_product, fits_the_product),
    filterable=True,
    searchable=("SpecID", "ProductID"),
    sortable=("SpecID", "ProductID", "DefaultOptionID", "DefaultValue"),
    indexes=(
        index("SpecID", "ProductID"),
        exact("ProductID"),
        exact("SpecID", "DefaultOptionID"),
    ),
)


async def specs_of(door: Door, product_id: str) -> list[State]:
    """The specs of a product as they are for it: with its own defaults, and their options."""
    assigned = await door.documents["SpecProductAssignment"].find({"ProductID": product_id})
    own = {each["SpecID"]: each for each in assigned}
    found = await states_by_id(door, "Spec", own)
    present = presenter_of(SPECS.model)
    shown = [present(state) for state in found.values()]
    for spec in shown:
        for name in ("DefaultValue", "DefaultOptionID"):
            if own[spec["ID"]].get(name) is not None:
                spec[name] = own[spec["ID"]][name]
    await with_options(door, shown)
    return shown


def product_spec_operations(door: Door) -> list[Operation]:
    """The list of a product's specs."""
    products = ResourceOperations(door, PRODUCTS)
    shape = ListShape(SPECS.model, SPECS.searchable, SPECS.sortable, SPECS.default_sort)

    async def page(call: Call) -> State:
        query = parse_list(call.query, shape)
        await products.existing(call)
        found = await specs_of(door, call.path["productID"])
        page = await run_small_list(door.resources.database(door.service), found, query)
        return {"Meta": page.meta(), "Items": page.documents}

    return [
        Operation(
            name="Products.ListSpecs",
            method="GET",
            path="/products/{productID}/specs",
            handler=page,
            users=ADMIN_SUPPLIER,
            roles=PRODUCTS.roles.readers,
            answer=ListOf(SPECS.model),
            list=shape,
            summary="Lists the specs of a product, with its own defaults.",
        )
    ]
