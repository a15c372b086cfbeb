"""What one buyer's user sees: which catalogs, which of their categories, which products.

A product is seen where it is active, in an active catalog of the buyer's, and one of these shows
it: the catalog's assignment, with ``ViewAllProducts``; a category that it is in, active up to the
root, for which the first assignment with a ``ViewAllProducts`` from there up says true; or an
assignment of the product to the buyer or to a group of the user's.

Catalogs and categories are few, so they are read first; what they show is then one condition on
where products are placed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.pricing.http.category_tree import Node, Tree
from services.pricing.http.lookups import states_by_id, token
from services.pricing.http.placement import in_list
from shared.http.documents import State, exactly
from shared.http.door import Door
from shared.http.errors import not_found
from shared.http.operations import Call
from shared.http.places import BUYERS
from shared.http.query import COLLATION

_GROUPS = "user_group_assignments"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: a buyer, by one of its users, who is in ``groups``. ``catalogs`` are the active
    ones of the buyer's, with how they are assigned."""

    buyer_id: str
    groups: frozenset[str]
    catalogs: Mapping[str, State]

    def parties(self) -> list[str]:
        """Whom a product may be assigned to, for the user to see it, as tokens."""
        return [token(self.buyer_id), *(token(self.buyer_id, group) for group in self.groups)]

    def is_meant(self, assignment: State) -> bool:
        """Whether something is assigned to the buyer, or to a group of the user's."""
        group = assignment.get("UserGroupID")
        return assignment["BuyerID"] == self.buyer_id and (group is None or group in self.groups)


async def viewer_of(door: Door, call: Call) -> Viewer:
    """The caller, who is a buyer's user."""
    principal = call.principal
    buyer = principal.company_id
    accounts = door.resources.database(BUYERS.service)
    members = accounts[_GROUPS].find(
        {"state.BuyerID": exactly(buyer), "state.UserID": exactly(principal.user_id)},
        {"state.UserGroupID": 1},
        collation=COLLATION,
    )
    groups = frozenset([each["state"]["UserGroupID"] async for each in members])
    assigned = await door.documents["CatalogAssignment"].find({"BuyerID": buyer})
    active = await states_by_id(door, "Catalog", [each["CatalogID"] for each in assigned])
    return Viewer(
        buyer,
        groups,
        {
            each["CatalogID"]: each
            for each in assigned
            if active.get(each["CatalogID"], {}).get("Active")
        },
    )


@dataclass(frozen=True, slots=True)
class CatalogView:
    """One catalog as a viewer sees it: its tree, and how its categories are assigned."""

    tree: Tree
    shows_all_categories: bool
    visible: Mapping[str, bool]
    """What the assignments of a category itself say of it, where they say something."""
    view_all_products: Mapping[str, bool]

    def categories(self) -> set[str]:
        """The categories that are shown."""
        return {
            id
            for id in self.tree.nodes
            if self.tree.is_active(id)
            and self._first(self.visible, id, otherwise=self.shows_all_categories)
        }

    def showing_products(self) -> set[str]:
        """The categories whose products are shown, all of them."""
        return {
            id
            for id in self.tree.nodes
            if self.tree.is_active(id) and self._first(self.view_all_products, id, otherwise=False)
        }

    def _first(self, said: Mapping[str, bool], id: str, *, otherwise: bool) -> bool:
        """What the nearest says, from a category up."""
        return next((said[each] for each in self.tree.upward(id) if each in said), otherwise)


async def catalog_views(
    door: Door, viewer: Viewer, catalogs: Iterable[str]
) -> dict[str, CatalogView]:
    """Those catalogs as the viewer sees them."""
    wanted = list(catalogs)
    nodes: dict[str, list[Node]] = {id: [] for id in wanted}
    found = door.documents["Category"].collection.find(
        {"state.CatalogID": {"$in": wanted}},
        {
            "_id": 0,
            "state.CatalogID": 1,
            "state.ID": 1,
            "state.ParentID": 1,
            "state.Active": 1,
        },
    )
    async for document in found:
        state = document["state"]
        nodes[state["CatalogID"]].append(
            Node(state["ID"], state.get("ParentID"), state.get("Active", True))
        )
    said = [
        each
        for each in await door.documents["CategoryAssignment"].find({"BuyerID": viewer.buyer_id})
        if viewer.is_meant(each)
    ]
    return {
        id: CatalogView(
            Tree(nodes[id]),
            bool(viewer.catalogs[id].get("ViewAllCategories")),
            _said(said, id, "Visible"),
            _said(said, id, "ViewAllProducts"),
        )
        for id in wanted
    }


def _said(assignments: Iterable[State], catalog_id: str, name: str) -> dict[str, bool]:
    """What a catalog's assignments say, by category: what is said of a group goes before what is
    said of the buyer, and yes before no."""
    of_buyer: dict[str, bool] = {}
    of_groups: dict[str, bool] = {}
    for each in assignments:
        value = each.get(name)
        if each["CatalogID"] == catalog_id and value is not None:
            said = of_buyer if each.get("UserGroupID") is None else of_groups
            said[each["CategoryID"]] = said.get(each["CategoryID"], False) or value
    return {**of_buyer, **of_groups}


def need_catalog(viewer: Viewer, catalog_id: str) -> str:
    """``catalog_id``, where the viewer sees that catalog. Raises :class:`ApiError` 404."""
    if catalog_id not in viewer.catalogs:
        raise not_found("Catalog", catalog_id)
    return catalog_id


async def default_catalog(door: Door, viewer: Viewer) -> str | None:
    """The catalog that is meant where none is named."""
    buyers = door.resources.database(BUYERS.service)[BUYERS.collection]
    found = await buyers.find_one({"_id": viewer.buyer_id}, {"state.DefaultCatalogID": 1})
    state = (found or {}).get("state") or {}
    catalog = state.get("DefaultCatalogID")
    return None if catalog is None else str(catalog)


async def visible_products(door: Door, viewer: Viewer, catalogs: Iterable[str]) -> dict[str, Any]:
    """The condition that a product is seen, in one of those catalogs."""
    chosen = sorted(catalogs)
    wholly = [id for id in chosen if viewer.catalogs[id].get("ViewAllProducts")]
    partly = [id for id in chosen if id not in wholly]
    shown = [in_list("catalogs", map(token, wholly))] if wholly else []
    if partly:
        views = await catalog_views(door, viewer, partly)
        categories = [
            token(id, category) for id in partly for category in views[id].showing_products()
        ]
        if categories:
            shown.append(in_list("categories", categories))
        shown.append(
            {**in_list("catalogs", map(token, partly)), **in_list("parties", viewer.parties())}
        )
    if not shown:
        return _NOTHING
    return {"state.Active": True, **(shown[0] if len(shown) == 1 else {"$or": shown})}


_NOTHING: dict[str, Any] = {"state.ID": {"$in": []}}
