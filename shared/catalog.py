"""Catalogue resources: saved and deleted by Kafka commands, read by whoever needs them.

A kind of resource is an aggregate whose state is the resource itself. Its owner makes a
:func:`catalog_processor` of it; others read it through a :class:`ReferenceReader`.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from pymongo.asynchronous.database import AsyncDatabase

from shared.aggregates import AggregateStore
from shared.contracts.base import Error, Resource, read_only_fields
from shared.contracts.registry import CatalogKind
from shared.messaging.message import Event, Message, rejection
from shared.messaging.processor import AggregateProcessor, Decision, no_context
from shared.mongo.codec import CODEC
from shared.service import Resources

R = TypeVar("R", bound=Resource)


def fold_catalog(
    kind: CatalogKind[R],
) -> Callable[[R | None, Message[Any], None], Decision[R]]:
    """The decisions of one kind: create or replace, delete what is there."""

    def fold(state: R | None, message: Message[Any], context: None) -> Decision[R]:
        if message.type is kind.save:
            saved = _as_saved(message.body, state)
            return Decision(saved, (Event(kind.saved_as(saved), saved),))
        if state is None:
            return Decision(None, (rejection(message, [not_found(kind.name, message.key)]),))
        return Decision(None, (Event(kind.deleted, message.body),))

    return fold


def _as_saved(given: R, before: R | None) -> R:
    """``given`` with what only the engine sets as it was ``before``, whatever was sent."""
    model = type(given)
    kept = {
        name: model.model_fields[name].get_default() if before is None else getattr(before, name)
        for name in read_only_fields(model)
    }
    if all(getattr(given, name) == value for name, value in kept.items()):
        return given
    return given.model_copy(update=kept)


def not_found(kind: str, id: str) -> Error:
    return Error(
        error_code="NotFound",
        message=f"There is no {kind} with ID {id}; check the ID or save it first.",
        data={"ObjectType": kind, "ObjectID": id},
    )


def catalog_processor(
    service: str, kind: CatalogKind[R], store: AggregateStore[R], resources: Resources
) -> AggregateProcessor[R, None]:
    return AggregateProcessor(
        service=service,
        types=(kind.save, kind.delete),
        store=store,
        fold=fold_catalog(kind),
        prepare=no_context,
        publisher=resources.publisher,
        clock=resources.clock,
        metrics=resources.metrics,
    )


class ReferenceReader(Generic[R]):
    """Reads resources that this or another service owns; never writes.

    Always current: what is remembered is used only after the mark of its last write was compared,
    which costs one small query for any number of IDs.
    """

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        name: str,
        kind: type[R],
        *,
        keep: int = 20_000,
    ) -> None:
        self._collection = database.get_collection(name, codec_options=CODEC)
        self._kind = kind
        self._keep = keep
        self._known: OrderedDict[str, tuple[str, R | None]] = OrderedDict()

    async def get(self, ids: Iterable[str]) -> dict[str, R]:
        """The resources with these IDs; those that do not exist are left out."""
        wanted = set(ids)
        if not wanted:
            return {}
        writers: dict[str, str] = {}
        async for document in self._collection.find({"_id": {"$in": list(wanted)}}, {"writer": 1}):
            writers[document["_id"]] = document["writer"]
        stale = [
            id
            for id, writer in writers.items()
            if id not in self._known or self._known[id][0] != writer
        ]
        if stale:
            async for document in self._collection.find(
                {"_id": {"$in": stale}}, {"writer": 1, "state": 1}
            ):
                state = document["state"]
                resource = None if state is None else self._kind.model_validate(state)
                self._known[document["_id"]] = (document["writer"], resource)
        found = {}
        for id in writers:
            known = self._known.get(id)
            if known is not None and known[1] is not None:
                found[id] = known[1]
        while len(self._known) > self._keep:
            self._known.popitem(last=False)
        return found
