"""What is declared of a resource: a page that says all that is special about it.

From a :class:`Kind` come its operations (list, create, get, save, patch, delete), their
documentation and their tests; from an :class:`Assignment` the three of an assignment.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pymongo import IndexModel

from shared.contracts.base import Resource
from shared.contracts.resource_events import ResourceEvents
from shared.http.operations import (
    ADMIN,
    ADMIN_BUYER,
    ADMIN_SUPPLIER,
    Call,
    Parameter,
    field_of,
    parameters_of,
)
from shared.http.present import wire_of
from shared.http.principal import Principal, UserType

if TYPE_CHECKING:
    from shared.http.door import Door


@dataclass(frozen=True, slots=True)
class Place:
    """Where the documents of a kind stand, whichever service owns them; for looking up only.
    ``owned``: they have an ``OwnerID``, and are their owner's and the marketplace's alone."""

    service: str
    collection: str
    object_type: str
    prefix: str = ""
    owned: bool = False


@dataclass(frozen=True, slots=True)
class Roles:
    """Any one of ``write`` lets change, any one of ``read`` or ``write`` lets see."""

    read: tuple[str, ...]
    write: tuple[str, ...]

    @property
    def readers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.write, *self.read)))


def admin_reader(name: str) -> Roles:
    """The usual pair: ``<name>Admin`` and ``<name>Reader``."""
    return Roles((f"{name}Reader",), (f"{name}Admin",))


@dataclass(frozen=True, slots=True)
class Reference:
    """``field`` names something at ``place`` that has to be there. Where that belongs to a company
    or the like, ``parents`` are the fields with its parents' IDs."""

    field: str
    place: Place
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cascade:
    """Deleting the resource deletes all of the kind ``name`` whose ``field`` names it, and no more:
    who owns kinds that own others names each. ``company`` is their field with the ID of the company
    that the resource belongs to, where it is not called as the resource's own."""

    name: str
    field: str
    company: str = ""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The resource cannot be deleted while one of the kind ``name`` names it in ``field``."""

    name: str
    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Unique:
    """A value of ``field`` belongs to one resource only; an index of the collection sees to it. A
    kind whose ID can change has a stored field ``MovingTo`` too, the last of that index."""

    field: str
    code: str
    message: str


@dataclass(slots=True)
class Change:
    """One resource on its way from what is stored to what will be. ``before`` is None for a new
    one. ``sent`` is the public model with all that came, also what is not stored, by wire names;
    a rule may replace ``after``."""

    before: Any
    after: Any
    sent: Mapping[str, Any]
    call: Call


Rule = Callable[["Door", Change], Awaitable[None]]
"""Looks at a change before it is written; completes ``after`` or refuses by raising."""

Compute = Callable[["Door", list[dict[str, Any]], list[dict[str, Any]], Call], Awaitable[None]]
"""Fills in what is computed: (door, stored documents, their answers, call). One call for a page,
so that it may read all that it needs at once."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is shown of resources that is not in their state. It is read in one query with them,
    for a query costs the API more than the database.

    ``fields`` stand beside the state in a resource's document; ``stages`` makes of the resources'
    keys the stages (``$unionWith``) that add documents ``{_id: key, name: value}`` from other
    collections of the same database; ``show`` puts what was found of one, values by their names,
    into its answer.
    """

    fields: tuple[str, ...]
    stages: Callable[[list[str]], list[dict[str, Any]]]
    show: Callable[["Door", dict[str, Any], Mapping[str, Any]], None]


AfterDelete = Callable[["Door", list[dict[str, Any]], Call], Awaitable[None]]

Visible = Callable[[Principal], Mapping[str, Any]]
"""Values that a document must have, by wire names, for this caller to see it."""


def visible_to_all(principal: Principal) -> Mapping[str, Any]:
    return {}


def own_by_owner(principal: Principal) -> Mapping[str, Any]:
    """A supplier sees what it owns; the marketplace sees all."""
    if principal.user_type is UserType.ADMIN:
        return {}
    return {"OwnerID": principal.company_id}


def own_company(principal: Principal) -> Mapping[str, Any]:
    """Buyers and suppliers see themselves; the marketplace sees all."""
    if principal.user_type is UserType.ADMIN:
        return {}
    return {"ID": principal.company_id}


ALL = frozenset({"List", "Create", "Get", "Save", "Patch", "Delete"})


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One resource.

    ``sdk`` is its name in the SDK (``CostCenters``) and ``suffix`` what the SDK adds to its
    methods (``Option`` in ``Specs.ListOptions``). ``path`` is that of its collection; the
    parameters in it name its parents, whose IDs every document has. ``id`` is the name of its own
    parameter. ``owned`` kinds have an ``OwnerID``: the marketplace, or a supplier that then sees
    and changes its own alone.
    """

    events: ResourceEvents
    sdk: str
    path: str
    id: str
    collection: str
    roles: Roles
    searchable: tuple[str, ...]
    sortable: tuple[str, ...]
    default_sort: tuple[str, ...]
    object_type: str = ""
    suffix: str = ""
    plural: str | None = None
    """What the SDK adds to its list method, where that is not ``suffix`` with an s."""
    prefix: str = ""
    parents: tuple[Place, ...] = ()
    users: frozenset[UserType] | None = None
    visible: Visible = visible_to_all
    among: Mapping[str, Any] = field(default_factory=dict)
    """Values, by wire names, that tell its documents from others in the same collection."""
    owned: bool = False
    references: tuple[Reference, ...] = ()
    rules: tuple[Rule, ...] = ()
    after_write: tuple[Rule, ...] = ()
    on_delete: tuple[Cascade | Refuse, ...] = ()
    before_delete: tuple[AfterDelete, ...] = ()
    """May refuse by raising; not asked where it goes with what it belongs to."""
    after_delete: tuple[AfterDelete, ...] = ()
    renames: tuple[Cascade, ...] = ()
    """Who names it, and has to follow when its ID is changed."""
    before_rename: tuple[Rule, ...] = ()
    """What makes way for it under its new ID."""
    after_rename: tuple[Rule, ...] = ()
    """What else follows, once those do; ``before`` has the old ID."""
    fixed_id: bool = False
    """Its ID cannot be changed, for others than its own service know it."""
    unique: tuple[Unique, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What fields have, by wire names, that a client leaves out, where that is not the model's
    default: Kafka's commands have their own."""
    beside: Beside | None = None
    compute: Compute | None = None
    operations: frozenset[str] = ALL
    parameters: Mapping[str, tuple[Parameter, ...]] = field(default_factory=dict)
    """Query parameters beside the usual ones, by operation."""
    narrow: Callable[["Door", Call], Awaitable[Mapping[str, Any]]] | None = None
    """Turns the list's own parameters into a filter by wire names, or by MongoDB's operators on
    what is stored."""
    indexes: tuple[IndexModel, ...] = ()
    search_types: bool = False
    facets: bool = False

    @property
    def name(self) -> str:
        return self.events.name

    @property
    def model(self) -> type[Resource]:
        """What is sent and answered."""
        return self.events.model

    @property
    def parent_fields(self) -> list[str]:
        """The wire names of the fields with the parents' IDs."""
        return [wire_of(self.events.stored, name) for name in self.events.parents]

    def key(self, parents: Sequence[str], id: str) -> str:
        """Under which key a resource is stored. Kinds that Kafka's commands change too are known
        by their ID alone."""
        among = parents if len(self.events.key) > 1 else ()
        return self.prefix + "/".join([*among, id])

    @property
    def type_name(self) -> str:
        """The ``ObjectType`` of a NotFound."""
        return self.object_type or self.name

    def who(self) -> frozenset[UserType]:
        if self.users is not None:
            return self.users
        if "{buyerID}" in self.path:
            return ADMIN_BUYER
        if "{supplierID}" in self.path or self.owned:
            return ADMIN_SUPPLIER
        return ADMIN


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """Ties resources to parties or to one another.

    ``levels`` are the kinds of party it may be made to, out
    of ``Company``, ``Group`` and ``User``, and ``Party`` where it may be a buyer's or a supplier's
    (none: it is no assignment to a party). ``parameters``
    narrow its list. ``methods`` are the SDK's names of list, save and delete.
    """

    events: ResourceEvents
    sdk: str
    methods: tuple[str, str, str] = ("ListAssignments", "SaveAssignment", "DeleteAssignment")
    list: str = ""
    save: str = ""
    delete: str = ""
    save_method: str = "POST"
    collection: str
    roles: Roles
    parameters: tuple[str, ...] = ()
    save_parameters: tuple[str, ...] = ()
    """Query parameters of save that are fields of the assignment."""
    levels: frozenset[str] = frozenset()
    visible: Visible | None = None
    owner: Reference | None = None
    """The assignment is its owner's whose what this names is: suppliers see and change those of
    their own alone."""
    references: tuple[Reference, ...] = ()
    parents: tuple[Place, ...] = ()
    users: frozenset[UserType] | None = None
    rules: tuple[Rule, ...] = ()
    after_write: tuple[Rule, ...] = ()
    after_delete: tuple[AfterDelete, ...] = ()
    filterable: bool = False
    searchable: tuple[str, ...] = ()
    sortable: tuple[str, ...] = ()
    indexes: tuple[IndexModel, ...] = ()
    narrows: Mapping[str, Callable[[str], Mapping[str, Any]]] = field(default_factory=dict)
    """Parameters of its list that are no fields: what each makes of its value, a filter by wire
    names."""

    @property
    def name(self) -> str:
        return self.events.name

    @property
    def model(self) -> type[Resource]:
        """What is sent and answered."""
        return self.events.model

    @property
    def keys(self) -> tuple[str, ...]:
        """The wire names of the fields that identify one."""
        return tuple(wire_of(self.events.stored, name) for name in self.events.key)

    def key(self, state: Mapping[str, Any]) -> str:
        """Under which key one is stored: its identifying values in a row."""
        return "/".join(str(state.get(name) or "") for name in self.keys)

    @property
    def delete_path_fields(self) -> frozenset[str]:
        """The fields that the path of its deletion names."""
        return frozenset(map(field_of, parameters_of(self.delete)))

    def who(self) -> frozenset[UserType]:
        if self.users is not None:
            return self.users
        if "{buyerID}" in self.save:
            return ADMIN_BUYER
        return ADMIN_SUPPLIER if "{supplierID}" in self.save or self.owner else ADMIN
