"""What has to be there before anyone can log in: made on the first start from the settings.

An API client with the ID and the secret of the settings, the user of the marketplace's owner that
it acts as, and a security profile that gives that user the role FullAccess. What is there stays as
it is, but for the secret, which follows the settings.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.accounts.access.client_secrets import LONGEST, SHORTEST
from services.accounts.access.passwords import Passwords
from services.accounts.http.directory import user_key
from shared.aggregates import IdentifierTaken
from shared.contracts.base import Resource
from shared.contracts.resources import (
    ADMIN_USER,
    API_CLIENT,
    SECURITY_PROFILE,
    SECURITY_PROFILE_ASSIGNMENT,
)
from shared.environment import SettingsError
from shared.http.documents import Documents
from shared.http.door import Door
from shared.http.principal import FULL_ACCESS, UserType

PROFILE_ID = "full-access"
USER_ID = "default-admin"
"""The ID and the username of the user that the API client acts as."""


@dataclass(frozen=True, slots=True)
class _Start:
    """Why it is made: this process starts."""

    id: str
    now: datetime
    trace: str | None = None


def check_admin_client(id: str, secret: str) -> bool:
    """Whether the settings name an API client to be made. Raises SettingsError where they name
    one half of it, or a secret that is too short."""
    if not id and not secret:
        return False
    if not id or not secret:
        raise SettingsError(
            "ORDERMESH_ADMIN_CLIENT_ID and ORDERMESH_ADMIN_CLIENT_SECRET belong together: set both"
            " or neither."
        )
    if not SHORTEST <= len(secret) <= LONGEST:
        raise SettingsError(
            f"ORDERMESH_ADMIN_CLIENT_SECRET has {len(secret)} characters and needs {SHORTEST} to"
            f" {LONGEST:,}: set a longer one, such as `openssl rand -base64 32` prints."
        )
    return True


class Bootstrap:
    """Makes them. Processes that start at once make them once."""

    def __init__(self, door: Door, passwords: Passwords) -> None:
        self._door = door
        self._passwords = passwords

    async def run(self) -> None:
        """Raises SettingsError for settings that cannot be used."""
        settings = self._door.resources.settings
        secret = settings.admin_client_secret.get_secret_value()
        if not check_admin_client(settings.admin_client_id, secret):
            return
        start = _Start(uuid.uuid4().hex, self._door.resources.clock())
        await self._keep(
            "SecurityProfile",
            PROFILE_ID,
            lambda: SECURITY_PROFILE.stored.model_validate(
                {"ID": PROFILE_ID, "Name": "Full access", "Roles": [FULL_ACCESS]}
            ),
            start,
        )
        await self._user(start)
        assignment = {"SecurityProfileID": PROFILE_ID, "UserID": USER_ID}
        await self._keep(
            "SecurityProfileAssignment",
            self._door.assignments["SecurityProfileAssignment"].key(assignment),
            lambda: SECURITY_PROFILE_ASSIGNMENT.stored.model_validate(assignment),
            start,
        )
        await self._client(settings.admin_client_id, secret, start)

    async def _user(self, start: _Start) -> None:
        state = {
            "ID": USER_ID,
            "Username": USER_ID,
            "FirstName": "Default",
            "LastName": "Admin",
            "Email": "admin@localhost",
            "Active": True,
            "DateCreated": start.now,
            "CompanyID": self._door.resources.settings.marketplace_id,
        }
        try:
            await self._keep(
                "AdminUser",
                user_key(UserType.ADMIN, "", USER_ID),
                lambda: ADMIN_USER.stored.model_validate(state),
                start,
            )
        except IdentifierTaken:
            raise SettingsError(
                f"The API client of ORDERMESH_ADMIN_CLIENT_ID acts as the user {USER_ID} of the"
                " marketplace's owner, which is gone, and another user has that username: give that"
                " user another one."
            ) from None

    async def _client(self, id: str, secret: str, start: _Start) -> None:
        stored = await self._documents("ApiClient").get(id)
        if stored is not None and await self._passwords.matches(stored.get("SecretHash"), secret):
            return
        hash = await self._passwords.hash(secret)

        def decide(before: Any) -> Any:
            if before is not None:
                return before.model_copy(update={"secret_hash": hash})
            return API_CLIENT.stored.model_validate(
                {
                    "ID": id,
                    "AppName": "Administration",
                    "AccessTokenDuration": 600,
                    "AllowSeller": True,
                    "DefaultContextUserName": USER_ID,
                    "SecretHash": hash,
                }
            )

        await self._documents("ApiClient").change(id, decide, start)

    async def _keep(self, kind: str, key: str, make: Callable[[], Resource], start: _Start) -> None:
        """Makes one where there is none."""
        await self._documents(kind).change(
            key, lambda before: make() if before is None else before, start
        )

    def _documents(self, kind: str) -> Documents:
        return self._door.documents[kind]
