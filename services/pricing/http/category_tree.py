"""The tree of a catalog's categories: who is below whom, and how deep."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import bad_request
from shared.http.operations import Call

MOST_LEVELS = 20
"""How deep a tree may be. Its root categories are the first level."""


@dataclass(frozen=True, slots=True)
class Node:
    """A category, as far as the tree needs it."""

    id: str
    parent_id: str | None
    active: bool


class Tree:
    """The categories of one catalog."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = {node.id: node for node in nodes}
        self._children: dict[str | None, list[str]] = {}
        for node in self.nodes.values():
            self._children.setdefault(node.parent_id, []).append(node.id)

    def children(self, id: str | None) -> list[str]:
        """The categories right below ``id``; without one the roots."""
        return self._children.get(id, [])

    def upward(self, id: str | None) -> list[str]:
        """``id`` and those above it, the nearest first."""
        path: list[str] = []
        while id is not None and id in self.nodes and id not in path:
            path.append(id)
            id = self.nodes[id].parent_id
        return path

    def below(self, id: str | None, levels: int | None = None) -> list[str]:
        """What is below ``id`` (without one the whole tree), level by level: so many ``levels``
        of it, or all."""
        found: list[str] = []
        level = self.children(id)
        while level and (levels is None or levels > 0):
            found += level
            levels = None if levels is None else levels - 1
            level = [child for parent in level for child in self.children(parent)]
        return found

    def height(self, id: str) -> int:
        """How many levels there are from ``id`` down, its own included."""
        levels, level = 0, [id]
        while level:
            levels += 1
            level = [child for parent in level for child in self.children(parent)]
        return levels

    def is_active(self, id: str) -> bool:
        """Whether a category and all above it are active."""
        return all(self.nodes[each].active for each in self.upward(id))


async def tree_of(door: Door, catalog_id: str) -> Tree:
    """The tree of a catalog as it is now."""
    return tree_of_states(await door.documents["Category"].find({"CatalogID": catalog_id}))


def tree_of_states(states: Iterable[Mapping[str, Any]]) -> Tree:
    return Tree(
        Node(state["ID"], state.get("ParentID"), state.get("Active", True)) for state in states
    )


def depth_of(call: Call, default: int | None) -> int | None:
    """The parameter ``depth``: so many levels, None for all; ``default`` where it is absent."""
    text = call.parameter("depth")
    if text is None:
        return default
    if text.strip().lower() == "all":
        return None
    if not text.strip().isdecimal() or len(text) > 5 or int(text) < 1:
        raise bad_request(
            "Category.InvalidDepth",
            f"depth is {text[:50]}; it is a number of levels from 1 on, or all.",
            Parameter="depth",
        )
    return int(text)


def names_parent(call: Call) -> bool:
    """Whether a list asks for what is below a certain category, or filters by it."""
    return any("parentid" in name.lower() for name, _ in call.parameters())


def levels_of(tree: Tree, levels: int | None) -> State:
    """The filter for so many levels of a tree."""
    if levels is None:
        return {}
    if levels == 1:
        return {"ParentID": None}
    return {"ID": {"$in": tree.below(None, levels)}}
