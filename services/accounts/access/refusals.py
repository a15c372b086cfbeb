"""Why the token endpoint gives no token: RFC 6749's names and OrderCloud's codes in one body."""

from enum import StrEnum
from typing import Any

from shared.http.errors import ApiError, error


class OAuthName(StrEnum):
    """The values of ``error`` in RFC 6749, section 5.2, and one of section 4.1.2.1."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"


class OAuthError(ApiError):
    """No token. The body is ``{error, error_description, Errors}``. The status is 401 for a
    client that did not prove itself, 429 and 503 where trying later helps, and else 400."""

    def __init__(
        self, name: OAuthName, refusal: ApiError, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(refusal.status, refusal.errors, headers or refusal.headers)
        self.name = name

    def body(self) -> dict[str, Any]:
        return {
            "error": self.name.value,
            "error_description": self.errors[0].message,
            **super().body(),
        }


def refuse(
    name: OAuthName, code: str, message: str, *, status: int = 0, retry_after: int = 0, **data: Any
) -> OAuthError:
    """An error to raise. ``retry_after`` is in seconds."""
    usual = 401 if name is OAuthName.INVALID_CLIENT else 400
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    return OAuthError(
        name, ApiError(status or usual, [error(code, message, **data)]), headers=headers
    )


def wrong_password() -> OAuthError:
    """The same words whether the user exists or not."""
    return refuse(
        OAuthName.INVALID_GRANT,
        "Auth.InvalidUsernameOrPassword",
        "The username or the password is wrong; try again, or have a new password sent.",
    )


def locked_out() -> OAuthError:
    return refuse(
        OAuthName.INVALID_GRANT,
        "Auth.LockedOut",
        "There were too many wrong passwords for this user: wait for the lock-out to end, or ask"
        " an administrator to unlock the account.",
    )


def too_many_failures(seconds: int) -> OAuthError:
    return refuse(
        OAuthName.TEMPORARILY_UNAVAILABLE,
        "Auth.LockedOut",
        f"There were too many wrong passwords or secrets from this address: try again in"
        f" {seconds} seconds.",
        status=429,
        retry_after=seconds,
    )
