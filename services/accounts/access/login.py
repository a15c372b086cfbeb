"""Proving who one is by a password, and giving a user another one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from services.accounts.access.credentials import NOBODY, Credential, CredentialStore
from services.accounts.access.passwords import Passwords
from services.accounts.access.policy import PasswordRules, insecure, strictest
from services.accounts.access.ports import Account, Directory
from services.accounts.access.refusals import locked_out, wrong_password
from shared.http.errors import ApiError, bad_request
from shared.http.principal import UserType
from shared.messaging.processor import Clock


@dataclass(frozen=True, slots=True)
class Proof:
    """Who proved himself, with a one-time password where ``once``."""

    user: Account
    credential: Credential
    rules: PasswordRules
    once: bool


class Logins:
    """Checks and sets passwords."""

    def __init__(
        self,
        directory: Directory,
        credentials: CredentialStore,
        passwords: Passwords,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._credentials = credentials
        self._passwords = passwords
        self._clock = clock
        self._checking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def rules(self, user: Account) -> PasswordRules:
        """What holds for the user's passwords."""
        profiles = await self._directory.profiles(user)
        return strictest(each.password_rules for each in profiles if each.password_rules)

    async def prove(
        self,
        user: Account | None,
        username: str,
        password: str,
        one_time: Callable[[str], Awaitable[bool]],
    ) -> Proof:
        """Lets pass who knows the user's password, or a one-time password for which ``one_time``,
        called with the user's internal ID, is true.

        Raises OAuthError: ``Auth.InvalidUsernameOrPassword``, after the same work where ``user``
        is None, and ``Auth.LockedOut``. A wrong password is counted.
        """
        account = user or _nobody(username)
        rules = await self.rules(account)
        name = username.casefold()
        lock = self._checking.get(name)
        if lock is None:
            lock = self._checking[name] = asyncio.Lock()
        # One after the other for a user: those who guess at the same time would all be counted
        # only after they had guessed.
        async with lock:
            found = await self._credentials.find(account.internal_id)
            now = self._clock()
            if user is not None and found.locked(now):
                raise locked_out()
            right = await self._passwords.matches(found.current, password)
            once = not right and await one_time(account.internal_id)
            if user is None or not (right or once):
                await self._credentials.add_failure(account.internal_id, rules, now)
                raise wrong_password()
            if found.failed_attempts:
                await self._credentials.unlock(account.internal_id)
        if right and found.current is not None and self._passwords.outdated(found.current):
            renewed = await self._passwords.hash(password)
            await self._credentials.rehash(account.internal_id, found.current, renewed)
        return Proof(user, found, rules, once)

    async def set(self, user: Account, password: str, *, own: bool) -> None:
        """Gives the user a password, and unlocks the account. Raises as :meth:`check` does."""
        await self.put(user, password, await self.check(user, password, own=own))

    async def put(self, user: Account, password: str, rules: PasswordRules) -> None:
        """As :meth:`set`, with the rules that the password was checked by."""
        await self._credentials.put(
            user.internal_id,
            await self._passwords.hash(password),
            keep=rules.limit_password_reuse or 1,
            now=self._clock(),
        )

    async def check(self, user: Account, password: str, *, own: bool) -> PasswordRules:
        """The rules for the user's passwords, which this one satisfies. ``own``: the user chooses
        it, and so must have had the last one for the least age that the rules name.

        Raises ApiError, 400: ``PasswordReset.InsecurePassword`` with the rules as its data,
        ``PasswordReset.CannotReusePassword``, ``PasswordReset.TooSoonToChange``.
        """
        rules = await self.rules(user)
        weak = insecure(password, rules)
        if weak is not None:
            raise ApiError(400, [weak])
        found = await self._credentials.find(user.internal_id)
        if own and rules.too_soon(found.password_set, self._clock()):
            raise bad_request(
                "PasswordReset.TooSoonToChange",
                f"The password was changed less than {rules.minimum_password_age} minutes ago;"
                " try again later, or ask an administrator to set it.",
                MinimumPasswordAge=rules.minimum_password_age,
            )
        for old in found.hashes[: rules.limit_password_reuse or 0]:
            if await self._passwords.matches(old, password):
                raise bad_request(
                    "PasswordReset.CannotReusePassword",
                    f"This is one of the last {rules.limit_password_reuse} passwords of the user;"
                    " choose another one.",
                    LimitPasswordReuse=rules.limit_password_reuse,
                )
        return rules


def _nobody(username: str) -> Account:
    return Account(NOBODY, NOBODY, username, UserType.BUYER, NOBODY, active=False)
