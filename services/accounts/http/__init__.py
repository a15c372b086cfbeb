"""Accounts over HTTP."""

from services.accounts.http.access_mount import AccessSide
from shared.contracts.resources import (
    ADMIN_USER,
    ADMIN_USER_GROUP_ASSIGNMENT,
    BUYER,
    COST_CENTER,
    COST_CENTER_ASSIGNMENT,
    SUPPLIER,
    SUPPLIER_USER,
    SUPPLIER_USER_GROUP_ASSIGNMENT,
    USER,
    USER_GROUP,
    USER_GROUP_ASSIGNMENT,
)
from shared.http.door import Door
from shared.http.kinds import *
from shared.http.mount import Mount, Mounted
from shared.http.places import *

COST_CENTERS = Kind(
    events=COST_CENTER,
    sdk="CostCenters",
    path="/buyers/{buyerID}/costcenters",
    id="costCenterID",
    collection="cost_centers",
    roles=admin_reader("CostCenter"),
    searchable=("ID", "Name", "Description"),
    sortable=("Name", "ID"),
    default_sort=("Name", "ID"),
    on_delete=(Cascade("CostCenterAssignment", "CostCenterID"),),
    renames=(Cascade("CostCenterAssignment", "CostCenterID"),),
    parents=(),
)
A = Assignment(
    events=COST_CENTER_ASSIGNMENT,
    sdk="CostCenters",
    list="/buyers/{buyerID}/costcenters/assignments",
    save="/buyers/{buyerID}/costcenters/assignments",
    delete="/buyers/{buyerID}/costcenters/{costCenterID}/assignments",
    collection="cost_center_assignments",
    roles=admin_reader("CostCenter"),
    parameters=("costCenterID", "userGroupID"),
    levels=frozenset({"Company", "Group"}),
)


def _kind(events, path, id, collection, prefix=""):
    return Kind(
        events=events,
        sdk=events.name + "s",
        path=path,
        id=id,
        collection=collection,
        prefix=prefix,
        roles=admin_reader("BuyerUser"),
        searchable=("ID",),
        sortable=("ID",),
        default_sort=("ID",),
    )


def _members(events, collection):
    return Assignment(
        events=events, sdk=events.name, collection=collection, roles=admin_reader("UserGroup")
    )


STUBS = (
    _kind(BUYER, "/buyers", "buyerID", "buyers"),
    _kind(SUPPLIER, "/suppliers", "supplierID", "suppliers"),
    _kind(USER, "/buyers/{buyerID}/users", "userID", "users", "buyers/"),
    _kind(SUPPLIER_USER, "/suppliers/{supplierID}/users", "userID", "users", "suppliers/"),
    _kind(ADMIN_USER, "/adminusers", "userID", "users"),
    _kind(USER_GROUP, "/buyers/{buyerID}/usergroups", "userGroupID", "user_groups", "buyers/"),
)
MEMBERS = (
    _members(USER_GROUP_ASSIGNMENT, "user_group_assignments"),
    _members(SUPPLIER_USER_GROUP_ASSIGNMENT, "supplier_user_group_assignments"),
    _members(ADMIN_USER_GROUP_ASSIGNMENT, "admin_user_group_assignments"),
)


def mount(mount: Mount) -> Mounted:
    access = AccessSide(mount)
    door = Door(
        "accounts",
        mount.resources,
        mount.announcer,
        mount.increment,
        kinds=(COST_CENTERS, *STUBS, *access.kinds),
        assignments=(A, *MEMBERS, *access.assignments),
    )
    return door.mounted(
        access.operations(door),
        prepare=access.prepare(door),
        tasks=access.tasks(),
        authenticator=access.authenticator,
    )
