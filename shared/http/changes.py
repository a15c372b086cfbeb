"""From what a client sent to what will be stored."""

from typing import TYPE_CHECKING, Any

from shared.http.bodies import merged, validated
from shared.http.documents import State, wire
from shared.http.kinds import Change, Kind
from shared.http.operations import Call
from shared.http.present import is_read_only, is_write_only, wire_alias
from shared.http.principal import UserType

if TYPE_CHECKING:
    from shared.http.door import Door


class Changes:
    """Makes the changes of one kind's resources."""

    def __init__(self, door: "Door", kind: Kind) -> None:
        self._door = door
        self._kind = kind
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

    def of(
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
