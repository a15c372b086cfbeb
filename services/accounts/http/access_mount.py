"""The part of the accounts service's HTTP side that decides who comes in, put together.

Whoever mounts the service makes an :class:`AccessSide` and serves what it has beside its own.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from services.accounts.access.wiring import Access, build_access
from services.accounts.http import locales
from services.accounts.http.activity import Activity, NotingAuthenticator
from services.accounts.http.api_clients import (
    ASSIGNMENTS,
    ClientRules,
    SecretOperations,
    clients,
    secrets,
)
from services.accounts.http.bootstrap import Bootstrap
from services.accounts.http.directory import MongoDirectory
from services.accounts.http.forgotten import ForgottenCredentials
from services.accounts.http.impersonation import CONFIGS
from services.accounts.http.me_profile import Me
from services.accounts.http.oauth import oauth_operations
from services.accounts.http.security_profiles import PROFILE_ASSIGNMENTS, PROFILES
from services.accounts.http.user_facts import UserFacts
from services.accounts.http.user_passwords import UserPasswords
from services.accounts.http.xp_indices import INDICES, ensure_own
from services.accounts.mailing import Background, Letters, mailer_of
from shared.http.app import Authenticator
from shared.http.door import Door
from shared.http.kinds import Assignment, Kind
from shared.http.mount import Mount
from shared.http.operations import Operation
from shared.periodic import periodically
from shared.service import Task

NAME = "accounts"
_ROTATE_EVERY = 1_800.0


class AccessSide:
    """Access over HTTP.

    ``kinds`` and ``assignments`` belong into the service's Door; that given, ``operations``,
    ``prepare`` and ``tasks`` are what is served, done first and done beside. ``authenticator``
    reads tokens. ``passwords`` is for the rules of those who keep the users.
    """

    def __init__(self, mount: Mount) -> None:
        resources = mount.resources
        settings = resources.settings
        database = resources.database(NAME)
        self._mount = mount
        self.directory = MongoDirectory(database, settings.marketplace_id)
        self.access: Access = build_access(
            database,
            self.directory,
            resources.clock,
            issuer=mount.issuer,
            audience=mount.issuer,
        )
        self.background = Background()
        self._mailer = mailer_of(settings)
        self._clients = ClientRules(self.directory, self.access.passwords)
        self.kinds: Sequence[Kind] = (
            PROFILES,
            CONFIGS,
            locales.KIND,
            clients(self._clients),
            secrets(self._clients),
        )
        self.assignments: Sequence[Assignment] = (
            PROFILE_ASSIGNMENTS,
            ASSIGNMENTS,
            locales.ASSIGNMENTS,
            INDICES,
        )
        activity = Activity(database)
        self.facts = UserFacts(database, self.directory, self.access.credentials, activity)
        self.passwords = UserPasswords(
            self.access.logins,
            self.access.credentials,
            self.access.user_tokens,
            activity,
            self.facts,
        )
        self.authenticator: Authenticator = NotingAuthenticator(
            self.access.verifier, activity, resources.clock
        )

    def operations(self, door: Door) -> list[Operation]:
        """The routes that are no declarations."""
        settings = self._mount.resources.settings
        forgotten = ForgottenCredentials(
            self.access,
            self.directory,
            Letters(settings.mail_from),
            self._mailer,
            self.background,
            settings.http_origins,
        )
        return [
            *forgotten.operations(),
            *Me(door, self.access, self.directory, self.facts).operations(),
            *oauth_operations(self.access, self.directory, self._mount.issuer),
            *SecretOperations(door, self._clients).operations(),
        ]

    def prepare(self, door: Door) -> list[Callable[[], Awaitable[None]]]:
        """What has to be done before the first request, after the Door's own."""
        return [
            self.directory.prepare,
            self.access.prepare,
            Bootstrap(door, self.access.passwords).run,
            partial(ensure_own, door),
        ]

    def tasks(self) -> list[Task]:
        """What goes on beside the requests."""
        return [
            self._send_mails,
            partial(
                periodically,
                self.access.keys.rotate,
                _ROTATE_EVERY,
                service="api",
                metrics=self._mount.resources.metrics,
            ),
        ]

    async def _send_mails(self) -> None:
        try:
            await self.background.run()
        finally:
            if self._mailer is not None:
                await self._mailer.close()
