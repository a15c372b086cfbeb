"""Forgotten passwords: codes that are sent, and what they are good for."""

from services.accounts.access.codes import CodeStore, Purpose
from services.accounts.access.credentials import NOBODY
from services.accounts.access.lockout import AddressLimits
from services.accounts.access.login import Logins
from services.accounts.access.ports import Account, Directory
from services.accounts.access.user_tokens import UserTokens
from shared.http.errors import ApiError, bad_request, error
from shared.messaging.processor import Clock

_LONGEST_CODE = 200


class Recovery:
    """Issues codes and resets passwords by them. Sending them is for others."""

    def __init__(
        self,
        *,
        directory: Directory,
        logins: Logins,
        codes: CodeStore,
        tokens: UserTokens,
        addresses: AddressLimits,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._logins = logins
        self._codes = codes
        self._tokens = tokens
        self._addresses = addresses
        self._clock = clock

    async def verification_code(self, user: Account, client_id: str) -> str:
        """A code that resets the user's password once, within an hour, with this client."""
        return await self._codes.issue(
            Purpose.VERIFICATION, user.internal_id, client_id, self._clock()
        )

    async def one_time_password(self, user: Account, client_id: str) -> str:
        """A password that logs the user in once, within 15 minutes, with this client."""
        return await self._codes.issue(
            Purpose.ONE_TIME_PASSWORD, user.internal_id, client_id, self._clock()
        )

    async def reset(
        self, client_id: str, username: str, code: str, password: str, address: str
    ) -> None:
        """Gives the user another password, unlocks the account and revokes all tokens of the user.
        A code whose new password is refused can be used again.

        Raises ApiError: 400 ``PasswordReset.InvalidVerification`` for a code that does not hold
        for this user and client, and what :meth:`.login.Logins.check` raises; 429
        ``PasswordReset.LockedOut`` after too many of them from this address.
        """
        seconds = self._addresses.seconds_to_wait(address)
        if seconds:
            raise ApiError(
                429,
                [
                    error(
                        "PasswordReset.LockedOut",
                        f"There were too many failures from this address: try again in {seconds}"
                        " seconds.",
                    )
                ],
                {"Retry-After": str(seconds)},
            )
        now = self._clock()
        user = await self._directory.user_by_username(username)
        proof = (
            Purpose.VERIFICATION,
            NOBODY if user is None else user.internal_id,
            client_id,
            code[:_LONGEST_CODE],
            now,
        )
        if not await self._codes.holds(*proof) or user is None:
            self._addresses.failed(address)
            raise _invalid()
        rules = await self._logins.check(user, password, own=True)
        if not await self._codes.use(*proof):
            raise _invalid()
        await self._logins.put(user, password, rules)
        await self._tokens.revoke(user.internal_id)


def _invalid() -> ApiError:
    return bad_request(
        "PasswordReset.InvalidVerification",
        "The verification code is not one of this user and API client, was used or has expired:"
        " have another one sent.",
    )
