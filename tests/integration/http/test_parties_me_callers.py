"""Who may ask what at /me."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from shared.http.principal import UserType
from tests.support.api import TestApi, api_under_test, errors_of, principal
from tests.support.parties import COMPANIES, address, create_all, user


@pytest.fixture
async def api(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str
) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix, ("accounts", "checkout")) as api:
        await create_all(api, COMPANIES)
        yield api


async def test_groups_of_suppliers_and_the_marketplace_are_their_users(api: TestApi) -> None:
    callers = {
        "/suppliers/s1": principal(UserType.SUPPLIER, "s1", user="u"),
        "": principal(user="u"),
    }
    for path, caller in callers.items():
        users = f"{path}/users" if path else "/adminusers"
        groups = [(f"{path}/usergroups", {"ID": id, "Name": id}) for id in ("in", "out")]
        await create_all(api, [(users, user("u", f"u{path}".replace("/", "-"))), *groups])
        async with api.as_admin() as admin:
            member = {"UserGroupID": "in", "UserID": "u"}
            await admin.post(f"{path}/usergroups/assignments", json=member)

        async with api.client(caller) as client:
            listed = (await client.get("/me/usergroups")).json()["Items"]
            assert [each["ID"] for each in listed] == ["in"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "addresses"),
        ("GET", "creditcards"),
        ("GET", "costcenters"),
        ("GET", "spendingAccounts"),
        ("GET", "spendingaccounts/x"),
        ("GET", "sellers"),
        ("POST", "addresses"),
        ("DELETE", "creditcards/x"),
    ],
)
async def test_these_are_for_shoppers(api: TestApi, method: str, path: str) -> None:
    callers = [
        (principal(), "Auth.UserNotAuthorizedToAdmin"),
        (principal(UserType.SUPPLIER, "s1"), "Auth.UserNotAuthorizedToAdmin"),
        (principal(UserType.BUYER, "b1", "NoSuchRole"), "Auth.InsufficientRoles"),
    ]
    for caller, code in callers:
        async with api.client(caller) as client:
            refused = await client.request(method, f"/me/{path}", json=address(Shipping=True))
        assert (refused.status_code, errors_of(refused)) == (403, [code])
