"""Users: names, passwords, groups, moves, and what stays of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from shared.messaging.outbox import entries_in
from tests.support.api import TestApi, api_under_test, errors_of
from tests.support.parties import COMPANIES, EVERYTHING, create_all, credentials, stored_user, user

Mongo = AsyncMongoClient[dict[str, Any]]
SECRET = "correct horse battery"
ABOVE = (*COMPANIES, ("/buyers", {"ID": "b2", "Name": "Second"}))


@pytest.fixture
async def api(mongo: Mongo, database_prefix: str) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix, ("accounts", "checkout")) as api:
        await create_all(api, ABOVE)
        yield api


async def test_a_username_is_of_one_user_over_all_companies(api: TestApi) -> None:
    async with api.as_admin() as client:
        assert (await client.post("/buyers/b1/users", json=user("u1", "Ada"))).status_code == 201
        taken = [
            await client.post("/buyers/b1/users", json=user("u2", "ada")),
            await client.post("/buyers/b2/users", json=user("u1", "Ada")),
            await client.post("/suppliers/s1/users", json=user("u1", "Ada")),
            await client.put("/adminusers/u1", json=user("u1", "ADA")),
        ]
        assert (await client.post("/adminusers", json=user("u2", "eve"))).status_code == 201
        taken.append(await client.patch("/adminusers/u2", json={"Username": "ada"}))

        assert [(each.status_code, errors_of(each)) for each in taken] == [
            (409, ["User.UsernameMustBeUnique"])
        ] * 5
        assert (await client.get("/adminusers/u2")).json()["Username"] == "eve"
        # Who is gone leaves the name.
        assert (await client.delete("/buyers/b1/users/u1")).status_code == 204
        assert (await client.post("/suppliers/s1/users", json=user("u1", "Ada"))).status_code == 201


async def test_two_who_ask_for_a_name_at_once_do_not_both_get_it(api: TestApi) -> None:
    async with api.as_admin() as client:
        made = await asyncio.gather(
            *(client.post(f"/buyers/b{n}/users", json=user("u", "same")) for n in (1, 2))
        )

    assert sorted(each.status_code for each in made) == [201, 409]


async def test_a_user_who_is_renamed_keeps_name_identity_password_and_groups(api: TestApi) -> None:
    async with api.as_admin() as client:
        made = await client.post(
            "/buyers/b1/users", json=user("old", "ada", Password=SECRET, xp={"a": 1})
        )
        await client.post("/buyers/b1/usergroups", json={"ID": "g1", "Name": "Group"})
        member = {"UserGroupID": "g1", "UserID": "old"}
        await client.post("/buyers/b1/usergroups/assignments", json=member)
        before = await stored_user(api, "buyers/b1/old")

        renamed = await client.patch("/buyers/b1/users/old", json={"ID": "new"})

        after = await stored_user(api, "buyers/b1/new")
        assert renamed.json() == {**made.json(), "ID": "new"}
        assert after == {**before, "ID": "new"}
        members = await client.get("/buyers/b1/usergroups/assignments")
        assert members.json()["Items"] == [{"UserGroupID": "g1", "UserID": "new"}]
        kept = await credentials(api)
        assert len(kept[before["InternalID"]]["Hashes"]) == 1
        # The tokens that say the old ID hold no longer.
        assert kept[before["InternalID"]]["TokensValidAfter"] == api.clock()
        again = await client.post("/buyers/b2/users", json=user("x", "ada"))
        assert errors_of(again) == ["User.UsernameMustBeUnique"]


async def test_a_put_replaces_all_but_who_the_user_is(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.post("/buyers/b1/users", json=user("u1", "ada", Phone="1"))
        before = await stored_user(api, "buyers/b1/u1")

        await client.put("/buyers/b1/users/u1", json=user("u1", "eve"))

        after = await stored_user(api, "buyers/b1/u1")
    del before["Phone"]
    assert after == {**before, "Username": "eve"}


async def test_puts_of_a_new_user_at_once_make_one_identity(api: TestApi) -> None:
    async with api.as_admin() as client:
        puts = await asyncio.gather(
            *(
                client.put("/buyers/b1/users/u1", json=user("u1", "ada", Password=f"{SECRET} {n}"))
                for n in range(4)
            )
        )

    assert [each.status_code for each in puts] == [200] * 4
    assert list(await credentials(api)) == [(await stored_user(api, "buyers/b1/u1"))["InternalID"]]


async def test_a_password_is_kept_apart_and_shown_to_nobody(api: TestApi) -> None:
    async with api.as_admin() as client:
        made = await client.post("/buyers/b1/users", json=user("u1", Password=SECRET))
        got = await client.get("/buyers/b1/users/u1")
        listed = await client.get("/buyers/b1/users")
        filtered = await client.get("/buyers/b1/users", params={"Password": SECRET})

    assert got.json() == made.json() == listed.json()["Items"][0]
    assert "Password" not in made.json()
    assert made.json()["CompanyID"] == "b1"
    assert made.json()["FailedLoginAttempts"] == 0
    assert made.json()["PasswordLastSetDate"] == "2026-01-02T03:04:05.000+00:00"
    assert errors_of(filtered) == ["List.InvalidProperty"]
    document = await api.resources.database("accounts")["users"].find_one()
    assert SECRET not in str(document)
    assert document is not None
    (event,) = entries_in(document)
    assert event.type == "UserSaved"
    assert document["state"]["InternalID"] not in event.body
    assert SECRET not in event.body


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_weak_password_changes_nothing(api: TestApi, method: str) -> None:
    async with api.as_admin() as client:
        if method == "PATCH":
            await client.post("/buyers/b1/users", json=user("u1"))
        path = "/buyers/b1/users" if method == "POST" else "/buyers/b1/users/u1"
        sent = {"Password": "short", "Phone": "1"}
        body = sent if method == "PATCH" else user("u1", **sent)

        refused = await client.request(method, path, json=body)

        assert (refused.status_code, errors_of(refused)) == (
            400,
            ["PasswordReset.InsecurePassword"],
        )
        found = await client.get("/buyers/b1/users/u1")
    if method == "PATCH":
        assert found.json()["Phone"] is None
    else:
        assert found.status_code == 404
    assert await credentials(api) == {}


@pytest.mark.parametrize("path", ["/buyers/b1/users", "/suppliers/s1/users", "/adminusers"])
async def test_tokens_are_revoked_and_lock_outs_ended(api: TestApi, path: str) -> None:
    async with api.as_admin() as client:
        await client.post(path, json=user("u1", Password=SECRET))
        store = api.resources.database("accounts")["credentials"]
        await store.update_one({}, {"$set": {"FailedAttempts": 3, "LockedUntil": api.clock()}})
        assert (await client.get(f"{path}/u1")).json()["FailedLoginAttempts"] == 3

        unlocked = await client.post(f"{path}/u1/unlock")
        revoked = await client.delete(f"{path}/u1/tokens")
        nobody = [await client.post(f"{path}/x/unlock"), await client.delete(f"{path}/x/tokens")]

        assert (unlocked.status_code, revoked.status_code) == (204, 204)
        assert [each.status_code for each in nobody] == [404, 404]
        assert (await client.get(f"{path}/u1")).json()["FailedLoginAttempts"] == 0
    (kept,) = (await credentials(api)).values()
    assert kept["TokensValidAfter"] == api.clock()
    assert "LockedUntil" not in kept


async def test_the_users_of_a_group_are_listed(api: TestApi) -> None:
    async with api.as_admin() as client:
        for kind in ("buyers/b1", "suppliers/s1"):
            await client.post(f"/{kind}/usergroups", json={"ID": "g1", "Name": "Group"})
            for id in ("in", "IN", "out"):
                body = user(id, f"{kind}-{id}-{id.islower()}")
                assert (await client.post(f"/{kind}/users", json=body)).status_code == 201
            member = {"UserGroupID": "g1", "UserID": "in"}
            await client.post(f"/{kind}/usergroups/assignments", json=member)

            listed = await client.get(f"/{kind}/users", params={"userGroupID": "g1"})
            empty = await client.get(f"/{kind}/users", params={"userGroupID": "g2"})

            assert [each["ID"] for each in listed.json()["Items"]] == ["in"]
            assert empty.json()["Items"] == []


async def test_users_of_all_buyers_are_in_one_list(api: TestApi) -> None:
    async with api.as_admin() as client:
        for path, name in (("buyers/b1", "a"), ("buyers/b2", "b"), ("suppliers/s1", "c")):
            await client.post(f"/{path}/users", json=user("u1", name))
        await client.post("/adminusers", json=user("u1", "d"))

        every = (await client.get("/buyerusers")).json()["Items"]
        second = (await client.get("/buyerusers", params={"CompanyID": "b2"})).json()["Items"]

    assert [(each["CompanyID"], each["Username"]) for each in every] == [("b1", "a"), ("b2", "b")]
    assert [each["Username"] for each in second] == ["b"]


async def test_of_a_deleted_user_nothing_is_left(api: TestApi) -> None:
    await create_all(api, [each for each in EVERYTHING if each not in COMPANIES])
    async with api.as_admin() as client:
        await client.patch("/buyers/b1/users/u1", json={"Password": SECRET})
        internal_id = (await stored_user(api, "buyers/b1/u1"))["InternalID"]
        ties = {
            "usergroups": {"UserGroupID": "g1", "UserID": "u1"},
            "addresses": {"AddressID": "a1", "UserID": "u1", "IsBilling": True},
            "creditcards": {"CreditCardID": "card1", "UserID": "u1"},
            "spendingaccounts": {"SpendingAccountID": "sa1", "UserID": "u1"},
        }
        for name, body in ties.items():
            tied = await client.post(f"/buyers/b1/{name}/assignments", json=body)
            assert tied.status_code == 204
        mine = api.resources.database("accounts")["private_addresses"]
        await mine.insert_one(
            {
                "_id": f"{internal_id}/home",
                "version": 1,
                "state": {
                    "InternalID": internal_id,
                    "ID": "home",
                    "Street1": "x",
                    "City": "x",
                    "Country": "AT",
                    "Shipping": True,
                },
                "inbox": {"ids": [], "marks": []},
                "outbox": [],
            }
        )

        assert (await client.delete("/buyers/b1/users/u1")).status_code == 204

        assert await credentials(api) == {}
        assert await mine.count_documents({"state": {"$ne": None}}) == 0
        for name in ties:
            left = (await client.get(f"/buyers/b1/{name}/assignments")).json()["Items"]
            assert left == []
