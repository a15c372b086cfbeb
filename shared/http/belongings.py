"""What names a resource, and goes or follows with it."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.http.documents import State
from shared.http.errors import conflict
from shared.http.kinds import Cascade, Kind, Refuse
from shared.http.operations import Call
from shared.http.present import wire_alias

if TYPE_CHECKING:
    from shared.http.door import Door

_AT_ONCE = 500


class Belongings:
    """What the other kinds of a door have that names resources of one kind."""

    def __init__(self, door: "Door", kind: Kind) -> None:
        self._door = door
        self._kind = kind
        self._parents = kind.parent_fields

    async def forsake(self, effects: Sequence[Cascade | Refuse], state: State, call: Call) -> None:
        """Does to those that name it what they declare for when it is gone; what refuses is asked
        first."""
        for effect in sorted(effects, key=lambda each: isinstance(each, Cascade)):
            await self._effect(effect, state, call)

    async def follow(self, state: State, new: str, call: Call) -> None:
        """Lets all that names a resource name it by its ``new`` ID."""
        for follower in self._kind.renames:
            await self._follow(follower, state, new, call)

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
        while entries := await documents.entries(naming, limit=_AT_ONCE):
            await documents.change_all(list(entries), lambda stored: None, call)
            for hook in belonging.after_delete:
                await hook(self._door, list(entries.values()), call)

    def _key_in(self, name: str, state: State) -> str:
        assignment = self._door.assignments.get(name)
        if assignment is not None:
            return assignment.key(state)
        return key_of(self._door.kinds[name], state)


def replaced_by(resource: Any) -> Callable[[Any], Any]:
    """The decision to store ``resource``, whatever is there."""
    return lambda stored: resource


def key_of(kind: Kind, state: Mapping[str, Any]) -> str:
    """Under which key a stored resource is."""
    return kind.key([state[name] for name in kind.parent_fields], state["ID"])
