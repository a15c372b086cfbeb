"""What a list operation may be asked, and what one request asked."""

from dataclasses import dataclass
from typing import Any

from shared.contracts.base import Resource

ANY = ("*",)
"""For ``searchable``: every text of the model; for ``sortable``: every single value of it."""

ID = "ID"


@dataclass(frozen=True)
class ListShape:
    """What a list operation may be asked.

    Fields are named as on the wire and come from ``model``, those of nested models too
    (``Inventory.QuantityAvailable``); its write-only fields do not exist here. ``searchable`` has
    the field of the highest priority first. ``default_sort`` may have ``!`` for descending; where
    the model has no ``ID``, or IDs repeat in the list, its fields together tell documents apart.
    ``parameters`` are the operation's own, which are no filters. A list that is not ``filterable``
    takes pages only; ``search_types`` says whether it takes ``searchType``.
    """

    model: type[Resource]
    searchable: tuple[str, ...]
    sortable: tuple[str, ...]
    default_sort: tuple[str, ...]
    parameters: frozenset[str] = frozenset()
    filterable: bool = True
    search_types: bool = False


@dataclass(frozen=True)
class ListQuery:
    """One request to a list. ``filter`` and ``sort`` are MongoDB's, on paths below ``state``;
    ``sort`` is a total order. With a ``page_key`` the page begins after the document that the key
    names, and ``page`` is the number that the key gives it."""

    filter: dict[str, Any]
    sort: list[tuple[str, int]]
    page: int
    page_size: int
    page_key: str | None = None
