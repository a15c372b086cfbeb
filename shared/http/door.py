"""One service's door: its declared resources, ready to be served."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection

from shared.http.app import Authenticator
from shared.http.assignments import operations_of_assignment
from shared.http.documents import Announcer, Documents
from shared.http.errors import ApiError, error, not_found
from shared.http.ids import Increment
from shared.http.kinds import Assignment, Kind, Place, Reference
from shared.http.mount import Mounted
from shared.http.operations import Call, Operation
from shared.http.principal import UserType
from shared.http.resources import operations_of_kind
from shared.http.xp_indices import ensure_xp_indexes
from shared.mongo.aggregates import MongoAggregateStore
from shared.periodic import periodically
from shared.service import Resources, Task

_XP_INDEXES_EVERY = 60.0


class Door:
    """The HTTP side of one service: documents by the name of their kind, and operations.

    ``increment`` counts an incrementor up, wherever it is kept.
    """

    def __init__(
        self,
        service: str,
        resources: Resources,
        announcer: Announcer,
        increment: Increment,
        kinds: Iterable[Kind],
        assignments: Iterable[Assignment] = (),
    ) -> None:
        self.service = service
        self.resources = resources
        self.increment = increment
        self.kinds = {kind.name: kind for kind in kinds}
        self.assignments = {assignment.name: assignment for assignment in assignments}
        database = resources.database(service)
        self.documents: dict[str, Documents] = {}
        every: list[Kind | Assignment] = [*self.kinds.values(), *self.assignments.values()]
        for declared in every:
            store: MongoAggregateStore[Any] = MongoAggregateStore(
                database, declared.collection, declared.events.stored, indexes=declared.indexes
            )
            beside = declared.beside if isinstance(declared, Kind) else None
            read_too = () if beside is None else (beside.fields, beside.stages)
            self.documents[declared.name] = Documents(declared.events, store, announcer, *read_too)

    def operations(self) -> list[Operation]:
        """Every operation that follows from what is declared."""
        return [
            *(each for kind in self.kinds.values() for each in operations_of_kind(self, kind)),
            *(
                each
                for assignment in self.assignments.values()
                for each in operations_of_assignment(self, assignment)
            ),
        ]

    def mounted(
        self,
        operations: Iterable[Operation] = (),
        *,
        prepare: Iterable[Callable[[], Awaitable[None]]] = (),
        tasks: Sequence[Task] = (),
        authenticator: Authenticator | None = None,
        xp_things: Mapping[str, Sequence[str]] | None = None,
    ) -> Mounted:
        """What is declared, and the ``operations`` written by hand, ready to be served. Indexes
        are made before ``prepare``. ``xp_things`` are the collections of each kind whose ``xp``
        may be indexed; what is asked for later is made within a minute."""
        resources = self.resources
        if xp_things is not None:
            database = resources.database(self.service)
            ensure = partial(ensure_xp_indexes, database, xp_things, resources)
            metrics = resources.metrics
            again = partial(periodically, ensure, _XP_INDEXES_EVERY, service="api", metrics=metrics)
            prepare, tasks = [*prepare, ensure], [*tasks, again]
        return Mounted(
            self.service,
            [*self.operations(), *operations],
            collections=list({each.collection.name: None for each in self.documents.values()}),
            prepare=[*(each.store.create_indexes for each in self.documents.values()), *prepare],
            tasks=tasks,
            authenticator=authenticator,
        )

    async def exists(self, place: Place, *ids: str) -> bool:
        """Whether there is a resource with these IDs, its parents' first, whoever owns it."""
        key = place.prefix + "/".join(ids)
        found = await self._collection(place).find_one(
            {"_id": key, "state": {"$ne": None}}, {"_id": 1}
        )
        return found is not None

    async def need(self, place: Place, *ids: str) -> None:
        """Raises :class:`ApiError` 404 where there is no such resource."""
        if not await self.exists(place, *ids):
            raise not_found(place.object_type, ids[-1])

    async def check_parents(self, places: Sequence[Place], call: Call) -> None:
        """Raises :class:`ApiError` 404 where one of the parents that the path names, the outermost
        first, is not there."""
        ids = list(call.path.values())
        for depth, place in enumerate(places, 1):
            await self.need(place, *ids[:depth])
        await self.check_owners(places, call)

    async def check_owners(self, places: Sequence[Place], call: Call) -> None:
        """Raises :class:`ApiError` 404 where one of the parents that the path names is another
        supplier's."""
        ids = list(call.path.values())
        for depth, place in enumerate(places, 1):
            await self.check_owner(place, call, *ids[:depth])

    async def check_owner(self, place: Place, call: Call, *ids: str) -> None:
        """Raises :class:`ApiError` 404 where what has these IDs is another supplier's, as if there
        were none."""
        if not place.owned or call.principal.user_type is UserType.ADMIN:
            return
        found = await self._collection(place).find_one(
            {"_id": place.prefix + "/".join(ids), "state.OwnerID": call.principal.company_id},
            {"_id": 1},
        )
        if found is None:
            raise not_found(place.object_type, ids[-1])

    async def owned_by(self, place: Place, call: Call) -> list[str]:
        """The IDs of what the caller's company owns."""
        found = self._collection(place).find(
            {"state.OwnerID": call.principal.company_id}, {"state.ID": 1}
        )
        return [document["state"]["ID"] async for document in found]

    def _collection(self, place: Place) -> AsyncCollection[dict[str, Any]]:
        return self.resources.database(place.service or self.service)[place.collection]

    async def check_references(
        self, references: Sequence[Reference], values: Mapping[str, Any]
    ) -> None:
        """Raises :class:`ApiError` 404 with every named resource that is not there."""
        errors = []
        missing: set[str] = set()
        for reference in references:
            id = values.get(reference.field)
            parents = [values.get(name) for name in reference.parents]
            # Of what belongs to something that is not there, nobody has to be told.
            if id is None or None in parents or missing.intersection(reference.parents):
                continue
            if not await self.exists(reference.place, *[str(each) for each in parents], str(id)):
                missing.add(reference.field)
                errors.append(
                    error(
                        "NotFound",
                        f"{reference.field} names no {reference.place.object_type}: there is none"
                        f" with ID {id}; correct it, or save it first.",
                        ObjectType=reference.place.object_type,
                        ObjectID=id,
                        Field=reference.field,
                    )
                )
        if errors:
            raise ApiError(404, errors)
