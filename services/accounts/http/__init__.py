"""Accounts over HTTP."""

from shared.contracts.resources import COST_CENTER, COST_CENTER_ASSIGNMENT
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


def mount(mount: Mount) -> Mounted:
    door = Door(
        "accounts",
        mount.resources,
        mount.announcer,
        mount.increment,
        kinds=(COST_CENTERS,),
        assignments=(A,),
    )
    return door.mounted()
