"""Cost centers: what a buyer's groups book their orders on."""

from shared.contracts.resources import COST_CENTER, COST_CENTER_ASSIGNMENT
from shared.http.kinds import Assignment, Cascade, Kind, Reference, admin_reader
from shared.http.places import BUYERS, COST_CENTERS, USER_GROUPS
from shared.http.query import index

_ASSIGNED = (Cascade("CostCenterAssignment", "CostCenterID"),)

COST_CENTER_KIND = Kind(
    events=COST_CENTER,
    sdk="CostCenters",
    path="/buyers/{buyerID}/costcenters",
    id="costCenterID",
    collection="cost_centers",
    roles=admin_reader("CostCenter"),
    searchable=("ID", "Name", "Description"),
    sortable=("Name", "ID"),
    default_sort=("Name", "ID"),
    parents=(BUYERS,),
    on_delete=_ASSIGNED,
    renames=_ASSIGNED,
    indexes=(index("BuyerID", "Name", "ID"), index("BuyerID", "ID")),
)

ASSIGNED = Assignment(
    events=COST_CENTER_ASSIGNMENT,
    sdk="CostCenters",
    list="/buyers/{buyerID}/costcenters/assignments",
    save="/buyers/{buyerID}/costcenters/assignments",
    delete="/buyers/{buyerID}/costcenters/{costCenterID}/assignments",
    collection="cost_center_assignments",
    roles=COST_CENTER_KIND.roles,
    parameters=("costCenterID", "userGroupID"),
    levels=frozenset({"Company", "Group"}),
    parents=(BUYERS,),
    references=(
        Reference("CostCenterID", COST_CENTERS, ("BuyerID",)),
        Reference("UserGroupID", USER_GROUPS, ("BuyerID",)),
    ),
    indexes=(index("BuyerID", "CostCenterID", "UserGroupID"),),
)

KINDS = (COST_CENTER_KIND,)
ASSIGNMENTS = (ASSIGNED,)
