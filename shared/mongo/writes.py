"""Many documents written with few statements.

What costs the server most in an update is not the document but the statement: each is parsed,
planned and locked for by itself. So documents that are replaced over the same version share one.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, ReplaceOne, UpdateMany
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure

DUPLICATE_KEY = 11000
"""MongoDB's code of a write that would repeat a unique value."""

_TOGETHER = 4 * 1024 * 1024
"""Most bytes of documents that one statement replaces. A statement is a document, too."""
_TOO_LARGE = (10334, 17419, 17420)
_BAD_VALUE = 2

_Statement = tuple[InsertOne[dict[str, Any]] | ReplaceOne[Any] | UpdateMany, str | None]
"""A write, and the ID of the document that it writes; None: it writes several."""


class AggregateTooLarge(Exception):
    """A document would exceed what MongoDB stores (16 MB): what made it grow cannot succeed."""


@dataclass(slots=True)
class Outcome:
    """How many stored documents were replaced, which new ones were there already (``lost``), and
    which were refused because they hold a unique value of another (``taken``), by ID."""

    replaced: int = 0
    lost: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Group:
    """Documents that one statement replaces, and how many bytes they are."""

    ids: list[str] = field(default_factory=list)
    documents: list[RawBSONDocument] = field(default_factory=list)
    bytes: int = 0


class Writes:
    """Collects writes and executes them. ``one_by_one``: each document has a statement to itself,
    so that a refusal says which one it is about."""

    def __init__(self, *, one_by_one: bool) -> None:
        self._one_by_one = one_by_one
        self._inserts: list[_Statement] = []
        self._replacements: list[_Statement] = []
        self._groups: defaultdict[int, _Group] = defaultdict(_Group)

    def insert(self, document: dict[str, Any]) -> None:
        self._inserts.append((InsertOne(document), document["_id"]))

    def replace(self, version: int, document: dict[str, Any]) -> None:
        """Replaces what is stored under the ``_id`` of ``document`` if it has ``version``."""
        id = document["_id"]
        encoded = RawBSONDocument(encode(document))
        size = len(encoded.raw)
        if self._one_by_one or size > _TOGETHER:
            where = {"_id": id, "version": version}
            self._replacements.append((ReplaceOne(where, encoded), id))
            return
        group = self._groups[version]
        if group.bytes + size > _TOGETHER:
            self._close(version)
            group = self._groups[version]
        group.ids.append(id)
        group.documents.append(encoded)
        group.bytes += size

    def _close(self, version: int) -> None:
        group = self._groups.pop(version)
        place = {"$indexOfArray": [{"$literal": group.ids}, "$_id"]}
        document = {"$arrayElemAt": [{"$literal": group.documents}, place]}
        where = {"_id": {"$in": group.ids}, "version": version}
        self._replacements.append((UpdateMany(where, [{"$replaceWith": document}]), None))

    async def execute(self, collection: AsyncCollection[dict[str, Any]]) -> Outcome:
        """Writes all. Raises :class:`AggregateTooLarge`, or the driver's error when the outcome is
        unknown."""
        for version in list(self._groups):
            self._close(version)
        # Side by side: the driver would send one after the other.
        results = await asyncio.gather(
            _execute(collection, self._inserts),
            _execute(collection, self._replacements),
            return_exceptions=True,
        )
        outcome = Outcome()
        for result in results:
            if isinstance(result, BaseException):
                raise result
            outcome.replaced += result.replaced
            outcome.lost |= result.lost
            outcome.taken |= result.taken
        return outcome


async def _execute(
    collection: AsyncCollection[dict[str, Any]], statements: Sequence[_Statement]
) -> Outcome:
    if not statements:
        return Outcome()
    try:
        result = await collection.bulk_write([each for each, _ in statements], ordered=False)
        return Outcome(result.matched_count)
    except BulkWriteError as error:
        return _refused(statements, error)
    except (DocumentTooLarge, OperationFailure) as error:
        # Well beyond the limit the driver or the server refuses the whole command.
        if isinstance(error, DocumentTooLarge) or _is_too_large(error.code, str(error)):
            raise AggregateTooLarge("a document is larger than 16 MB") from error
        raise


def _refused(statements: Sequence[_Statement], error: BulkWriteError) -> Outcome:
    outcome = Outcome(error.details["nMatched"])
    for refusal in error.details["writeErrors"]:
        _, id = statements[refusal["index"]]
        if _is_too_large(refusal["code"], refusal["errmsg"]):
            raise AggregateTooLarge(refusal["errmsg"]) from error
        if refusal["code"] != DUPLICATE_KEY or id is None:
            raise error
        if "_id" in refusal.get("keyPattern", {"_id": 1}):
            outcome.lost.add(id)
        else:
            outcome.taken.add(id)
    if error.details["writeConcernErrors"]:
        raise error
    return outcome


def _is_too_large(code: int | None, message: str) -> bool:
    # An insert just beyond the limit has no code of its own.
    return code in _TOO_LARGE or (code == _BAD_VALUE and "too large" in message)
