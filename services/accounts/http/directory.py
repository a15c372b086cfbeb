"""Users, clients and profiles, as access asks for them, read from the documents of the resources.

Each answer takes one to three queries by index and is as new as the documents: nothing is kept.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from services.accounts.access.policy import PasswordRules
from services.accounts.access.ports import (
    Account,
    Client,
    ImpersonationRule,
    Profile,
    Roles,
    StoredSecret,
)
from shared.http.documents import State
from shared.http.principal import UserType
from shared.http.query import COLLATION
from shared.mongo.codec import CODEC

USERS = "users"
API_CLIENTS = "api_clients"
API_CLIENT_SECRETS = "api_client_secrets"
API_CLIENT_ASSIGNMENTS = "api_client_assignments"
SECURITY_PROFILES = "security_profiles"
SECURITY_PROFILE_ASSIGNMENTS = "security_profile_assignments"
IMPERSONATION_CONFIGS = "impersonation_configs"
LOCALES = "locales"
LOCALE_ASSIGNMENTS = "locale_assignments"
GROUP_ASSIGNMENTS = {
    UserType.BUYER: "user_group_assignments",
    UserType.SUPPLIER: "supplier_user_group_assignments",
    UserType.ADMIN: "admin_user_group_assignments",
}
"""Who is in which group, by the type of the users."""

_COMPANIES = {UserType.BUYER: "buyers", UserType.SUPPLIER: "suppliers"}
_OWNER = {UserType.BUYER: "BuyerID", UserType.SUPPLIER: "SupplierID"}
_LIVE = {"state": {"$ne": None}}


def exact(*fields: str) -> IndexModel:
    """An index for looking up values as they are, letters of either case apart."""
    name = "exact_" + "_".join(fields)
    return IndexModel([(f"state.{field}", ASCENDING) for field in fields], name=name)


def user_key(user_type: UserType, company_id: str, id: str) -> str:
    """Under which key a user is stored."""
    if user_type is UserType.ADMIN:
        return id
    return f"{_COMPANIES[user_type]}/{company_id}/{id}"


def company_of(state: Mapping[str, Any], marketplace_id: str) -> tuple[UserType, str]:
    """What kind of company a stored user belongs to, and which."""
    for user_type, field in _OWNER.items():
        if state.get(field):
            return user_type, state[field]
    return UserType.ADMIN, marketplace_id


class MongoDirectory:
    """A :class:`~services.accounts.access.ports.Directory` on the accounts service's database."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], marketplace_id: str) -> None:
        self._database = database.with_options(codec_options=CODEC)
        self._marketplace_id = marketplace_id

    async def prepare(self) -> None:
        """Makes the indexes that lists do not need."""
        await self._database[USERS].create_indexes(
            [
                exact("InternalID"),
                IndexModel([("state.Email", ASCENDING)], name="email", collation=COLLATION),
            ]
        )
        for collection in GROUP_ASSIGNMENTS.values():
            await self._database[collection].create_indexes([exact("UserID")])

    async def user_by_username(self, username: str) -> Account | None:
        state = await self._database[USERS].find_one(
            {"state.Username": username}, {"state": 1}, collation=COLLATION
        )
        return None if state is None else await self.account(state["state"])

    async def user(self, internal_id: str) -> Account | None:
        state = await self.user_state(internal_id)
        return None if state is None else await self.account(state)

    async def user_state(self, internal_id: str) -> State | None:
        """The user as it is stored."""
        found = await self._database[USERS].find_one(
            {"state.InternalID": internal_id}, {"state": 1}
        )
        return None if found is None else found["state"]

    async def buyer_user(self, buyer_id: str, user_id: str) -> Account | None:
        state = await self._state(USERS, user_key(UserType.BUYER, buyer_id, user_id))
        return None if state is None else await self.account(state)

    async def users_by_email(self, email: str, *, limit: int) -> list[State]:
        """The active users with this address, whatever the case of the letters."""
        found = self._database[USERS].find(
            {"state.Email": email, "state.Active": True}, {"state": 1}, collation=COLLATION
        )
        return [each["state"] for each in await found.limit(limit).to_list()]

    async def accounts(self, internal_ids: Sequence[str]) -> list[Account]:
        """Those of these users that there are."""
        found = self._database[USERS].find(
            {"state.InternalID": {"$in": list(internal_ids)}}, {"state": 1}
        )
        return await self._accounts([each["state"] async for each in found])

    async def account(self, state: State) -> Account:
        """A stored user, as access sees one."""
        return (await self._accounts([state]))[0]

    async def _accounts(self, states: Sequence[State]) -> list[Account]:
        groups: dict[tuple[UserType, str, str], set[str]] = defaultdict(set)
        companies = [company_of(state, self._marketplace_id) for state in states]
        for user_type in {user_type for user_type, _ in companies}:
            owner = _OWNER.get(user_type)
            query: dict[str, Any] = {
                "state.UserID": {
                    "$in": [
                        state["ID"]
                        for state, (type_, _) in zip(states, companies, strict=True)
                        if type_ is user_type
                    ]
                }
            }
            if owner is not None:
                query[f"state.{owner}"] = {
                    "$in": list({company for type_, company in companies if type_ is user_type})
                }
            async for each in self._database[GROUP_ASSIGNMENTS[user_type]].find(
                query, {"state": 1}
            ):
                member = each["state"]
                company = self._marketplace_id if owner is None else member[owner]
                groups[user_type, company, member["UserID"]].add(member["UserGroupID"])
        return [
            Account(
                internal_id=state["InternalID"],
                id=state["ID"],
                username=state["Username"],
                user_type=user_type,
                company_id=company,
                active=bool(state.get("Active")),
                group_ids=frozenset(groups[user_type, company, state["ID"]]),
            )
            for state, (user_type, company) in zip(states, companies, strict=True)
        ]

    async def company_active(self, user_type: UserType, company_id: str) -> bool:
        if user_type is UserType.ADMIN:
            return company_id == self._marketplace_id
        state = await self._state(_COMPANIES[user_type], company_id)
        return state is not None and bool(state.get("Active", True))

    async def client(self, client_id: str) -> Client | None:
        state = await self._state(API_CLIENTS, client_id)
        if state is None:
            return None
        secrets = self._database[API_CLIENT_SECRETS].find(
            {"state.ApiClientID": client_id}, {"state": 1}
        )
        return client_of(state, [each["state"] async for each in secrets])

    async def client_assigned(self, client_id: str, user_type: UserType, company_id: str) -> bool:
        buyer, supplier = (company_id, "") if user_type is UserType.BUYER else ("", company_id)
        key = f"{client_id}/{buyer}/{supplier}"
        return await self._state(API_CLIENT_ASSIGNMENTS, key) is not None

    async def profiles(self, user: Account) -> Sequence[Profile]:
        assigned = self._database[SECURITY_PROFILE_ASSIGNMENTS].find(
            profiles_assigned_to(user), {"state.SecurityProfileID": 1}
        )
        ids = {each["state"]["SecurityProfileID"] async for each in assigned}
        if not ids:
            return []
        found = self._database[SECURITY_PROFILES].find(
            {"_id": {"$in": sorted(ids)}, **_LIVE}, {"state": 1}
        )
        return [profile_of(each["state"]) async for each in found]

    async def profile(self, profile_id: str) -> Profile | None:
        state = await self._state(SECURITY_PROFILES, profile_id)
        return None if state is None else profile_of(state)

    async def impersonation_rules(self, client_id: str) -> Sequence[ImpersonationRule]:
        found = self._database[IMPERSONATION_CONFIGS].find(
            {"state.ClientID": client_id}, {"state": 1}
        )
        return [rule_of(each["state"]) async for each in found]

    async def _state(self, collection: str, key: str) -> State | None:
        found = await self._database[collection].find_one({"_id": key}, {"state": 1})
        return None if found is None else found["state"]


def profiles_assigned_to(user: Account) -> dict[str, Any]:
    """Which assignments of profiles hold for ``user``: its own, its groups', its company's."""
    owner = _OWNER.get(user.user_type)
    return {
        "state.BuyerID": user.company_id if owner == "BuyerID" else None,
        "state.SupplierID": user.company_id if owner == "SupplierID" else None,
        "state.SecurityProfileID": {"$gt": ""},
        "$or": [
            {"state.UserID": user.id},
            {"state.UserGroupID": {"$in": sorted(user.group_ids)}},
            {"state.UserID": None, "state.UserGroupID": None},
        ],
    }


def client_of(state: State, secrets: Sequence[State]) -> Client:
    """A stored API client, with its stored secrets, as access sees one."""
    kept = [StoredSecret(state["SecretHash"])] if state.get("SecretHash") else []
    kept += [
        StoredSecret(each["SecretHash"], each.get("Expiration"))
        for each in secrets
        if each.get("SecretHash")
    ]
    return Client(
        id=state["ID"],
        active=state["Active"],
        access_minutes=state["AccessTokenDuration"],
        refresh_minutes=state.get("RefreshTokenDuration", 0),
        anonymous_minutes=state.get("AnonymousTokenDuration") or 10_080,
        context_username=state.get("DefaultContextUserName"),
        any_buyer=state.get("AllowAnyBuyer", False),
        any_supplier=state.get("AllowAnySupplier", False),
        seller=state.get("AllowSeller", False),
        anonymous=state.get("IsAnonBuyer", False),
        secrets=tuple(kept),
        at_least=_roles(state, "MinimumRequiredRoles", "MinimumRequiredCustomRoles"),
        at_most=_roles(state, "MaximumGrantedRoles", "MaximumGrantedCustomRoles"),
    )


def profile_of(state: State) -> Profile:
    """A stored security profile, as access sees one."""
    config = state.get("PasswordConfig")
    return Profile(
        id=state["ID"],
        roles=_roles(state, "Roles", "CustomRoles"),
        password_rules=None if config is None else PasswordRules.model_validate(config),
    )


def rule_of(state: State) -> ImpersonationRule:
    """A stored impersonation config, as access sees one."""
    return ImpersonationRule(
        id=state["ID"],
        client_id=state["ClientID"],
        profile_id=state["SecurityProfileID"],
        impersonator_buyer_id=state.get("ImpersonationBuyerID"),
        impersonator_group_id=state.get("ImpersonationGroupID"),
        impersonator_user_id=state.get("ImpersonationUserID"),
        buyer_id=state.get("BuyerID"),
        group_id=state.get("GroupID"),
        user_id=state.get("UserID"),
    )


def _roles(state: State, standard: str, custom: str) -> Roles:
    return Roles(frozenset(state.get(standard) or ()), frozenset(state.get(custom) or ()))
