"""The operations of a declared resource: list, create, get, save, patch, delete."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shared.http.bodies import merged, reader_of, validated
from shared.http.documents import Documents, State, wire
from shared.http.errors import ApiError, bad_request, conflict, id_exists, not_found
from shared.http.ids import id_of
from shared.http.kinds import Cascade, Change, Kind, Refuse
from shared.http.operations import Call, ListOf, Operation
from shared.http.present import is_read_only, is_write_only, presenter_of, wire_alias
from shared.http.principal import UserType
from shared.http.query import ListShape, parse_list
from shared.mongo.aggregates import IdentifierTaken

if TYPE_CHECKING:
    from shared.http.door import Door

_TRIES = 20
_AT_ONCE = 500

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
        stored = kind.events.stored.model_fields
        self._dated = "date_created" in stored
        self._updated = "last_updated" in stored
        self._kept = [
            wire_alias(name, field)
            for name, field in stored.items()
            if is_read_only(field) and name not in kind.events.parents
        ]
        self._unstored = [
            wire_alias(name, field)
            for name, field in kind.model.model_fields.items()
            if is_write_only(field)
        ]
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
        return (await self.shown([await self.existing(call)], call))[0]

    async def create(self, call: Call) -> dict[str, Any]:
        sent = self._reader.clean(call.json())
        parents = await self._check_parents(call)
        sent["ID"] = await id_of(sent.get("ID"), self._door.increment)
        change = self._change(None, {**self._kind.defaults, **sent}, parents, call)
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
            return self._change(before, {**self._kind.defaults, **sent}, parents, call)

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
            return self._change(before, merged(wire(before), sent), parents, call, sent=sent)

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
            await self.forsake(kind.on_delete, state, call)
        keys = [key_of(kind, state) for state in states]
        await self._documents.change_all(keys, lambda stored: None, call)
        for hook in kind.after_delete:
            await hook(door, states, call)

    async def forsake(self, effects: Sequence[Cascade | Refuse], state: State, call: Call) -> None:
        """Does to those that name it what they declare for when it is gone."""
        for effect in effects:
            await self._effect(effect, state, call)

    async def existing(self, call: Call) -> State:
        """What is stored of the resource that the path names; 404 where the caller sees none."""
        await self._door.check_owners(self._kind.parents, call)
        state = await self._documents.get(self._key(call, call.path[self._kind.id]))
        if state is None or not self._sees(state, call):
            raise self._missing(call)
        return state

    async def shown(self, states: list[State], call: Call) -> list[dict[str, Any]]:
        """Stored documents as answers, with what is computed."""
        answers = [self._present(state) for state in states]
        if self._kind.compute is not None and answers:
            await self._kind.compute(self._door, states, answers, call)
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

    def _change(
        self, before: Any, values: State, parents: State, call: Call, sent: State | None = None
    ) -> Change:
        """The change to ``values`` (by wire names, without what only the engine sets)."""
        # What is stored lacks what is never shown, which has its rules too.
        # Where all is sent, null is as good as nothing: the default.
        values = merged({}, values)
        validated(self._kind.model, values)
        unstored = {name: values[name] for name in self._unstored if values.get(name) is not None}
        stored = {name: value for name, value in values.items() if name not in self._unstored}
        stored |= parents
        if before is not None:
            kept = wire(before)
            stored |= {name: kept[name] for name in self._kept if name in kept}
        if self._kind.owned:
            stored["OwnerID"] = self._owner(before, values, call)
        if self._dated and before is None:
            stored["DateCreated"] = call.now
        if self._updated:
            stored["LastUpdated"] = call.now
        after = validated(self._kind.events.stored, stored)
        return Change(before, after, {**(values if sent is None else sent), **unstored}, call)

    def _owner(self, before: Any, values: State, call: Call) -> str:
        own = (
            self._door.resources.settings.marketplace_id
            if call.principal.user_type is UserType.ADMIN
            else call.principal.company_id
        )
        if before is not None:
            return before.owner_id or self._door.resources.settings.marketplace_id
        asked = values.get("OwnerID")
        return str(asked) if asked and call.principal.user_type is UserType.ADMIN else own

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
        another change came between."""
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
        change = self._change(before, merged(wire(before), sent), parents, call, sent=sent)
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
        for follower in kind.renames:
            await self._follow(follower, wire(before), new, call)
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

    async def _follow(self, follower: Cascade, state: State, new: str, call: Call) -> None:
        documents = self._door.documents[follower.name]
        for named in await documents.find(self._naming(follower, state)):
            moved = {**named, follower.field: new}
            resource = documents.events.stored.model_validate(moved)
            old_key = self._key_in(follower.name, named)
            new_key = self._key_in(follower.name, moved)
            await documents.change(new_key, replaced_by(resource), call)
            if new_key != old_key:
                await documents.change(old_key, lambda stored: None, call)

    def _naming(self, effect: Cascade | Refuse, state: State) -> State:
        """Which documents of another kind name this one. Parents that both have are the same."""
        stored = self._door.documents[effect.name].events.stored
        theirs = {wire_alias(name, field) for name, field in stored.model_fields.items()}
        company = effect.company if isinstance(effect, Cascade) else ""
        shared = {
            company or name: state[name]
            for name in self._parents
            if (company or name) in theirs and name != effect.field and name in state
        }
        apart = {
            company or name: value
            for name, value in self._kind.among.items()
            if (company or name) in theirs
        }
        return {**apart, **shared, effect.field: state["ID"]}

    async def _effect(self, effect: Cascade | Refuse, state: State, call: Call) -> None:
        documents = self._door.documents[effect.name]
        naming = self._naming(effect, state)
        if isinstance(effect, Refuse):
            if count := await documents.count(naming):
                raise conflict(effect.code, effect.message, Count=count)
            return
        belonging = self._door.kinds.get(effect.name) or self._door.assignments[effect.name]
        while states := await documents.find(naming, limit=_AT_ONCE):
            keys = [self._key_in(effect.name, each) for each in states]
            await documents.change_all(keys, lambda stored: None, call)
            for hook in belonging.after_delete:
                await hook(self._door, states, call)

    def _key_in(self, name: str, state: State) -> str:
        assignment = self._door.assignments.get(name)
        if assignment is not None:
            return assignment.key(state)
        return key_of(self._door.kinds[name], state)

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


def replaced_by(resource: Any) -> Callable[[Any], Any]:
    """The decision to store ``resource``, whatever is there."""
    return lambda stored: resource


def key_of(kind: Kind, state: Mapping[str, Any]) -> str:
    """Under which key a stored resource is."""
    return kind.key([state[name] for name in kind.parent_fields], state["ID"])
