"""Users who move to another buyer, and those that API clients act as."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from tests.support.api import TestApi, api_under_test, errors_of
from tests.support.parties import COMPANIES, create_all, credentials, stored_user, user

Mongo = AsyncMongoClient[dict[str, Any]]
SECRET = "correct horse battery"
ABOVE = (*COMPANIES, ("/buyers", {"ID": "b2", "Name": "Second"}))


@pytest.fixture
async def api(mongo: Mongo, database_prefix: str) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix, ("accounts", "checkout")) as api:
        await create_all(api, ABOVE)
        yield api


async def test_a_user_moves_with_password_and_own_things_and_leaves_its_groups(
    api: TestApi,
) -> None:
    async with api.as_admin() as client:
        await client.post("/buyers/b1/users", json=user("u1", "ada", Password=SECRET))
        await client.post("/buyers/b1/usergroups", json={"ID": "g1", "Name": "Group"})
        member = {"UserGroupID": "g1", "UserID": "u1"}
        await client.post("/buyers/b1/usergroups/assignments", json=member)
        before = await stored_user(api, "buyers/b1/u1")

        moved = await client.post("/buyers/b1/users/u1/moveto/b2")

        assert moved.status_code == 201
        assert moved.json() == (await client.get("/buyers/b2/users/u1")).json()
        assert moved.json()["CompanyID"] == "b2"
        assert (await client.get("/buyers/b1/users/u1")).status_code == 404
        assert (await client.get("/buyers/b1/usergroups/assignments")).json()["Items"] == []
    after = await stored_user(api, "buyers/b2/u1")
    assert after == {**before, "BuyerID": "b2", "CompanyID": "b2"}
    kept = (await credentials(api))[before["InternalID"]]
    assert (len(kept["Hashes"]), kept["TokensValidAfter"]) == (1, api.clock())
    assert (await api.events("accounts", "users", "buyers/b1/u1"))[-1] == "UserDeleted"
    assert await api.events("accounts", "users", "buyers/b2/u1") == ["UserSaved"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("u1/moveto/nowhere", 404, "NotFound"),
        ("nobody/moveto/b2", 404, "NotFound"),
        ("u1/moveto/b1", 400, "ValidationFailure"),
        ("u1/moveto/b2?orders=All", 400, "ValidationFailure"),
        ("u1/moveto/b2?orders=Some", 400, "ValidationFailure"),
        ("taken/moveto/b2", 409, "IdExists"),
    ],
)
async def test_a_move_that_cannot_be_changes_nothing(
    api: TestApi, path: str, status: int, code: str
) -> None:
    async with api.as_admin() as client:
        for buyer, id in (("b1", "u1"), ("b1", "taken"), ("b2", "taken")):
            await client.post(f"/buyers/{buyer}/users", json=user(id, f"{buyer}{id}"))
        users = api.resources.database("accounts")["users"]
        before = await users.find().sort("_id").to_list()

        refused = await client.post(f"/buyers/b1/users/{path}")

        assert (refused.status_code, errors_of(refused)) == (status, [code])
        assert await users.find().sort("_id").to_list() == before


async def test_a_move_that_was_interrupted_is_completed(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.post("/buyers/b1/users", json=user("u1", "ada"))
        users = api.resources.database("accounts")["users"]
        document = await users.find_one({"_id": "buyers/b1/u1"})
        assert document is not None
        moving = {"$set": {"state.MovingTo": "buyers/b2/u1"}}
        await users.update_one({"_id": "buyers/b1/u1"}, moving)
        there = {**document, "_id": "buyers/b2/u1"}
        there["state"] = {**document["state"], "BuyerID": "b2", "CompanyID": "b2"}
        await users.insert_one(there)

        moved = await client.post("/buyers/b1/users/u1/moveto/b2?orders=None")

        assert moved.status_code == 201
        assert (await client.get("/buyers/b1/users/u1")).status_code == 404
        assert (await client.get("/buyers/b2/users/u1")).json() == moved.json()


async def client_of(api: TestApi, username: str) -> str:
    """An API client that acts as ``username``."""
    async with api.as_admin() as client:
        made = await client.post(
            "/apiclients",
            json={
                "AppName": "App",
                "AccessTokenDuration": 60,
                "DefaultContextUserName": username,
                "AllowAnyBuyer": True,
            },
        )
        assert made.status_code == 201, made.text
        return str(made.json()["ID"])


async def test_the_user_that_a_client_acts_as_stays_and_may_be_called_otherwise(
    api: TestApi,
) -> None:
    async with api.as_admin() as client:
        await client.post("/buyers/b1/users", json=user("u1", "ada"))
        acting = await client_of(api, "ADA")

        deleted = await client.delete("/buyers/b1/users/u1")
        moved = await client.post("/buyers/b1/users/u1/moveto/b2")
        renamed = await client.patch("/buyers/b1/users/u1", json={"Username": "eve"})

        assert (deleted.status_code, errors_of(deleted)) == (
            409,
            ["User.CannotDeleteDefaultContextUser"],
        )
        assert (moved.status_code, errors_of(moved)) == (
            409,
            ["User.CannotMoveDefaultContextUser"],
        )
        assert renamed.status_code == 200
        found = (await client.get(f"/apiclients/{acting}")).json()
        assert found["DefaultContextUserName"] == "eve"
