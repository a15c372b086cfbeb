"""The operations of a declared resource: list, create, get, save, patch, delete."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shared.aggregates import IdentifierTaken
from shared.http.belongings import Belongings, key_of
from shared.http.bodies import merged, reader_of
from shared.http.changes import Changes
from shared.http.documents import Documents, State, wire
from shared.http.errors import ApiError, bad_request, conflict, id_exists, not_found
from shared.http.ids import id_of
from shared.http.kinds import Change, Kind
from shared.http.operations import Call, ListOf, Operation
from shared.http.present import presenter_of
from shared.http.query import ListShape, parse_list

if TYPE_CHECKING:
    from shared.http.door import Door

_TRIES = 20

_METHODS = {
    "List": ("GET", 200),
    "Create": ("POST", 201),
    "Get": ("GET", 200),
    "Save": ("PUT", 200),
    "Patch": ("PATCH", 200),
    "Delete": ("DELETE", 204),
}
_SUMMARIES = {
    "List": "Lists what matches, page by page.",
    "Create": "Creates one; an ID that is there already is refused with 409.",
    "Get": "Gets one.",
    "Save": "Creates one, or replaces the whole of it.",
    "Patch": "Changes the fields that are sent; a new ID renames.",
    "Delete": "Deletes one, and what belongs to it alone.",
}


def operations_of_kind(door: "Door", kind: Kind) -> list[Operation]:
    """What ``kind`` declares, as operations."""
    resource = ResourceOperations(door, kind)
    handlers: dict[str, Callable[[Call], Awaitable[Any]]] = {
        "List": resource.page,
        "Create": resource.create,
        "Get": resource.get,
        "Save": resource.save,
        "Patch": resource.patch,
        "Delete": resource.delete,
    }
    made = []
    for name, (method, status) in _METHODS.items():
        if name not in kind.operations:
            continue
        many = name == "List"
        suffix = kind.suffix
        if many and suffix:
            suffix = f"{suffix}s" if kind.plural is None else kind.plural
        made.append(
            Operation(
                name=f"{kind.sdk}.{name}{suffix}",
                method=method,
                path=kind.path if name in ("List", "Create") else f"{kind.path}/{{{kind.id}}}",
                handler=handlers[name],
                users=kind.who(),
                roles=kind.roles.readers if name in ("List", "Get") else kind.roles.write,
                body=kind.model if name in ("Create", "Save", "Patch") else None,
                partial=name == "Patch",
                answer=None
                if name == "Delete"
                else ListOf(kind.model, kind.facets)
                if many
                else kind.model,
                status=status,
                list=resource.shape if many else None,
                parameters=kind.parameters.get(name, ()),
                summary=_SUMMARIES[name],
            )
        )
    return made


class ResourceOperations:
    """The handlers of one kind."""

    def __init__(self, door: "Door", kind: Kind) -> None:
        self._door = door
        self._kind = kind
        self._documents: Documents = door.documents[kind.name]
        self._present = presenter_of(kind.model)
        self._reader = reader_of(kind.model)
        self._parents = kind.parent_fields
        self.belongings = Belongings(door, kind)
        self._changes = Changes(door, kind)
        self.shape = ListShape(
            kind.model,
            kind.searchable,
            kind.sortable,
            kind.default_sort,
            frozenset(each.name for each in kind.parameters.get("List", ())),
            search_types=kind.search_types,
        )

    async def page(self, call: Call) -> dict[str, Any]:
        kind = self._kind
        query = parse_list(call.query, self.shape)
        parents = await self._check_parents(call)
        narrowed = {} if kind.narrow is None else await kind.narrow(self._door, call)
        scope = {**kind.among, **parents, **kind.visible(call.principal), **narrowed}
        page = await self._documents.page(scope_of(scope), query)
        # There are no facets declared; a client that shows them shows none.
        meta = {**page.meta(), "Facets": []} if kind.facets else page.meta()
        return {"Meta": meta, "Items": await self.shown(page.documents, call)}

    async def get(self, call: Call) -> dict[str, Any]:
        state, beside = await self._read(call)
        return (await self._shown([state], call, [beside]))[0]

    async def create(self, call: Call) -> dict[str, Any]:
        sent = self._reader.clean(call.json())
        parents = await self._check_parents(call)
        sent["ID"] = await id_of(sent.get("ID"), self._door.increment)
        change = self._changes.of(None, {**self._kind.defaults, **sent}, parents, call)
        await self._complete(change)

        def decide(before: Any) -> Any:
            if before is not None:
                raise id_exists(self._kind.type_name, change.after.id)
            return change.after

        return await self._written(self._key(call, change.after.id), decide, change)

    async def save(self, call: Call) -> dict[str, Any]:
        sent = self._reader.clean(call.json())
        id = call.path[self._kind.id]
        named = sent.setdefault("ID", id)
        if named is not None and named != id:
            raise bad_request(
                "ValidationFailure",
                f"The body's ID {str(named)[:100]} is not the path's {id[:100]}; leave it out, or"
                " rename with PATCH.",
                Field="ID",
            )
        parents = await self._check_parents(call)
        sent["ID"] = await id_of(id, self._door.increment)

        async def change() -> Change:
            before = await self._stored(call, str(sent["ID"]))
            return self._changes.of(before, {**self._kind.defaults, **sent}, parents, call)

        return await self._changed(change, call)

    async def patch(self, call: Call) -> dict[str, Any]:
        sent = self._reader.clean(call.json())
        await self._door.check_owners(self._kind.parents, call)
        parents = self._parents_in(call)
        before = await self._present_in(call)
        if sent.get("ID") is not None:
            sent["ID"] = await id_of(sent["ID"], self._door.increment)
            if sent["ID"] != before.id:
                return await self._rename(before, sent, parents, call)

        async def change() -> Change:
            before = await self._present_in(call)
            return self._changes.of(before, merged(wire(before), sent), parents, call, sent=sent)

        return await self._changed(change, call)

    async def delete(self, call: Call) -> None:
        state = await self.existing(call)
        await self.remove([state], call)

    async def remove(self, states: list[State], call: Call) -> None:
        """Deletes these and what belongs to them: what belongs to them first, so that an
        interrupted deletion can be asked for again. What refuses comes before all else."""
        door, kind = self._door, self._kind
        for hook in kind.before_delete:
            await hook(door, states, call)
        for state in states:
            await self.belongings.forsake(kind.on_delete, state, call)
        keys = [key_of(kind, state) for state in states]
        await self._documents.change_all(keys, lambda stored: None, call)
        for hook in kind.after_delete:
            await hook(door, states, call)

    async def existing(self, call: Call) -> State:
        """What is stored of the resource that the path names; 404 where the caller sees none."""
        return (await self._read(call))[0]

    async def _read(self, call: Call) -> tuple[State, Mapping[str, Any]]:
        """:meth:`existing`, and what is beside it."""
        await self._door.check_owners(self._kind.parents, call)
        stored = await self._documents.read(self._key(call, call.path[self._kind.id]))
        if stored.state is None or not self._sees(stored.state, call):
            raise self._missing(call)
        return stored.state, stored.beside

    async def shown(self, states: list[State], call: Call) -> list[dict[str, Any]]:
        """Stored documents as answers, with what is beside them and what is computed."""
        if self._kind.beside is None or not states:
            return await self._shown(states, call, [])
        keys = [key_of(self._kind, state) for state in states]
        return await self._shown(states, call, await self._documents.beside(keys))

    async def _shown(
        self, states: list[State], call: Call, beside: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        kind = self._kind
        answers = [self._present(state) for state in states]
        if kind.beside is not None:
            for answer, found in zip(answers, beside, strict=True):
                kind.beside.show(self._door, answer, found)
        if kind.compute is not None and answers:
            await kind.compute(self._door, states, answers, call)
        return answers

    async def _check_parents(self, call: Call) -> State:
        """The parents' IDs by wire names; 404 where one is not there."""
        await self._door.check_parents(self._kind.parents, call)
        return self._parents_in(call)

    def _parents_in(self, call: Call) -> State:
        return dict(zip(self._parents, call.path.values(), strict=False))

    async def _stored(self, call: Call, id: str) -> Any:
        state = await self._documents.get(self._key(call, id))
        if state is None:
            return None
        if not self._sees(state, call):
            raise (
                id_exists(self._kind.type_name, id)
                if call.operation.method == "PUT"
                else (self._missing(call))
            )
        return self._kind.events.stored.model_validate(state)

    def _sees(self, state: State, call: Call) -> bool:
        wanted = {**self._parents_in(call), **self._kind.visible(call.principal)}
        return all(state.get(name) == value for name, value in wanted.items())

    async def _complete(self, change: Change) -> None:
        await self._door.check_references(self._kind.references, wire(change.after))
        for rule in self._kind.rules:
            await rule(self._door, change)

    async def _present_in(self, call: Call) -> Any:
        """What is stored of the resource that the path names; 404 where there is none."""
        stored = await self._stored(call, call.path[self._kind.id])
        if stored is None:
            raise self._missing(call)
        return stored

    async def _changed(
        self, change_now: Callable[[], Awaitable[Change]], call: Call
    ) -> dict[str, Any]:
        """Makes a change of what is stored now, rules and all, and writes it; makes it anew where
        another process's change came between."""
        async with self._documents.turns.of(self._key(call, call.path[self._kind.id])):
            for _ in range(_TRIES):
                change = await change_now()
                await self._complete(change)
                with suppress(_Overtaken):
                    return await self._written(
                        self._key(call, change.after.id), _unless_overtaken(change), change
                    )
        raise TimeoutError(f"{self._kind.name} was changed {_TRIES} times by others")

    async def _written(
        self, key: str, decide: Callable[[Any], Any], change: Change
    ) -> dict[str, Any]:
        try:
            change.after = await self._documents.change(key, decide, change.call)
        except IdentifierTaken:
            raise self._taken(change) from None
        for rule in self._kind.after_write:
            await rule(self._door, change)
        return (await self.shown([wire(change.after)], change.call))[0]

    def _taken(self, change: Change) -> ApiError:
        state = wire(change.after)
        unique = self._kind.unique[0]
        return conflict(
            unique.code, unique.message, Field=unique.field, Value=state.get(unique.field)
        )

    async def _rename(self, before: Any, sent: State, parents: State, call: Call) -> dict[str, Any]:
        """Stores it under the new ID, lets what names it follow, and deletes the old: in this
        order, so that nothing is ever missing."""
        kind, old = self._kind, before.id
        if kind.fixed_id:
            raise bad_request(
                "ValidationFailure",
                f"The ID of a {kind.type_name} cannot be changed, for other systems know it by"
                " that; create another one.",
                Field="ID",
            )
        change = self._changes.of(before, merged(wire(before), sent), parents, call, sent=sent)
        await self._complete(change)
        new = change.after.id

        def decide(stored: Any) -> Any:
            if stored is not None:
                raise id_exists(kind.type_name, new)
            return change.after

        new_key = self._key(call, new)
        if await self._documents.get(new_key) is not None:
            raise id_exists(kind.type_name, new)
        await self.yield_unique(before, new_key, call)
        for rule in kind.before_rename:
            await rule(self._door, change)
        await self._written(new_key, decide, change)
        await self.belongings.follow(wire(before), new, call)
        for rule in kind.after_rename:
            await rule(self._door, change)
        await self._documents.change(self._key(call, old), lambda stored: None, call)
        return (await self.shown([wire(change.after)], call))[0]

    async def yield_unique(self, before: Any, new_key: str, call: Call) -> None:
        """Lets one that is about to be stored under ``new_key`` instead have its unique values
        there too. For this a kind with some has a stored field ``MovingTo``, the last of the
        unique index."""
        if "moving_to" in self._kind.events.stored.model_fields:
            moving = before.model_copy(update={"moving_to": new_key})
            await self._documents.change(
                self._key(call, before.id),
                _unless_overtaken(Change(before, moving, {}, call)),
                call,
            )

    def _key(self, call: Call, id: str) -> str:
        return self._kind.key(list(self._parents_in(call).values()), id)

    def _missing(self, call: Call) -> ApiError:
        return not_found(self._kind.type_name, call.path[self._kind.id])


def scope_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Values by wire names as a filter on stored documents."""
    return {
        name if name.startswith("$") else f"state.{name}": value for name, value in fields.items()
    }


class _Overtaken(Exception):
    """Something else is stored than what a change was made from."""


def _unless_overtaken(change: Change) -> Callable[[Any], Any]:
    """The decision to store what ``change`` makes of what was there, if it still is."""

    def decide(stored: Any) -> Any:
        if stored != change.before:
            raise _Overtaken
        return change.after

    return decide
