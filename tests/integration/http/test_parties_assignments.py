"""Assignments to users, groups and whole buyers: levels, and what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from tests.support.api import TestApi, api_under_test, errors_of
from tests.support.parties import create_all

Mongo = AsyncMongoClient[dict[str, Any]]
ADDRESSES = "/buyers/b1/addresses/assignments"


@pytest.fixture
async def api(mongo: Mongo, database_prefix: str) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix, ("accounts", "checkout")) as api:
        await create_all(api)
        yield api


async def test_an_assignment_has_one_of_three_levels(api: TestApi) -> None:
    levels: dict[str, dict[str, str]] = {
        "Company": {},
        "Group": {"UserGroupID": "g1"},
        "User": {"UserID": "u1"},
    }
    body = {"AddressID": "a1", "IsShipping": True, "IsBilling": False}
    async with api.as_admin() as client:
        for party in levels.values():
            assert (await client.post(ADDRESSES, json={**body, **party})).status_code == 204

        every = (await client.get(ADDRESSES)).json()
        of_level = {
            level: (await client.get(ADDRESSES, params={"level": level})).json()["Items"]
            for level in levels
        }

        assert every["Meta"]["TotalCount"] == 3
        nobody = {"UserID": None, "UserGroupID": None}
        assert of_level == {level: [{**body, **nobody, **party}] for level, party in levels.items()}
        # Each is taken back by itself.
        for party in ({"userID": "u1"}, {"userGroupID": "g1"}, {}):
            gone = await client.delete("/buyers/b1/addresses/a1/assignments", params=party)
            assert gone.status_code == 204
        assert (await client.get(ADDRESSES)).json()["Items"] == []


async def test_what_is_assigned_again_is_replaced(api: TestApi) -> None:
    async with api.as_admin() as client:
        for flags in ({"IsShipping": True}, {"IsBilling": True}):
            await client.post(ADDRESSES, json={"AddressID": "a1", **flags})

        listed = (await client.get(ADDRESSES)).json()["Items"]
        shipping = (await client.get(ADDRESSES, params={"isShipping": "true"})).json()["Items"]

    assert [(each["IsShipping"], each["IsBilling"]) for each in listed] == [(False, True)]
    assert shipping == []


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("addresses", {"AddressID": "a1"}, "AddressAssignment.MustBeBillingOrShipping"),
        (
            "addresses",
            {"AddressID": "a1", "IsBilling": True, "UserID": "u1", "UserGroupID": "g1"},
            "PartyAssignment.CannotSpecifyGroupAndUser",
        ),
        ("costcenters", {"CostCenterID": "cc1", "UserID": "u1"}, "ValidationFailure"),
        ("costcenters", {"UserGroupID": "g1"}, "ValidationFailure"),
        ("creditcards", {"CreditCardID": "a/b"}, "ValidationFailure"),
    ],
)
async def test_what_cannot_be_assigned_is_refused(
    api: TestApi, path: str, body: dict[str, Any], code: str
) -> None:
    async with api.as_admin() as client:
        refused = await client.post(f"/buyers/b1/{path}/assignments", json=body)

        assert (refused.status_code, errors_of(refused)) == (400, [code])
        assert (await client.get(f"/buyers/b1/{path}/assignments")).json()["Items"] == []


async def test_a_cost_center_is_of_no_single_user(api: TestApi) -> None:
    async with api.as_admin() as client:
        path = "/buyers/b1/costcenters"
        await client.post(f"{path}/assignments", json={"CostCenterID": "cc1"})

        listed = await client.get(f"{path}/assignments", params={"level": "User"})
        deleted = await client.delete(f"{path}/cc1/assignments", params={"userID": "u1"})

        for refused in (listed, deleted):
            assert (refused.status_code, errors_of(refused)) == (
                400,
                ["PartyAssignment.UserLevelNotAllowed"],
            )
        assert (await client.get(f"{path}/assignments")).json()["Meta"]["TotalCount"] == 1


async def test_assignments_follow_what_is_renamed_and_go_with_what_is_deleted(
    api: TestApi,
) -> None:
    body = {"AddressID": "a1", "UserGroupID": "g1", "IsShipping": True}
    async with api.as_admin() as client:
        await client.post(ADDRESSES, json=body)
        await client.patch("/buyers/b1/addresses/a1", json={"ID": "a2"})
        await client.patch("/buyers/b1/usergroups/g1", json={"ID": "g2"})

        (followed,) = (await client.get(ADDRESSES)).json()["Items"]
        await client.delete("/buyers/b1/usergroups/g2")
        left = (await client.get(ADDRESSES)).json()["Items"]

    assert (followed["AddressID"], followed["UserGroupID"]) == ("a2", "g2")
    assert left == []


async def test_assignments_of_another_buyer_are_not_touched(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.post("/buyers", json={"ID": "b2", "Name": "Other"})
        for buyer in ("b1", "b2"):
            path = f"/buyers/{buyer}/costcenters"
            await client.put(f"{path}/cc1", json={"Name": "Cost"})
            await client.post(f"{path}/assignments", json={"CostCenterID": "cc1"})

        await client.delete("/buyers/b1/costcenters/cc1")

        mine = (await client.get("/buyers/b1/costcenters/assignments")).json()["Items"]
        theirs = (await client.get("/buyers/b2/costcenters/assignments")).json()["Items"]
    assert (mine, len(theirs)) == ([], 1)
