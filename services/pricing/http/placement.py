"""Where each product is placed: in which catalogs and categories, for which buyers, by whom sold.

Assignments say that one by one. A list of what one buyer sees of 100,000 products has to find it in
one index, so every product's document also has it, beside its state::

    placed: {catalogs: [c], categories: [c/k], parties: [buyer, buyer/group], suppliers: [s]}

as tokens. Nothing is decided by it that the assignments do not say, and saving an assignment again
puts right what an interruption left out. A child product is placed where its parent is.
"""

from collections.abc import Iterable
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.pricing.http.lookups import token
from shared.http.documents import State
from shared.http.door import Door
from shared.http.kinds import AfterDelete, Change, Rule
from shared.http.operations import Call
from shared.http.query import COLLATION

_SOURCES = {
    "ProductCatalogAssignment": ("catalogs", ("CatalogID",)),
    "CategoryProductAssignment": ("categories", ("CatalogID", "CategoryID")),
    "ProductAssignment": ("parties", ("BuyerID", "UserGroupID")),
    "ProductSupplier": ("suppliers", ("SupplierID",)),
}
"""The list that a kind of assignment puts a product in, and what is in the list."""


def placed_index(name: str) -> IndexModel:
    """For the products in one of the lists, in the order of product lists."""
    return IndexModel(
        [(f"placed.{name}", ASCENDING), ("state.Name", ASCENDING), ("state.ID", ASCENDING)],
        name=f"placed_{name}",
        collation=COLLATION,
    )


def in_list(name: str, tokens: Iterable[str]) -> dict[str, Any]:
    """Matches the products whose list ``name`` has one of ``tokens``."""
    return {f"placed.{name}": {"$in": list(tokens)}}


def placing(kind: str) -> Rule:
    """What follows from saving an assignment of ``kind``."""
    where, fields = _SOURCES[kind]

    async def place(door: Door, change: Change) -> None:
        state = change.after.model_dump(exclude_none=True)
        await _products(door).update_many(
            _product_and_children(state["ProductID"]),
            {"$addToSet": {f"placed.{where}": _token(state, fields)}},
        )

    return place


def displacing(kind: str) -> AfterDelete:
    """What follows from deleting assignments of ``kind``."""
    where, fields = _SOURCES[kind]

    async def displace(door: Door, states: list[State], call: Call) -> None:
        for state in states:
            same = {name: state.get(name) for name in ("ProductID", *fields)}
            if not await door.documents[kind].count(same):
                await _products(door).update_many(
                    _product_and_children(state["ProductID"]),
                    {"$pull": {f"placed.{where}": _token(state, fields)}},
                )

    return displace


async def place_anew(door: Door, product_id: str, parent_id: str | None) -> None:
    """Reads from the assignments where a product, and the parent it may have, are placed."""
    products = [product_id] if parent_id is None else [product_id, parent_id]
    placed: dict[str, list[str]] = {}
    for kind, (where, fields) in _SOURCES.items():
        found = await door.documents[kind].find({"ProductID": {"$in": products}})
        placed[where] = sorted(
            {_token(state, fields) for state in found if state["ProductID"] in products}
        )
    await _products(door).update_one({"_id": product_id}, {"$set": {"placed": placed}})


async def place_new_product(door: Door, change: Change) -> None:
    """A product that is new, or has another parent, is placed where its assignments say."""
    before, after = change.before, change.after
    if before is None or before.parent_id != after.parent_id:
        await place_anew(door, after.id, after.parent_id)


async def place_renamed_product(door: Door, change: Change) -> None:
    await place_anew(door, change.after.id, change.after.parent_id)


async def displace_all(door: Door, where: str, old: str) -> None:
    """No product is placed at ``old`` any more."""
    path = f"placed.{where}"
    await _products(door).update_many({path: old}, {"$pull": {path: old}}, collation=COLLATION)


async def replace_all(door: Door, where: str, old: str, new: str) -> None:
    """All products that are placed at ``old`` are placed at ``new``."""
    path = f"placed.{where}"
    await _products(door).update_many({path: old}, {"$addToSet": {path: new}}, collation=COLLATION)
    await displace_all(door, where, old)


async def remove_assignments(door: Door, kind: str, fields: State, call: Call) -> None:
    """Deletes the assignments of ``kind`` with these values, and what follows from each."""
    assignment, documents = door.assignments[kind], door.documents[kind]
    states = await documents.find(fields)
    if states:
        await documents.change_all(
            [assignment.key(state) for state in states], lambda stored: None, call
        )
        for hook in assignment.after_delete:
            await hook(door, states, call)


def clearing(kind: str, field: str) -> AfterDelete:
    """Before something is deleted, those of ``kind`` that name it in ``field`` name nothing
    there."""

    async def clear(door: Door, states: list[State], call: Call) -> None:
        documents = door.documents[kind]
        name = next(
            name
            for name, info in documents.events.stored.model_fields.items()
            if info.alias == field
        )

        def decide(stored: Any) -> Any:
            return stored if stored is None else stored.model_copy(update={name: None})

        for state in states:
            keys = await documents.keys({field: state["ID"]})
            for start in range(0, len(keys), _AT_ONCE):
                await documents.change_all(keys[start : start + _AT_ONCE], decide, call)

    return clear


async def delete_all(door: Door, kind: str, fields: State, call: Call) -> None:
    """Deletes all of ``kind`` with these values, some at a time."""
    documents = door.documents[kind]
    keys = await documents.keys(fields)
    for start in range(0, len(keys), _AT_ONCE):
        await documents.change_all(keys[start : start + _AT_ONCE], lambda stored: None, call)


_AT_ONCE = 500


def _products(door: Door) -> Any:
    return door.documents["Product"].collection


def _product_and_children(product_id: str) -> dict[str, Any]:
    return {"$or": [{"_id": product_id}, {"state.ParentID": product_id}]}


def _token(state: State, fields: tuple[str, ...]) -> str:
    return token(*(state[name] for name in fields if state.get(name) is not None))
