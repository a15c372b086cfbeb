"""Every declared party, walked through by what is declared of it."""

from typing import Any

import pytest
from pymongo import AsyncMongoClient

from services.accounts.http import ASSIGNMENTS, KINDS
from shared.http.kinds import Assignment, Kind
from tests.support.api import api_under_test
from tests.support.assignments import Tie, walk_assignment
from tests.support.kinds import Sample, walk_kind
from tests.support.parties import COMPANIES, create_all

OF_BUYER = {"buyerID": "b1"}
OF_SUPPLIER = {"supplierID": "s1"}

_COMPANY = {"Name": "Acme", "Active": True, "xp": {"Region": "north"}}
_ADDRESS = {
    "AddressName": "Depot",
    "Street1": "Main 1",
    "City": "Boston",
    "State": "MA",
    "Zip": "02101",
    "Country": "US",
    "xp": {"Dock": "4"},
}
_NAMED = {"Name": "Alpha", "Description": "First", "xp": {"Code": "a1"}}


def _company() -> Sample:
    return Sample(
        body=_COMPANY,
        other={"Name": "Other", "Active": False},
        change={"Name": "Changed"},
        wrong={"Name": "x" * 101},
        computed=frozenset({"DefaultCatalogID"}),
    )


def _user(**parents: str) -> Sample:
    return Sample(
        body={
            "Username": "ada",
            "FirstName": "Ada",
            "LastName": "Byron",
            "Email": "ada@example.org",
            "Active": True,
            "xp": {"Desk": "7"},
        },
        other={
            "Username": "bob",
            "Password": "a long enough password",
            "FirstName": "Bob",
            "LastName": "Ross",
            "Email": "bob@example.org",
            "Active": False,
        },
        change={"Phone": "12345"},
        wrong={"Email": "nowhere"},
        parents=parents,
        computed=frozenset(
            {"AvailableRoles", "CompanyID", "FailedLoginAttempts", "PasswordLastSetDate"}
        ),
    )


def _group(**parents: str) -> Sample:
    return Sample(
        body=_NAMED,
        other={"Name": "Beta"},
        change={"Description": "Changed"},
        wrong={"Name": ""},
        parents=parents,
    )


def _address(**parents: str) -> Sample:
    return Sample(
        body=_ADDRESS,
        other={"Street1": "Ring 2", "City": "Wien", "Country": "AT"},
        change={"City": "Salem"},
        wrong={"Country": "US", "State": None},
        parents=parents,
    )


SAMPLES = {
    "Buyer": _company(),
    "Supplier": _company(),
    "User": _user(**OF_BUYER),
    "SupplierUser": _user(**OF_SUPPLIER),
    "AdminUser": _user(),
    "UserGroup": _group(**OF_BUYER),
    "SupplierUserGroup": _group(**OF_SUPPLIER),
    "AdminUserGroup": _group(),
    "Address": _address(**OF_BUYER),
    "SupplierAddress": _address(**OF_SUPPLIER),
    "AdminAddress": _address(),
    "CostCenter": _group(**OF_BUYER),
    "CreditCard": Sample(
        body={
            "Token": "tok_1",
            "CardType": "Visa",
            "PartialAccountNumber": "11111",
            "CardholderName": "Ada",
            "xp": {"Bank": "first"},
        },
        other={"Token": "tok_2"},
        change={"CardType": "Other"},
        wrong={"Token": "4111111111111111"},
        parents=OF_BUYER,
    ),
    "SpendingAccount": Sample(
        body={"Name": "Travel", "Balance": 100.5, "xp": {"Year": "2026"}},
        other={"Name": "Lunch", "Balance": 7},
        change={"Balance": 99.99, "AllowAsPaymentMethod": True},
        wrong={"Balance": 1.00001},
        parents=OF_BUYER,
    ),
}
TIES = {
    "SupplierBuyer": Tie({}, {**OF_SUPPLIER, **OF_BUYER}),
    "UserGroupAssignment": Tie({"UserGroupID": "g1", "UserID": "u1"}, OF_BUYER),
    "SupplierUserGroupAssignment": Tie({"UserGroupID": "g1", "UserID": "u1"}, OF_SUPPLIER),
    "AdminUserGroupAssignment": Tie({"UserGroupID": "g1", "UserID": "u1"}),
    "AddressAssignment": Tie(
        {"AddressID": "a1", "UserID": "u1", "IsShipping": True, "IsBilling": False}, OF_BUYER
    ),
    "CostCenterAssignment": Tie({"CostCenterID": "cc1", "UserGroupID": "g1"}, OF_BUYER),
    "CreditCardAssignment": Tie({"CreditCardID": "card1", "UserGroupID": "g1"}, OF_BUYER),
    "SpendingAccountAssignment": Tie({"SpendingAccountID": "sa1", "AllowExceed": True}, OF_BUYER),
}

DECLARED = [kind for kind in KINDS if kind.operations and kind.name in SAMPLES]


@pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.name)
async def test_a_party_does_what_its_declaration_says(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str, kind: Kind
) -> None:
    async with api_under_test(mongo, database_prefix, ("accounts", "checkout")) as api:
        await create_all(api, COMPANIES)

        await walk_kind(api, kind, SAMPLES[kind.name])


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda each: each.name)
async def test_an_assignment_does_what_its_declaration_says(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str, assignment: Assignment
) -> None:
    async with api_under_test(mongo, database_prefix, ("accounts", "checkout")) as api:
        await create_all(api)

        await walk_assignment(api, assignment, TIES[assignment.name])
