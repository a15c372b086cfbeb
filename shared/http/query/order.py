"""Which fields a list is searched and sorted by, and in which order it comes."""

from shared.http.query.fields import Field, Kind, all_fields, find
from shared.http.query.shape import ANY, ID, ListShape

_TEXTUAL = (Kind.TEXT, Kind.CHOICE)


def searchable(shape: ListShape) -> list[Field]:
    """The fields that a search without ``searchOn`` looks into."""
    if shape.searchable == ANY:
        return [one for one in all_fields(shape.model) if one.kind in _TEXTUAL]
    return [_own(shape, name) for name in shape.searchable]


def sortable(shape: ListShape) -> list[Field]:
    """The fields that a client may sort by, beside those of xp."""
    if shape.sortable == ANY:
        return [
            one
            for one in all_fields(shape.model)
            if not one.many and one.kind not in (Kind.OBJECT, Kind.UNTYPED)
        ]
    return [_own(shape, name) for name in shape.sortable]


def total_order(shape: ListShape, sort: dict[str, int]) -> list[tuple[str, int]]:
    """``sort``, or the default where it is empty, going on until it tells all documents apart.
    What is added goes in the direction of the last field, so that one index gives it both ways."""
    default = [
        (f"state.{name.removeprefix('!')}", -1 if name.startswith("!") else 1)
        for name in shape.default_sort
    ]
    order = dict(sort) if sort else dict(default)
    names = [path for path, _ in default]
    id_path = f"state.{ID}"
    if id_path in names:
        tail = names[names.index(id_path) :]
    else:
        tail = [id_path] if find(shape.model, ID) else names
    if tail == [id_path] and id_path in order:
        # Nothing after the ID can make a difference.
        kept = list(order)[: list(order).index(id_path) + 1]
        return [(path, order[path]) for path in kept]
    direction = list(order.values())[-1]
    return [*order.items(), *((path, direction) for path in tail if path not in order)]


def _own(shape: ListShape, name: str) -> Field:
    """A field that the shape names; one that the model lacks (a parent's ID) is a text."""
    return find(shape.model, name) or Field(name, Kind.TEXT)


def among(shape: ListShape, name: str, allowed: list[Field]) -> Field | None:
    """The field that ``name`` means, where it is one of ``allowed`` or in xp."""
    for one in allowed:
        if one.name.lower() == name.lower():
            return one
    other = find(shape.model, name)
    return other if other is not None and other.name.startswith("xp.") else None
