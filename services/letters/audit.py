"""What was done about dead letters: who, when, what and why, in MongoDB.

``<prefix>_operations.dead_letters`` has one document for each letter that somebody dealt with::

    {_id: "topic/partition/offset@milliseconds", Topic, Partition, Offset, State, Run, Actions: [
        {At, By, What, Why?, Run}, ...]}

``State`` is Replaying, Replayed or Discarded. A letter without a document is open. Replaying is
written before a letter is sent and becomes Replayed when Kafka has acknowledged it; what a run
that ended halfway left as Replaying counts as open, and its ``Run`` says who may claim it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pymongo import ASCENDING, AsyncMongoClient, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError

from services.letters.letter import Letter
from shared.mongo.aggregates import DURABLE
from shared.mongo.codec import CODEC
from shared.settings import Settings

_DUPLICATE_KEY = 11000
_AT_ONCE = 1_000
_MOST_ACTIONS = 100


class State(StrEnum):
    OPEN = "Open"
    REPLAYING = "Replaying"
    """A replay began and was not seen to end."""
    REPLAYED = "Replayed"
    DISCARDED = "Discarded"

    @property
    def is_handled(self) -> bool:
        return self in (State.REPLAYED, State.DISCARDED)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was done about a letter, at ``at`` (UTC)."""

    at: datetime
    by: str
    what: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Handling:
    """What was done about a letter so far, the latest last."""

    state: State = State.OPEN
    run: str | None = None
    actions: Sequence[Action] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One use of a command: its ID, who used it, when, and why."""

    id: str
    by: str
    at: datetime
    why: str | None = None


class Audit:
    """The record. Raises PyMongoError when MongoDB fails."""

    def __init__(self, mongo: AsyncMongoClient[dict[str, Any]], settings: Settings) -> None:
        self._collection = mongo[settings.database("operations")].get_collection(
            "dead_letters", codec_options=CODEC, write_concern=DURABLE
        )

    async def prepare(self) -> None:
        await self._collection.create_indexes(
            [IndexModel([("Topic", ASCENDING), ("Partition", ASCENDING), ("Offset", ASCENDING)])]
        )

    async def of(self, letters: Sequence[Letter]) -> dict[str, Handling]:
        """What was done about ``letters``, by their identity; open ones are left out."""
        found: dict[str, Handling] = {}
        for start in range(0, len(letters), _AT_ONCE):
            ids = [letter.identity for letter in letters[start : start + _AT_ONCE]]
            async for document in self._collection.find({"_id": {"$in": ids}}):
                found[document["_id"]] = Handling(
                    State(document["State"]),
                    document["Run"],
                    [
                        Action(each["At"], each["By"], each["What"], each.get("Why"))
                        for each in document["Actions"]
                    ],
                )
        return found

    async def claim(
        self, run: Run, state: State, letters: Sequence[Letter], seen: dict[str, Handling]
    ) -> set[str]:
        """Notes that ``run`` brings ``letters`` into ``state``, each only if nobody did anything
        about it since it was ``seen``. Returns the identities of those that it now may deal
        with."""
        if not letters:
            return set()
        operations = []
        for letter in letters:
            before = seen.get(letter.identity)
            operations.append(
                UpdateOne(
                    {"_id": letter.identity, "Run": before.run if before else {"$exists": False}},
                    {
                        "$set": {"State": state.value, "Run": run.id},
                        "$setOnInsert": {
                            "Topic": letter.place.topic,
                            "Partition": letter.place.partition,
                            "Offset": letter.place.offset,
                        },
                        "$push": _noted(run, state),
                    },
                    upsert=before is None,
                )
            )
        try:
            await self._collection.bulk_write(operations, ordered=False)
        except BulkWriteError as error:
            # Somebody else was first with a letter that nobody had dealt with yet.
            if any(each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise
        ids = [letter.identity for letter in letters]
        mine = self._collection.find({"_id": {"$in": ids}, "Run": run.id}, {"_id": 1})
        return {document["_id"] async for document in mine}

    async def settle(self, run: Run, state: State, identities: Iterable[str]) -> None:
        """Notes that what ``run`` claimed is in ``state`` now."""
        await self._collection.update_many(
            {"_id": {"$in": list(identities)}, "Run": run.id},
            {"$set": {"State": state.value}, "$push": _noted(run, state)},
        )

    async def count_handled(self, topic: str, partition: int, begin: int) -> int:
        """How many letters of a dead-letter topic's partition, from offset ``begin`` on, are done
        with."""
        handled = [state.value for state in State if state.is_handled]
        return await self._collection.count_documents(
            {
                "Topic": topic,
                "Partition": partition,
                "Offset": {"$gte": begin},
                "State": {"$in": handled},
            }
        )


def _noted(run: Run, state: State) -> dict[str, Any]:
    action = {"At": run.at, "By": run.by, "What": state.value, "Run": run.id}
    if run.why is not None:
        action["Why"] = run.why
    return {"Actions": {"$each": [action], "$slice": -_MOST_ACTIONS}}
