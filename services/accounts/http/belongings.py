"""Who names companies, groups and users, and so goes or follows with them: one table.

A module that declares a kind with such a field adds it here.
"""

from shared.http.kinds import Cascade, Refuse

_OF_BUYER = (
    "UserGroupAssignment",
    "AddressAssignment",
    "CostCenterAssignment",
    "CreditCardAssignment",
    "SpendingAccountAssignment",
    "Address",
    "CostCenter",
    "CreditCard",
    "SpendingAccount",
    "UserGroup",
    "User",
    "SupplierBuyer",
    "ApiClientAssignment",
    "SecurityProfileAssignment",
    "LocaleAssignment",
)
_OF_SUPPLIER = (
    "SupplierUserGroupAssignment",
    "SupplierAddress",
    "SupplierUserGroup",
    "SupplierUser",
    "SupplierBuyer",
    "ApiClientAssignment",
    "SecurityProfileAssignment",
)


def _acting(field: str) -> Cascade:
    """Impersonation configs by which one of a company acts as others."""
    return Cascade("ImpersonationConfig", field, company="ImpersonationBuyerID")


def _as(field: str) -> Refuse:
    return Refuse(
        "ImpersonationConfig",
        field,
        "Impersonation.CannotDeleteImpersonateeParty",
        "An impersonation config lets others act as this one: delete that config first.",
    )


IMPERSONATED_BUYER = _as("BuyerID")
IMPERSONATED_USER_GROUP = _as("GroupID")
IMPERSONATED_USER = _as("UserID")
"""What keeps a party from being deleted."""

OF_BUYER = (
    *(Cascade(name, "BuyerID") for name in _OF_BUYER),
    Cascade("ImpersonationConfig", "ImpersonationBuyerID"),
)
OF_SUPPLIER = tuple(Cascade(name, "SupplierID") for name in _OF_SUPPLIER)

OF_USER_GROUP = (
    *(
        Cascade(name, "UserGroupID")
        for name in (
            "UserGroupAssignment",
            "AddressAssignment",
            "CostCenterAssignment",
            "CreditCardAssignment",
            "SpendingAccountAssignment",
            "SecurityProfileAssignment",
            "LocaleAssignment",
        )
    ),
    Cascade("ImpersonationConfig", "GroupID"),
    _acting("ImpersonationGroupID"),
)
OF_SUPPLIER_USER_GROUP = (
    Cascade("SupplierUserGroupAssignment", "UserGroupID"),
    Cascade("SecurityProfileAssignment", "UserGroupID"),
)
OF_ADMIN_USER_GROUP = (
    Cascade("AdminUserGroupAssignment", "UserGroupID"),
    Cascade("SecurityProfileAssignment", "UserGroupID"),
    _acting("ImpersonationGroupID"),
)

OF_USER = (
    *(
        Cascade(name, "UserID")
        for name in (
            "UserGroupAssignment",
            "AddressAssignment",
            "CreditCardAssignment",
            "SpendingAccountAssignment",
            "SecurityProfileAssignment",
            "ImpersonationConfig",
        )
    ),
    _acting("ImpersonationUserID"),
)
OF_SUPPLIER_USER = (
    Cascade("SupplierUserGroupAssignment", "UserID"),
    Cascade("SecurityProfileAssignment", "UserID"),
)
OF_ADMIN_USER = (
    Cascade("AdminUserGroupAssignment", "UserID"),
    Cascade("SecurityProfileAssignment", "UserID"),
    _acting("ImpersonationUserID"),
)
