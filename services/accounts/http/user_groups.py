"""Groups of users: a buyer's, a supplier's, the marketplace's."""

from services.accounts.http.belongings import (
    IMPERSONATED_USER_GROUP,
    OF_ADMIN_USER_GROUP,
    OF_SUPPLIER_USER_GROUP,
    OF_USER_GROUP,
)
from shared.contracts.resources import (
    ADMIN_USER_GROUP,
    ADMIN_USER_GROUP_ASSIGNMENT,
    SUPPLIER_USER_GROUP,
    SUPPLIER_USER_GROUP_ASSIGNMENT,
    USER_GROUP,
    USER_GROUP_ASSIGNMENT,
)
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import conflict
from shared.http.kinds import Assignment, Change, Kind, Reference, admin_reader
from shared.http.operations import Call
from shared.http.places import (
    ADMIN_USER_GROUPS,
    ADMIN_USERS,
    APPROVAL_RULES,
    BUYER_USERS,
    BUYERS,
    SUPPLIER_USER_GROUPS,
    SUPPLIER_USERS,
    SUPPLIERS,
    USER_GROUPS,
)
from shared.http.query import index

_SEARCHABLE = ("ID", "Name", "Description")
_SORTABLE = ("Name", "ID")
_METHODS = ("ListUserAssignments", "SaveUserAssignment", "DeleteUserAssignment")
_MEMBERS = ("userGroupID", "userID")


async def approves_nothing(door: Door, states: list[State], call: Call) -> None:
    """A group whose approval some rule asks for stays."""
    rules = door.resources.database(APPROVAL_RULES.service)[APPROVAL_RULES.collection]
    for state in states:
        rule = await rules.find_one(
            {"state.BuyerID": state["BuyerID"], "state.ApprovingGroupID": state["ID"]}, {"_id": 1}
        )
        if rule is not None:
            raise conflict(
                "UserGroup.CannotDeleteApprovingGroup",
                f"The approval rule {rule['_id']} asks for the approval of this group: delete the"
                " rule, or name another group there.",
                ApprovalRuleID=rule["_id"],
            )


_ELSEWHERE = (
    ("pricing", "product_assignments", "UserGroupID"),
    ("pricing", "category_assignments", "UserGroupID"),
    ("pricing", "promotion_assignments", "UserGroupID"),
    ("pricing", "inventory_record_assignments", "UserGroupID"),
    ("pricing", "variant_inventory_record_assignments", "UserGroupID"),
    ("checkout", "approval_rules", "ApprovingGroupID"),
)
"""Where other services name a buyer's group: the database's service, the collection, the field."""


async def keeps_its_name_elsewhere(door: Door, change: Change) -> None:
    """Other services do not follow a renaming, so what they name keeps its ID."""
    before = change.before
    if before is None or before.id == change.after.id:
        return
    for service, collection, field in _ELSEWHERE:
        named = {"state.BuyerID": before.buyer_id, f"state.{field}": before.id}
        if await door.resources.database(service)[collection].find_one(named, {"_id": 1}):
            raise conflict(
                "ValidationFailure",
                f"{collection.replace('_', ' ')} name this group by its ID: take them back before"
                " you rename it, and make them again for the new ID.",
                Field="ID",
            )


BUYER_GROUPS = Kind(
    events=USER_GROUP,
    sdk="UserGroups",
    path="/buyers/{buyerID}/usergroups",
    id="userGroupID",
    collection="user_groups",
    prefix="buyers/",
    roles=admin_reader("UserGroup"),
    searchable=_SEARCHABLE,
    sortable=_SORTABLE,
    default_sort=_SORTABLE,
    parents=(BUYERS,),
    before_delete=(approves_nothing,),
    on_delete=(IMPERSONATED_USER_GROUP, *OF_USER_GROUP),
    renames=OF_USER_GROUP,
    rules=(keeps_its_name_elsewhere,),
    indexes=(index("BuyerID", "Name", "ID"), index("BuyerID", "ID")),
)
SUPPLIER_GROUPS = Kind(
    events=SUPPLIER_USER_GROUP,
    sdk="SupplierUserGroups",
    object_type="UserGroup",
    path="/suppliers/{supplierID}/usergroups",
    id="userGroupID",
    collection="user_groups",
    prefix="suppliers/",
    roles=admin_reader("SupplierUserGroup"),
    searchable=_SEARCHABLE,
    sortable=_SORTABLE,
    default_sort=_SORTABLE,
    parents=(SUPPLIERS,),
    on_delete=OF_SUPPLIER_USER_GROUP,
    renames=OF_SUPPLIER_USER_GROUP,
    indexes=(index("SupplierID", "Name", "ID"), index("SupplierID", "ID")),
)
ADMIN_GROUPS = Kind(
    events=ADMIN_USER_GROUP,
    sdk="AdminUserGroups",
    object_type="UserGroup",
    path="/usergroups",
    id="userGroupID",
    collection="user_groups",
    among={"BuyerID": None, "SupplierID": None},
    roles=admin_reader("AdminUserGroup"),
    searchable=_SEARCHABLE,
    sortable=_SORTABLE,
    default_sort=_SORTABLE,
    on_delete=OF_ADMIN_USER_GROUP,
    renames=OF_ADMIN_USER_GROUP,
    indexes=(index("BuyerID", "SupplierID", "Name", "ID"),),
)

BUYER_MEMBERS = Assignment(
    events=USER_GROUP_ASSIGNMENT,
    sdk="UserGroups",
    methods=_METHODS,
    list="/buyers/{buyerID}/usergroups/assignments",
    save="/buyers/{buyerID}/usergroups/assignments",
    delete="/buyers/{buyerID}/usergroups/{userGroupID}/assignments/{userID}",
    collection="user_group_assignments",
    roles=BUYER_GROUPS.roles,
    parameters=_MEMBERS,
    parents=(BUYERS,),
    references=(
        Reference("UserGroupID", USER_GROUPS, ("BuyerID",)),
        Reference("UserID", BUYER_USERS, ("BuyerID",)),
    ),
    indexes=(index("BuyerID", "UserGroupID", "UserID"), index("BuyerID", "UserID")),
)
SUPPLIER_MEMBERS = Assignment(
    events=SUPPLIER_USER_GROUP_ASSIGNMENT,
    sdk="SupplierUserGroups",
    methods=_METHODS,
    list="/suppliers/{supplierID}/usergroups/assignments",
    save="/suppliers/{supplierID}/usergroups/assignments",
    delete="/suppliers/{supplierID}/usergroups/{userGroupID}/assignments/{userID}",
    collection="supplier_user_group_assignments",
    roles=SUPPLIER_GROUPS.roles,
    parameters=_MEMBERS,
    parents=(SUPPLIERS,),
    references=(
        Reference("UserGroupID", SUPPLIER_USER_GROUPS, ("SupplierID",)),
        Reference("UserID", SUPPLIER_USERS, ("SupplierID",)),
    ),
    indexes=(index("SupplierID", "UserGroupID", "UserID"), index("SupplierID", "UserID")),
)
ADMIN_MEMBERS = Assignment(
    events=ADMIN_USER_GROUP_ASSIGNMENT,
    sdk="AdminUserGroups",
    methods=_METHODS,
    list="/usergroups/assignments",
    save="/usergroups/assignments",
    delete="/usergroups/{userGroupID}/assignments/{userID}",
    collection="admin_user_group_assignments",
    roles=ADMIN_GROUPS.roles,
    parameters=_MEMBERS,
    references=(Reference("UserGroupID", ADMIN_USER_GROUPS), Reference("UserID", ADMIN_USERS)),
    indexes=(index("UserGroupID", "UserID"), index("UserID")),
)

KINDS = (BUYER_GROUPS, SUPPLIER_GROUPS, ADMIN_GROUPS)
ASSIGNMENTS = (BUYER_MEMBERS, SUPPLIER_MEMBERS, ADMIN_MEMBERS)
