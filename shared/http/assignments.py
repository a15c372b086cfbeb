"""The operations of a declared assignment: list, save, delete."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.contracts.base import Error
from shared.http.bodies import reader_of, validated
from shared.http.documents import State, wire
from shared.http.errors import ApiError, bad_request, error, not_found
from shared.http.kinds import Assignment, Change
from shared.http.operations import Call, ListOf, Operation, Parameter, field_of, parameter_of
from shared.http.present import presenter_of
from shared.http.principal import UserType
from shared.http.query import ListShape, parse_list

if TYPE_CHECKING:
    from shared.http.door import Door

_LEVELS: dict[str, dict[str, Any]] = {
    "user": {"UserID": {"$ne": None}},
    "group": {"UserGroupID": {"$ne": None}},
    "company": {"UserID": None, "UserGroupID": None},
}

_PARTY_FIELDS = (
    ("User", "UserID", "PartyAssignment.UserLevelNotAllowed"),
    ("Group", "UserGroupID", "PartyAssignment.GroupLevelNotAllowed"),
)


def operations_of_assignment(door: "Door", assignment: Assignment) -> list[Operation]:
    """What ``assignment`` declares, as operations."""
    handlers = AssignmentOperations(door, assignment)
    lists, saves, deletes = (f"{assignment.sdk}.{name}" for name in assignment.methods)
    made = []
    if assignment.list:
        made.append(
            Operation(
                name=lists,
                method="GET",
                path=assignment.list,
                handler=handlers.page,
                users=assignment.who(),
                roles=assignment.roles.readers,
                answer=ListOf(assignment.model),
                list=handlers.shape,
                parameters=tuple(Parameter(name) for name in handlers.parameters),
                summary="Lists assignments.",
            )
        )
    if assignment.save:
        made.append(
            Operation(
                name=saves,
                method=assignment.save_method,
                path=assignment.save,
                handler=handlers.save,
                users=assignment.who(),
                roles=assignment.roles.write,
                body=None
                if "{" in assignment.save and assignment.save_method == "PUT"
                else assignment.model,
                status=204,
                parameters=tuple(Parameter(name) for name in assignment.save_parameters),
                summary="Assigns; what was assigned before is replaced.",
            )
        )
    if assignment.delete:
        in_path = assignment.delete_path_fields
        named = dict.fromkeys((*assignment.keys, *handlers.not_levels))
        made.append(
            Operation(
                name=deletes,
                method="DELETE",
                path=assignment.delete,
                handler=handlers.delete,
                users=assignment.who(),
                roles=assignment.roles.write,
                status=204,
                parameters=tuple(
                    Parameter(parameter_of(name)) for name in named if name not in in_path
                ),
                summary="Takes an assignment back.",
            )
        )
    return made


class AssignmentOperations:
    """The handlers of one kind of assignment."""

    def __init__(self, door: "Door", assignment: Assignment) -> None:
        self._door = door
        self._assignment = assignment
        self._documents = door.documents[assignment.name]
        self._present = presenter_of(assignment.model)
        self._reader = reader_of(assignment.model)
        self.parameters = (
            *assignment.parameters,
            *assignment.narrows,
            *(("level",) if assignment.levels else ()),
        )
        self.not_levels = {
            name: code
            for level, name, code in _PARTY_FIELDS
            if assignment.levels and level not in assignment.levels
        }
        self.shape = ListShape(
            assignment.model,
            assignment.searchable,
            assignment.sortable,
            assignment.keys,
            frozenset(self.parameters),
            filterable=assignment.filterable,
        )

    async def page(self, call: Call) -> dict[str, Any]:
        query = parse_list(call.query, self.shape)
        scope = self._named(call)
        await self._door.check_parents(self._assignment.parents, call)
        for name in self._assignment.parameters:
            value = call.parameter(name)
            if value is not None:
                scope[field_of(name)] = _typed(value)
        for name, narrow in self._assignment.narrows.items():
            if (value := call.parameter(name)) is not None:
                scope |= narrow(value)
        scope |= self._level(call)
        if self._assignment.visible is not None:
            scope |= self._assignment.visible(call.principal)
        scope |= await self._own(call)
        page = await self._documents.page(
            {f"state.{name}": value for name, value in scope.items()}, query
        )
        return {"Meta": page.meta(), "Items": [self._present(each) for each in page.documents]}

    async def save(self, call: Call) -> None:
        sent = self._reader.clean(call.json())
        in_path = self._named(call)
        errors: list[Error] = []
        for name, value in in_path.items():
            if sent.setdefault(name, value) not in (None, value):
                errors.append(
                    error(
                        "ValidationFailure",
                        f"{name} is {sent[name]} in the body and {value} in the path; send one.",
                        Field=name,
                    )
                )
        for parameter in self._assignment.save_parameters:
            if (given := call.parameter(parameter)) is not None:
                sent[field_of(parameter)] = given
        await self._door.check_parents(self._assignment.parents, call)
        values = {name: value for name, value in {**sent, **in_path}.items() if value != ""}
        # The rules across fields are the model's; what is stored has its parents' IDs too.
        validated(self._assignment.model, values)
        after = validated(self._documents.events.stored, values)
        stored = wire(after)
        errors += party_errors(self._assignment, stored)
        if errors:
            raise ApiError(400, errors)
        await self._check_owner(stored, call)
        await self._door.check_references(self._assignment.references, stored)
        change = Change(None, after, sent, call)
        for rule in self._assignment.rules:
            await rule(self._door, change)
        # A rule may have filled in what is a part of the key.
        key = self._assignment.key(wire(change.after))

        def decide(before: Any) -> Any:
            change.before = before
            return before if before == change.after else change.after

        await self._documents.change(key, decide, call)
        for rule in self._assignment.after_write:
            await rule(self._door, change)

    async def delete(self, call: Call) -> None:
        named = self._named(call)
        for name, code in self.not_levels.items():
            if call.parameter(parameter_of(name)) is not None:
                raise self._no_level(code)
        for name in self._assignment.keys:
            if name not in named and (value := call.parameter(parameter_of(name))) is not None:
                named[name] = value
        await self._door.check_parents(self._assignment.parents, call)
        if self._assignment.visible is not None:
            own = self._assignment.visible(call.principal)
            named |= {name: own[name] for name in self._assignment.keys if name in own}
        key = self._assignment.key(named)
        state = await self._documents.get(key)
        if state is None or not self._sees(state, call):
            raise not_found(self._assignment.name, key.strip("/"))
        await self._check_owner(state, call)
        await self._documents.change(key, lambda before: None, call)
        for hook in self._assignment.after_delete:
            await hook(self._door, [state], call)

    def _sees(self, state: State, call: Call) -> bool:
        visible = self._assignment.visible
        wanted = {} if visible is None else visible(call.principal)
        return all(state.get(name) == value for name, value in wanted.items())

    async def _own(self, call: Call) -> State:
        """Where what is assigned has an owner: what narrows a list to the caller's own."""
        owner = self._assignment.owner
        if owner is None or call.principal.user_type is UserType.ADMIN:
            return {}
        return {owner.field: {"$in": await self._door.owned_by(owner.place, call)}}

    async def _check_owner(self, state: Mapping[str, Any], call: Call) -> None:
        owner = self._assignment.owner
        if owner is not None:
            ids = [str(state[name]) for name in (*owner.parents, owner.field)]
            await self._door.check_owner(owner.place, call, *ids)

    def _named(self, call: Call) -> dict[str, Any]:
        """The fields that the path names."""
        return {field_of(name): value for name, value in call.path.items()}

    def _level(self, call: Call) -> dict[str, Any]:
        level = call.parameter("level") if self._assignment.levels else None
        if level is None:
            return {}
        found = _LEVELS.get(level.lower())
        if found is None:
            raise bad_request(
                "List.InvalidType",
                f"level must be User, Group or Company, not {level[:50]}.",
                Name="level",
            )
        for party, _, code in _PARTY_FIELDS:
            if party.lower() == level.lower() and party not in self._assignment.levels:
                raise self._no_level(code)
        return found

    def _no_level(self, code: str) -> ApiError:
        levels = sorted(self._assignment.levels & {"User", "Group", "Company"})
        return bad_request(
            code,
            f"A {self._assignment.name} is of level {' or '.join(levels)}; leave the other out.",
            Levels=levels,
        )


def party_errors(assignment: Assignment, state: Mapping[str, Any]) -> list[Error]:
    """What is wrong with whom an assignment is made to."""
    user, group = state.get("UserID"), state.get("UserGroupID")
    buyer, supplier = state.get("BuyerID"), state.get("SupplierID")
    errors: list[Error] = []
    if not assignment.levels:
        return errors
    if user and group:
        errors.append(
            error(
                "PartyAssignment.CannotSpecifyGroupAndUser",
                "Name a user or a user group, not both.",
            )
        )
    if "Party" in assignment.levels and buyer and supplier:
        errors.append(
            error(
                "PartyAssignment.CannotSpecifyBuyerAndSupplier",
                "Name a buyer or a supplier, not both.",
            )
        )
    if assignment.levels and "Company" not in assignment.levels and not user and not group:
        errors.append(
            error(
                "PartyAssignment.InvalidGroupLevel",
                "This is assigned to users or user groups: name one of either.",
            )
        )
    return errors


def _typed(value: str) -> Any:
    """A query parameter as it is stored: ``true`` and ``false`` are truth values."""
    return {"true": True, "false": False}.get(value.lower(), value)
