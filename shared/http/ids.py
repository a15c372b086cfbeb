"""IDs that the engine gives: random ones, and those counted by an incrementor."""

import re
import secrets
from collections.abc import Awaitable, Callable

from shared.contracts.base import Error
from shared.http.errors import ApiError, error

_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_-]{1,100})\}")
_RESERVED = frozenset(
    {
        "assignments",
        "productassignments",
        "bundleassignments",
        "generate",
        "inventoryrecords",
        "cclistenerassignments",
    }
)
"""Words that stand in a path where an ID may stand; a resource so named could not be reached."""

Increment = Callable[[str], Awaitable[str]]
"""Counts an incrementor up and gives its number as text; raises :class:`ApiError` 404."""


def new_id() -> str:
    """A random ID of 22 characters: 128 bits in base64url."""
    return secrets.token_urlsafe(16)


async def id_of(sent: object, increment: Increment) -> object:
    """The ID that a resource gets: a new one where none was ``sent``, and ``{incrementorID}``
    replaced by the next number. Whether it is well-formed is the model's to say."""
    if sent is None or sent == "":
        return new_id()
    if not isinstance(sent, str):
        return sent
    if sent.lower() in _RESERVED:
        raise ApiError(400, [_reserved(sent)])
    text = sent
    for placeholder in _PLACEHOLDER.finditer(sent):
        number = await increment(placeholder.group(1))
        text = text.replace(placeholder.group(0), number, 1)
    return text


def _reserved(id: str) -> Error:
    return error(
        "ValidationFailure",
        f"{id} cannot be an ID, for it is a part of the API's own paths; choose another.",
        Field="ID",
    )
