"""Impersonation configs: who may act as whom, with which client and which profile's roles."""

from services.accounts.http.directory import IMPERSONATION_CONFIGS, exact
from services.accounts.http.security_profiles import check_may_give_profile
from shared.contracts.base import Error
from shared.contracts.resources import IMPERSONATION_CONFIG
from shared.http import places
from shared.http.documents import wire
from shared.http.door import Door
from shared.http.errors import ApiError, bad_request, conflict, error, not_found
from shared.http.kinds import Change, Kind, Reference, Roles
from shared.http.operations import ADMIN
from shared.http.query import index

_PARTIES = (
    "ImpersonationBuyerID",
    "ImpersonationGroupID",
    "ImpersonationUserID",
    "BuyerID",
    "GroupID",
    "UserID",
)


async def _names_parties_that_can_be(door: Door, change: Change) -> None:
    after, errors = change.after, list[Error]()
    for group, user in (
        (after.impersonation_group_id, after.impersonation_user_id),
        (after.group_id, after.user_id),
    ):
        if group and user:
            errors.append(
                error(
                    "PartyAssignment.CannotSpecifyGroupAndUser",
                    "Name a user or a user group on each side, not both.",
                )
            )
    if (after.group_id or after.user_id) and not after.buyer_id:
        errors.append(
            error(
                "Impersonation.BuyerNetworkBuyerIDRequired",
                "Set BuyerID to the buyer that GroupID or UserID belongs to.",
            )
        )
    if errors:
        raise ApiError(400, errors)


async def _names_a_client_that_there_is(door: Door, change: Change) -> None:
    if not await door.exists(places.API_CLIENTS, change.after.client_id):
        raise bad_request(
            "Impersonation.ClientIDNotFound",
            f"There is no API client with ID {change.after.client_id}; correct ClientID.",
            ClientID=change.after.client_id,
        )


async def _names_impersonators_of_the_marketplace(door: Door, change: Change) -> None:
    """Without a buyer, those who act are the marketplace's own."""
    after = change.after
    if after.impersonation_buyer_id:
        return
    user, group = after.impersonation_user_id, after.impersonation_group_id
    if user and not await door.exists(places.ADMIN_USERS, user):
        raise not_found("AdminUser", user)
    if group and not await door.exists(places.ADMIN_USER_GROUPS, group):
        raise not_found("AdminUserGroup", group)


async def _gives_a_profile_that_the_caller_may_give(door: Door, change: Change) -> None:
    await check_may_give_profile(door, change.after.security_profile_id, change.call)


async def _conflicts_with_no_other(door: Door, change: Change) -> None:
    """Two for the same parties and client would leave open whose profile counts."""
    state = wire(change.after)
    parties = {name: state.get(name) for name in _PARTIES}
    own = {state["ID"]} | ({change.before.id} if change.before else set())
    for other in await door.documents["ImpersonationConfig"].find(
        {"ClientID": state["ClientID"], **parties}
    ):
        if other["ID"] not in own:
            raise conflict(
                "ImpersonationConfig.ConflictingImpersonationConfigExists",
                f"The impersonation config {other['ID']} is for the same parties and API client;"
                " change that one.",
                ImpersonationConfigID=other["ID"],
            )


CONFIGS = Kind(
    events=IMPERSONATION_CONFIG,
    sdk="ImpersonationConfigs",
    path="/impersonationconfig",
    id="impersonationConfigID",
    collection=IMPERSONATION_CONFIGS,
    roles=Roles(("SecurityProfileReader",), ("SetSecurityProfile",)),
    users=ADMIN,
    searchable=(*_PARTIES, "SecurityProfileID", "ClientID", "ID"),
    sortable=(*_PARTIES, "SecurityProfileID", "ClientID", "ID"),
    default_sort=(*_PARTIES, "SecurityProfileID", "ClientID", "ID"),
    references=(
        Reference("SecurityProfileID", places.SECURITY_PROFILES),
        Reference("ImpersonationBuyerID", places.BUYERS),
        Reference("BuyerID", places.BUYERS),
        Reference("ImpersonationUserID", places.BUYER_USERS, ("ImpersonationBuyerID",)),
        Reference("ImpersonationGroupID", places.USER_GROUPS, ("ImpersonationBuyerID",)),
        Reference("UserID", places.BUYER_USERS, ("BuyerID",)),
        Reference("GroupID", places.USER_GROUPS, ("BuyerID",)),
    ),
    rules=(
        _names_parties_that_can_be,
        _names_a_client_that_there_is,
        _names_impersonators_of_the_marketplace,
        _gives_a_profile_that_the_caller_may_give,
        _conflicts_with_no_other,
    ),
    indexes=(index(*_PARTIES, "SecurityProfileID", "ClientID", "ID"), exact("ClientID")),
)
