"""Many documents written with few statements.

What costs the server most in an update is not the document but the statement: each is parsed,
planned and locked for by itself. So documents that are replaced over the same version share one.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, UpdateMany, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure

DUPLICATE_KEY = 11000
"""MongoDB's code of a write that would repeat a unique value."""

_TOGETHER = 4 * 1024 * 1024
"""Most bytes of documents that one statement replaces. A statement is a document, too."""
_TOO_LARGE = (10334, 17419, 17420)
_BAD_VALUE = 2

_Replacing = Callable[[dict[str, Any]], list[dict[str, Any]]]
"""The pipeline that puts a document, given as an expression, in the place of what is stored."""


class AggregateTooLarge(Exception):
    """A document would exceed what MongoDB stores (16 MB): what made it grow cannot succeed."""


@dataclass(slots=True)
class Outcome:
    """How many stored documents were replaced at least, which new ones were there already
    (``lost``), and which were refused because they hold a unique value of another (``taken``), by
    ID."""

    replaced: int = 0
    lost: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Statement:
    """A write, and the ID of the document that it writes; one that writes several has none, and
    instead makes the statements that would do the same for each by itself."""

    write: InsertOne[Any] | UpdateOne | UpdateMany
    id: str = ""
    alone: Callable[[], list["_Statement"]] | None = None


@dataclass(slots=True)
class _Group:
    """Documents that one statement replaces, by their IDs, and how many bytes they are."""

    documents: dict[str, RawBSONDocument] = field(default_factory=dict)
    bytes: int = 0


class Writes:
    """Collects writes and executes them.

    ``optional`` are the fields that a document may have or not. Fields that it never has are left
    as they are where it replaces another, for somebody else may keep them there; ``whole``: nobody
    does, which is cheaper.
    """

    def __init__(self, *, optional: Sequence[str], whole: bool) -> None:
        self._replacing = _instead if whole else partial(_over, list(optional))
        self._inserts: list[_Statement] = []
        self._replacements: list[_Statement] = []
        self._groups: defaultdict[int, _Group] = defaultdict(_Group)

    def insert(self, document: dict[str, Any]) -> int:
        """Inserts ``document``; returns how many bytes it has."""
        encoded: RawBSONDocument = RawBSONDocument(encode(document))
        self._inserts.append(_Statement(InsertOne(encoded), document["_id"]))
        return len(encoded.raw)

    def replace(self, version: int, document: dict[str, Any]) -> int:
        """Replaces what is stored under the ``_id`` of ``document`` if it has ``version``; returns
        how many bytes ``document`` has."""
        id = document["_id"]
        encoded = RawBSONDocument(encode(document))
        size = len(encoded.raw)
        if size > _TOGETHER:
            self._replacements.append(_alone(self._replacing, version, id, encoded))
            return size
        group = self._groups[version]
        if group.bytes + size > _TOGETHER:
            self._close(version)
            group = self._groups[version]
        group.documents[id] = encoded
        group.bytes += size
        return size

    def _close(self, version: int) -> None:
        documents = self._groups.pop(version).documents
        self._replacements.append(_together(self._replacing, version, documents))

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


def _together(
    replacing: _Replacing, version: int, documents: Mapping[str, RawBSONDocument]
) -> _Statement:
    ids = list(documents)
    place = {"$indexOfArray": [{"$literal": ids}, "$_id"]}
    document = {"$arrayElemAt": [{"$literal": list(documents.values())}, place]}

    def alone() -> list[_Statement]:
        return [_alone(replacing, version, id, each) for id, each in documents.items()]

    where = {"_id": {"$in": ids}, "version": version}
    return _Statement(UpdateMany(where, replacing(document)), alone=alone)


def _alone(replacing: _Replacing, version: int, id: str, document: RawBSONDocument) -> _Statement:
    where = {"_id": id, "version": version}
    return _Statement(UpdateOne(where, replacing({"$literal": document})), id)


def _instead(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"$replaceWith": document}]


def _over(optional: list[str], document: dict[str, Any]) -> list[dict[str, Any]]:
    """What is stored keeps the fields that ``document`` never has."""
    return [
        {"$unset": optional},
        {"$replaceWith": {"$mergeObjects": ["$$ROOT", document]}},
    ]


async def _execute(
    collection: AsyncCollection[dict[str, Any]], statements: Sequence[_Statement]
) -> Outcome:
    if not statements:
        return Outcome()
    try:
        writes = [statement.write for statement in statements]
        result = await collection.bulk_write(writes, ordered=False)
        return Outcome(result.matched_count)
    except BulkWriteError as error:
        outcome, again = _refused(statements, error)
    except (DocumentTooLarge, OperationFailure) as error:
        # Well beyond the limit the driver or the server refuses the whole command.
        if isinstance(error, DocumentTooLarge) or _is_too_large(error.code, str(error)):
            raise AggregateTooLarge("a document is larger than 16 MB") from error
        raise
    if again:
        alone = await _execute(collection, again)
        # How many of them had been replaced before the refusal nobody says: fewer than all.
        return Outcome(0, outcome.lost | alone.lost, outcome.taken | alone.taken)
    return outcome


def _refused(
    statements: Sequence[_Statement], error: BulkWriteError
) -> tuple[Outcome, list[_Statement]]:
    """What came of ``statements``, and what has to be done again to know it of each document."""
    outcome = Outcome(error.details["nMatched"])
    again: list[_Statement] = []
    for refusal in error.details["writeErrors"]:
        statement = statements[refusal["index"]]
        if _is_too_large(refusal["code"], refusal["errmsg"]):
            raise AggregateTooLarge(refusal["errmsg"]) from error
        if refusal["code"] != DUPLICATE_KEY:
            raise error
        if statement.alone is not None:
            again += statement.alone()
        elif "_id" in refusal.get("keyPattern", {"_id": 1}):
            outcome.lost.add(statement.id)
        else:
            outcome.taken.add(statement.id)
    if error.details["writeConcernErrors"]:
        raise error
    return outcome, again


def _is_too_large(code: int | None, message: str) -> bool:
    # An insert just beyond the limit has no code of its own.
    return code in _TOO_LARGE or (code == _BAD_VALUE and "too large" in message)
