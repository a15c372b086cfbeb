"""Errors as the HTTP API answers them: one envelope, one tree.

The envelope is OrderCloud's: ``{"Errors": [{"ErrorCode", "Message", "Data"}]}``. Its SDK reads the
first error, and of a ``NotFound`` it reads ``Data.ObjectType`` and ``Data.ObjectID``.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.contracts.base import Error


class ApiError(Exception):
    """A request is refused: the HTTP ``status`` and all that is wrong."""

    def __init__(
        self, status: int, errors: Sequence[Error], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {', '.join(error.error_code for error in errors)}")
        self.status = status
        self.errors = tuple(errors)
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        return envelope(self.errors)


def envelope(errors: Iterable[Error]) -> dict[str, Any]:
    return {
        "Errors": [
            {"ErrorCode": error.error_code, "Message": error.message, "Data": error.data}
            for error in errors
        ]
    }


def error(code: str, message: str, **data: Any) -> Error:
    """One error; ``data`` are the fields of its ``Data``, which is null without any."""
    return Error(error_code=code, message=message, data=data or None)


def bad_request(code: str, message: str, **data: Any) -> ApiError:
    return ApiError(400, [error(code, message, **data)])


def conflict(code: str, message: str, **data: Any) -> ApiError:
    return ApiError(409, [error(code, message, **data)])


def not_found(object_type: str, id: str) -> ApiError:
    """There is nothing of this kind with this ID that the caller may see."""
    return ApiError(
        404,
        [
            error(
                "NotFound",
                f"There is no {object_type} with ID {id}; check the ID.",
                ObjectType=object_type,
                ObjectID=id,
            )
        ],
    )


def id_exists(object_type: str, id: str) -> ApiError:
    return conflict(
        "IdExists",
        f"There is a {object_type} with ID {id} already; choose another ID, or change the one"
        " there is with PUT or PATCH.",
        ObjectType=object_type,
        ObjectID=id,
    )


def unauthorized(code: str, message: str) -> ApiError:
    """No token, or one that does not hold. ``WWW-Authenticate`` is RFC 6750's."""
    return ApiError(401, [error(code, message)], {"WWW-Authenticate": 'Bearer realm="ordermesh"'})


def insufficient_roles(needed: Sequence[str], had: Iterable[str]) -> ApiError:
    """The token holds, and lets its user do other things. ``needed``: any one of these would do."""
    return ApiError(
        403,
        [
            error(
                "Auth.InsufficientRoles",
                f"This needs one of the roles {', '.join(needed)}: assign a security profile that"
                " has one, and ask for it in the scope of the token.",
                SufficientRoles=list(needed),
                AssignedRoles=sorted(had),
            )
        ],
    )


def forbidden(code: str, message: str, **data: Any) -> ApiError:
    return ApiError(403, [error(code, message, **data)])
