"""Who names companies, groups and users, and so goes or follows with them: one table.

A module that declares a kind with such a field adds it here.
"""

from shared.http.kinds import Cascade

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
)
_OF_SUPPLIER = (
    "SupplierUserGroupAssignment",
    "SupplierAddress",
    "SupplierUserGroup",
    "SupplierUser",
    "SupplierBuyer",
)

OF_BUYER = tuple(Cascade(name, "BuyerID") for name in _OF_BUYER)
OF_SUPPLIER = tuple(Cascade(name, "SupplierID") for name in _OF_SUPPLIER)

OF_USER_GROUP = tuple(
    Cascade(name, "UserGroupID")
    for name in (
        "UserGroupAssignment",
        "AddressAssignment",
        "CostCenterAssignment",
        "CreditCardAssignment",
        "SpendingAccountAssignment",
    )
)
OF_SUPPLIER_USER_GROUP = (Cascade("SupplierUserGroupAssignment", "UserGroupID"),)
OF_ADMIN_USER_GROUP = (Cascade("AdminUserGroupAssignment", "UserGroupID"),)

OF_USER = tuple(
    Cascade(name, "UserID")
    for name in (
        "UserGroupAssignment",
        "AddressAssignment",
        "CreditCardAssignment",
        "SpendingAccountAssignment",
    )
)
OF_SUPPLIER_USER = (Cascade("SupplierUserGroupAssignment", "UserID"),)
OF_ADMIN_USER = (Cascade("AdminUserGroupAssignment", "UserID"),)
