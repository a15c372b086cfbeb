"""Addresses and cards of a user's own, at /me, beside those that are assigned to it.

A user's own are known by its internal ID and are in no list of any administrator. They may have
the IDs of public ones that the user does not see.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.accounts.http.assigned import assigned_to
from shared.http.documents import State, exactly, is_among, with_ids
from shared.http.door import Door
from shared.http.errors import forbidden, id_exists, not_found
from shared.http.kinds import Kind
from shared.http.operations import Call
from shared.http.present import presenter_of
from shared.http.principal import Principal
from shared.http.query import ListShape, parse_list, run_combined
from shared.http.resources import ResourceOperations, scope_of

Flags = Mapping[str, Callable[[State], bool]]
"""Fields of the answer that say what something was assigned for, by wire names."""


async def is_editable(
    door: Door, states: list[State], answers: list[dict[str, Any]], call: Call
) -> None:
    """A user's own may be edited."""
    for answer in answers:
        answer["Editable"] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The public side: resources of ``kind`` that assignments ``by`` name in ``field``. Who edits
    one is told ``code``."""

    kind: Kind
    by: str
    field: str
    code: str
    flags: Flags


class MyResources:
    """The handlers of one kind of thing at /me: ``own`` are the private ones."""

    def __init__(self, door: Door, own: Kind, shared: Shared) -> None:
        self._door = door
        self._own = own
        self._shared = shared
        self._private = ResourceOperations(door, own)
        self._present = presenter_of(own.model)
        self.shape = ListShape(
            own.model, own.searchable, own.sortable, (*own.default_sort, "Editable")
        )

    async def page(self, call: Call) -> dict[str, Any]:
        """Both, as one list."""
        query = parse_list(call.query, self.shape)
        principal = call.principal
        assignments = await self._assignments(principal)
        stages: list[dict[str, Any]] = [
            {"$match": scope_of(self._public_scope(principal, assignments))},
            {"$set": self._shown_of_public(assignments)},
        ]
        if principal.anonymous_order is None:
            mine = {"state.InternalID": exactly(principal.internal_id)}
            stages.append(
                {
                    "$unionWith": {
                        "coll": self._own.collection,
                        "pipeline": [{"$match": mine}, {"$set": {"state.Editable": True}}],
                    }
                }
            )
        page = await run_combined(
            self._door.documents[self._shared.kind.name].collection, stages, query
        )
        items = [self._present(state) for state in page.documents]
        return {"Meta": page.meta(), "Items": items}

    async def get(self, call: Call) -> dict[str, Any]:
        mine = self._of_mine(call)
        if await self._has(mine):
            return await self._private.get(mine)
        public = await self._public(call)
        if public is None:
            raise not_found(self._own.type_name, call.path[self._own.id])
        return public

    async def create(self, call: Call) -> dict[str, Any]:
        self._need_profile(call)
        sent = call.json().get("ID")
        if isinstance(sent, str) and await self._public(call, sent) is not None:
            raise id_exists(self._own.type_name, sent)
        return await self._private.create(self._of_mine(call))

    async def save(self, call: Call) -> dict[str, Any]:
        return await self._private.save(await self._editable(call))

    async def patch(self, call: Call) -> None:
        await self._private.patch(await self._editable(call))

    async def delete(self, call: Call) -> None:
        await self._private.delete(await self._editable(call))

    def _of_mine(self, call: Call) -> Call:
        """``call`` as one of a resource that belongs to the user."""
        return replace(call, path={"internalID": call.principal.internal_id, **call.path})

    async def _has(self, mine: Call) -> bool:
        key = self._own.key([mine.path["internalID"]], mine.path[self._own.id])
        if mine.principal.anonymous_order is not None:
            return False
        return await self._door.documents[self._own.name].get(key) is not None

    async def _editable(self, call: Call) -> Call:
        self._need_profile(call)
        mine, id = self._of_mine(call), call.path[self._own.id]
        if not await self._has(mine) and await self._public(call) is not None:
            raise forbidden(
                self._shared.code,
                f"The {self._own.type_name} {id} is the company's: an administrator may change it."
                " Create one of your own under another ID.",
                ID=id,
            )
        return mine

    def _need_profile(self, call: Call) -> None:
        if call.principal.anonymous_order is not None:
            raise forbidden(
                "Auth.AnonUserProhibited",
                "Anonymous shoppers are all one user, so they keep nothing of their own: register"
                " or log in first.",
            )

    def _public_scope(self, principal: Principal, assignments: list[State]) -> dict[str, Any]:
        ids = {each[self._shared.field] for each in assignments}
        return {"BuyerID": exactly(principal.company_id), **with_ids(ids)}

    def _shown_of_public(self, assignments: list[State]) -> dict[str, Any]:
        shown: dict[str, Any] = {"state.Editable": False}
        for name, is_for in self._shared.flags.items():
            ids = sorted({each[self._shared.field] for each in assignments if is_for(each)})
            shown[f"state.{name}"] = is_among("$state.ID", ids)
        return shown

    async def _assignments(self, principal: Principal) -> list[State]:
        return await assigned_to(self._door, self._shared.by, principal)

    async def _public(self, call: Call, id: str | None = None) -> dict[str, Any] | None:
        """The public one that the path names, or ``id``, as the user sees it; None where it is not
        assigned."""
        wanted = id or call.path[self._own.id]
        found = [
            each
            for each in await self._assignments(call.principal)
            if each[self._shared.field] == wanted
        ]
        if not found:
            return None
        key = self._shared.kind.key([call.principal.company_id], wanted)
        state = await self._door.documents[self._shared.kind.name].get(key)
        if state is None:
            return None
        flags = {name: any(map(of, found)) for name, of in self._shared.flags.items()}
        return self._present({**state, **flags, "Editable": False})
