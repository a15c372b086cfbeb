"""What is special about users, whichever company they are of."""

from collections.abc import Mapping
from typing import Any

from services.accounts.access.ports import Account
from services.accounts.http.door import accounts
from shared.contracts.base import Resource
from shared.http.documents import State, wire, with_ids
from shared.http.door import Door
from shared.http.errors import conflict
from shared.http.kinds import Change, Unique
from shared.http.operations import Call
from shared.http.principal import UserType
from shared.http.query import index

PRIVATE = ("PrivateAddress", "PrivateCreditCard")

_MEMBERSHIPS = {
    UserType.BUYER: ("UserGroupAssignment", "BuyerID"),
    UserType.SUPPLIER: ("SupplierUserGroupAssignment", "SupplierID"),
    UserType.ADMIN: ("AdminUserGroupAssignment", None),
}

UNIQUE_USERNAME = Unique(
    "Username",
    "User.UsernameMustBeUnique",
    "There is a user of this name already, perhaps of another company: choose another Username.",
)
USERNAME_INDEX = index("Username", "MovingTo", unique=True)
IDENTITY_INDEX = index("InternalID")


async def has_its_company(door: Door, change: Change) -> None:
    """``CompanyID`` is the buyer, the supplier, or the marketplace."""
    state = wire(change.after)
    company = (
        state.get("BuyerID") or state.get("SupplierID") or door.resources.settings.marketplace_id
    )
    change.after = change.after.model_copy(update={"company_id": company, "moving_to": None})


async def may_have_the_password(door: Door, change: Change) -> None:
    """Before anything is written."""
    password = change.sent.get("Password")
    if password is not None:
        await accounts(door).passwords.check(await account_of(door, change.after), password)


async def gets_the_password(door: Door, change: Change) -> None:
    """The password is kept apart from the user. Tokens that were given for another password, or
    say another name, do not hold any longer."""
    passwords, before, after = accounts(door).passwords, change.before, change.after
    password = change.sent.get("Password")
    if password is not None:
        await passwords.set(await account_of(door, after), password)
    renamed = before is not None and (before.id, before.username) != (after.id, after.username)
    if renamed or (before is not None and password is not None):
        await passwords.revoke(after.internal_id)
    else:
        passwords.changed(after.internal_id)


async def acts_for_no_client(door: Door, states: list[State], call: Call) -> None:
    """API clients act as their default context users, by their names."""
    for state in states:
        await need_no_client(door, state, "User.CannotDeleteDefaultContextUser")


async def need_no_client(door: Door, user: State, code: str) -> None:
    """Raises ApiError 409 ``code`` where an API client acts as the user."""
    # A username is the same in letters of either case.
    named = {"DefaultContextUserName": {"$in": [user["Username"]]}}
    for client in await door.documents["ApiClient"].find(named, limit=1):
        raise conflict(
            code,
            f"The API client {client['ID']} acts as this user: name another user in its"
            " DefaultContextUserName first.",
            ApiClientID=client["ID"],
        )


async def is_followed_by_clients(door: Door, change: Change) -> None:
    """API clients that act as the user know it by its new name."""
    before, after = change.before, change.after
    if before is None or before.username == after.username:
        return
    clients = door.documents["ApiClient"]
    keys = await clients.keys({"DefaultContextUserName": {"$in": [before.username]}})
    renamed = {"default_context_user_name": after.username}
    await clients.change_all(
        keys,
        lambda client: client and client.model_copy(update=renamed),
        change.call,
    )


async def leaves_nothing(door: Door, states: list[State], call: Call) -> None:
    """With a user go its password and tokens, and the addresses and cards of its own."""
    for name in PRIVATE:
        documents = door.documents[name]
        for state in states:
            keys = await documents.keys({"InternalID": state["InternalID"]})
            if keys:
                await documents.change_all(keys, lambda stored: None, call)
    for state in states:
        await accounts(door).passwords.remove(state["InternalID"])


async def user_facts(
    door: Door, states: list[State], answers: list[dict[str, Any]], call: Call
) -> None:
    """What others know of the users of a page: wrong passwords, when the last one was set."""
    known = await accounts(door).passwords.facts([state["InternalID"] for state in states])
    for state, answer in zip(states, answers, strict=True):
        answer |= known.get(state["InternalID"], {"FailedLoginAttempts": 0})


async def in_group(door: Door, call: Call) -> Mapping[str, Any]:
    """The parameter ``userGroupID``: the users of a group."""
    group = call.parameter("userGroupID")
    if group is None:
        return {}
    kind, company = _MEMBERSHIPS[UserType.BUYER if "buyerID" in call.path else UserType.SUPPLIER]
    fields: dict[str, Any] = {"UserGroupID": group}
    if company is not None:
        (fields[company],) = call.path.values()
    members = await door.documents[kind].find(fields)
    return with_ids(member["UserID"] for member in members)


async def groups_of(
    door: Door, user_type: UserType, company_id: str, user_id: str
) -> frozenset[str]:
    """The IDs of the groups of its company that a user is in."""
    kind, company = _MEMBERSHIPS[user_type]
    fields = {"UserID": user_id} if company is None else {company: company_id, "UserID": user_id}
    return frozenset(each["UserGroupID"] for each in await door.documents[kind].find(fields))


def type_of(state: Mapping[str, Any]) -> UserType:
    """Which kind of company a stored user is of."""
    if state.get("BuyerID"):
        return UserType.BUYER
    return UserType.SUPPLIER if state.get("SupplierID") else UserType.ADMIN


async def account_of(door: Door, user: Resource) -> Account:
    """A stored user, as access knows it."""
    state = wire(user)
    user_type, company = type_of(state), state["CompanyID"]
    return Account(
        internal_id=state["InternalID"],
        id=state["ID"],
        username=state["Username"],
        user_type=user_type,
        company_id=company,
        active=state["Active"],
        group_ids=await groups_of(door, user_type, company, state["ID"]),
    )
