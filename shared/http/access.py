"""Who may call an operation: the type of user, the roles, the company."""

from shared.http.errors import ApiError, forbidden, insufficient_roles, not_found
from shared.http.operations import Call
from shared.http.principal import Principal, UserType

_OWN_COMPANY = {
    UserType.BUYER: ("buyerID", "Buyer"),
    UserType.SUPPLIER: ("supplierID", "Supplier"),
}


def authorize(call: Call) -> None:
    """Raises :class:`ApiError`: 403 where type or roles do not suffice, and 404 for a company
    that is not the caller's, as if there were none."""
    operation, principal = call.operation, call.principal
    if principal.user_type not in operation.users:
        raise _wrong_type(call, principal)
    if operation.roles and not principal.has_any(operation.roles):
        raise insufficient_roles(operation.roles, principal.roles)
    own = _OWN_COMPANY.get(principal.user_type)
    if own is not None:
        parameter, kind = own
        named = call.path.get(parameter)
        if named is not None and named != principal.company_id:
            raise not_found(kind, named)


def _wrong_type(call: Call, principal: Principal) -> ApiError:
    allowed = sorted(call.operation.users)
    return forbidden(
        "Auth.UserNotAuthorizedToAdmin",
        f"{call.operation.name} is for users of type {', '.join(allowed)}, and this token is of a"
        f" {principal.user_type} user: use another token.",
        UserTypes=allowed,
    )
