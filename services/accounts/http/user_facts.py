"""What users' documents do not say of them: roles, wrong passwords, activity, locale."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from services.accounts.access.credentials import Credential, CredentialStore
from services.accounts.access.ports import Account
from services.accounts.access.roles import union
from services.accounts.http.activity import Activity
from services.accounts.http.directory import (
    LOCALE_ASSIGNMENTS,
    LOCALES,
    SECURITY_PROFILE_ASSIGNMENTS,
    SECURITY_PROFILES,
    MongoDirectory,
    profile_of,
    profiles_assigned_to,
)
from shared.contracts.parties import Locale
from shared.http.documents import State
from shared.http.present import presenter_of
from shared.http.principal import UserType
from shared.mongo.codec import CODEC

_NOTHING = Credential()


class UserFacts:
    """Reads them, for a page of users at once: as many queries for a hundred as for one."""

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        directory: MongoDirectory,
        credentials: CredentialStore,
        activity: Activity,
    ) -> None:
        self._database = database.with_options(codec_options=CODEC)
        self._directory = directory
        self._credentials = credentials
        self._activity = activity

    async def of(self, internal_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """By internal ID and the wire's names: ``AvailableRoles`` (sorted),
        ``FailedLoginAttempts``, ``PasswordLastSetDate``, ``LastActive`` and ``Locale``."""
        users = await self._directory.accounts(internal_ids)
        credentials = await self._credentials.find_all(internal_ids)
        active = await self._activity.of(internal_ids)
        roles = await self._roles(users)
        locales = await self._locales(users)
        facts = {}
        for user in users:
            credential = credentials.get(user.internal_id, _NOTHING)
            facts[user.internal_id] = {
                "AvailableRoles": roles[user.internal_id],
                "FailedLoginAttempts": credential.failed_attempts,
                "PasswordLastSetDate": credential.password_set,
                "LastActive": active.get(user.internal_id),
                "Locale": locales.get(user.internal_id),
            }
        return facts

    async def _roles(self, users: Sequence[Account]) -> Mapping[str, list[str]]:
        if not users:
            return {}
        assigned = await self._states(
            SECURITY_PROFILE_ASSIGNMENTS, {"$or": [profiles_assigned_to(user) for user in users]}
        )
        ids = sorted({each["SecurityProfileID"] for each in assigned})
        profiles = {
            each["ID"]: profile_of(each)
            for each in await self._states(SECURITY_PROFILES, _present(ids))
        }
        roles = {}
        for user in users:
            held = union(
                profiles[each["SecurityProfileID"]]
                for each in assigned
                if _holds(each, user) and each["SecurityProfileID"] in profiles
            )
            roles[user.internal_id] = sorted(held.standard | held.custom)
        return roles

    async def _locales(self, users: Sequence[Account]) -> Mapping[str, dict[str, Any]]:
        buyers = {user.company_id for user in users if user.user_type is UserType.BUYER}
        if not buyers:
            return {}
        by_buyer: dict[str, list[State]] = defaultdict(list)
        for each in await self._states(
            LOCALE_ASSIGNMENTS, {"state.BuyerID": {"$in": sorted(buyers)}}
        ):
            by_buyer[each["BuyerID"]].append(each)
        chosen = {}
        for user in users:
            if user.user_type is UserType.BUYER:
                chosen[user.internal_id] = _most_specific(by_buyer[user.company_id], user)
        wanted = sorted({id for id in chosen.values() if id is not None})
        found = await self._states(LOCALES, _present(wanted))
        locales = {each["ID"]: presenter_of(Locale)(each) for each in found}
        return {internal_id: locales[id] for internal_id, id in chosen.items() if id in locales}

    async def _states(self, collection: str, query: dict[str, Any]) -> list[State]:
        found = self._database[collection].find(query, {"state": 1})
        return [each["state"] async for each in found]


def _present(ids: Sequence[str]) -> dict[str, Any]:
    return {"_id": {"$in": list(ids)}, "state": {"$ne": None}}


def _holds(assignment: State, user: Account) -> bool:
    """Whether an assignment of a profile is for ``user``."""
    buyer = user.company_id if user.user_type is UserType.BUYER else None
    supplier = user.company_id if user.user_type is UserType.SUPPLIER else None
    if (assignment.get("BuyerID"), assignment.get("SupplierID")) != (buyer, supplier):
        return False
    named, group = assignment.get("UserID"), assignment.get("UserGroupID")
    if named is not None:
        return bool(named == user.id)
    return group is None or group in user.group_ids


def _most_specific(assignments: Sequence[State], user: Account) -> str | None:
    """The locale of the user's group, or else of its buyer; of several the first by ID."""
    groups = sorted(
        each["LocaleID"] for each in assignments if each.get("UserGroupID") in user.group_ids
    )
    company = sorted(each["LocaleID"] for each in assignments if not each.get("UserGroupID"))
    return next(iter((*groups, *company)), None)
