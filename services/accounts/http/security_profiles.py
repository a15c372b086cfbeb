"""Security profiles: roles that are given together, and what passwords must be like."""

from collections.abc import Mapping
from typing import Any

from services.accounts.http.directory import (
    SECURITY_PROFILE_ASSIGNMENTS,
    SECURITY_PROFILES,
    exact,
)
from shared.contracts.parties import CommerceRole
from shared.contracts.resources import SECURITY_PROFILE, SECURITY_PROFILE_ASSIGNMENT
from shared.contracts.roles import Role
from shared.http import places
from shared.http.door import Door
from shared.http.errors import bad_request, forbidden, not_found
from shared.http.kinds import Assignment, Cascade, Change, Kind, Reference, Refuse, Roles
from shared.http.operations import ADMIN, Call
from shared.http.principal import FULL_ACCESS
from shared.http.query import index


def check_may_give(roles: Any, call: Call) -> None:
    """Raises ApiError, 403 ``Auth.UnauthorizedRole``, where ``roles`` have FullAccess and the
    caller does not: nobody gets all rights by the right to give rights."""
    if FULL_ACCESS in roles and FULL_ACCESS not in call.principal.roles:
        raise forbidden(
            "Auth.UnauthorizedRole",
            f"Only who has {FULL_ACCESS} may give it to others; use a token that has it.",
            Role=FULL_ACCESS,
        )


async def check_may_give_profile(door: Door, profile_id: str | None, call: Call) -> None:
    """:func:`check_may_give` for the roles of a profile; one that is not there gives none."""
    profile = await door.documents["SecurityProfile"].get(profile_id or "")
    check_may_give((profile or {}).get("Roles", ()), call)


async def _gives_no_more_than_the_caller_has(door: Door, change: Change) -> None:
    if change.before is None or Role.FULL_ACCESS not in change.before.roles:
        check_may_give(change.after.roles, change.call)


async def _has_custom_roles_of_its_own(door: Door, change: Change) -> None:
    """A token does not tell custom roles from others, so none may be called as others are."""
    taken = sorted(set(change.after.custom_roles) & set(Role))
    if taken:
        raise bad_request(
            "ValidationFailure",
            f"CustomRoles has {', '.join(taken)}, which the API has itself: name those in Roles, or"
            " choose another name.",
            Field="CustomRoles",
        )


async def _has_password_rules_that_can_be_met(door: Door, change: Change) -> None:
    config = change.after.password_config
    if config is None or not config.maximum_password_age or not config.minimum_password_age:
        return
    if config.minimum_password_age >= config.maximum_password_age * 24 * 60:
        raise bad_request(
            "SecurityProfile.InvalidPasswordConfiguration",
            "By MinimumPasswordAge (minutes) a password may be changed only after it has expired by"
            " MaximumPasswordAge (days); lower the one or raise the other.",
            MinimumPasswordAge=config.minimum_password_age,
            MaximumPasswordAge=config.maximum_password_age,
        )


async def _names_a_user_of_the_marketplace(door: Door, change: Change) -> None:
    """Users and groups of no buyer and no supplier are the marketplace's."""
    after = change.after
    if after.buyer_id or after.supplier_id:
        return
    if after.user_id and not await door.exists(places.ADMIN_USERS, after.user_id):
        raise not_found("AdminUser", after.user_id)
    if after.user_group_id and not await door.exists(places.ADMIN_USER_GROUPS, after.user_group_id):
        raise not_found("AdminUserGroup", after.user_group_id)


async def _is_a_profile_that_the_caller_may_give(door: Door, change: Change) -> None:
    await check_may_give_profile(door, change.after.security_profile_id, change.call)


def _by_commerce_role(value: str) -> Mapping[str, Any]:
    sides: dict[str, Mapping[str, Any]] = {
        CommerceRole.BUYER.lower(): {"BuyerID": {"$ne": None}},
        CommerceRole.SUPPLIER.lower(): {"SupplierID": {"$ne": None}},
        CommerceRole.SELLER.lower(): {"BuyerID": None, "SupplierID": None},
    }
    found = sides.get(value.lower())
    if found is None:
        raise bad_request(
            "List.InvalidType",
            f"commerceRole must be Buyer, Seller or Supplier, not {value[:50]}.",
            Name="commerceRole",
        )
    return found


PROFILES = Kind(
    events=SECURITY_PROFILE,
    sdk="SecurityProfiles",
    path="/securityprofiles",
    id="securityProfileID",
    collection=SECURITY_PROFILES,
    roles=Roles(("SecurityProfileReader", "SetSecurityProfile"), ("SecurityProfileAdmin",)),
    users=ADMIN,
    searchable=("ID", "Name"),
    sortable=("ID", "Name"),
    default_sort=("ID", "Name"),
    rules=(
        _gives_no_more_than_the_caller_has,
        _has_custom_roles_of_its_own,
        _has_password_rules_that_can_be_met,
    ),
    on_delete=(
        Refuse(
            "ImpersonationConfig",
            "SecurityProfileID",
            "Impersonation.CannotDeleteSecurityProfile",
            "An impersonation config gives this profile's roles; delete that, or let it name"
            " another profile, first.",
        ),
        Cascade("SecurityProfileAssignment", "SecurityProfileID"),
    ),
    renames=(
        Cascade("SecurityProfileAssignment", "SecurityProfileID"),
        Cascade("ImpersonationConfig", "SecurityProfileID"),
    ),
    indexes=(index("ID", "Name"), index("Name", "ID")),
)

PROFILE_ASSIGNMENTS = Assignment(
    events=SECURITY_PROFILE_ASSIGNMENT,
    sdk="SecurityProfiles",
    list="/securityprofiles/assignments",
    save="/securityprofiles/assignments",
    delete="/securityprofiles/{securityProfileID}/assignments",
    collection=SECURITY_PROFILE_ASSIGNMENTS,
    roles=Roles(("SecurityProfileReader",), ("SetSecurityProfile",)),
    users=ADMIN,
    parameters=("buyerID", "supplierID", "securityProfileID", "userID", "userGroupID"),
    narrows={"commerceRole": _by_commerce_role},
    levels=frozenset({"Company", "Group", "User", "Party"}),
    references=(
        Reference("SecurityProfileID", places.SECURITY_PROFILES),
        Reference("BuyerID", places.BUYERS),
        Reference("SupplierID", places.SUPPLIERS),
        Reference("UserID", places.BUYER_USERS, ("BuyerID",)),
        Reference("UserGroupID", places.USER_GROUPS, ("BuyerID",)),
        Reference("UserID", places.SUPPLIER_USERS, ("SupplierID",)),
        Reference("UserGroupID", places.SUPPLIER_USER_GROUPS, ("SupplierID",)),
    ),
    rules=(_names_a_user_of_the_marketplace, _is_a_profile_that_the_caller_may_give),
    indexes=(
        index("SecurityProfileID", "BuyerID", "SupplierID", "UserID", "UserGroupID"),
        exact("BuyerID", "SupplierID", "UserID"),
    ),
)
