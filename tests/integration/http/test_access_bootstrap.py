"""The first start, and the starts after it."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from shared.environment import SettingsError
from tests.support.entering import CLIENT, SECRET, entrance

Mongo = AsyncMongoClient[dict[str, Any]]

COLLECTIONS = ("users", "api_clients", "security_profiles", "security_profile_assignments")


async def versions(mongo: Mongo, prefix: str) -> dict[str, list[tuple[str, int]]]:
    database = mongo[f"{prefix}_accounts"]
    return {
        name: [(each["_id"], each["version"]) async for each in database[name].find()]
        for name in COLLECTIONS
    }


async def test_a_second_start_changes_nothing(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix):
        first = await versions(mongo, database_prefix)
    async with entrance(mongo, database_prefix) as door:
        second = await versions(mongo, database_prefix)
        answer = await door.by_secret()

    assert first == {
        "users": [("default-admin", 1)],
        "api_clients": [(CLIENT, 1)],
        "security_profiles": [("full-access", 1)],
        "security_profile_assignments": [("full-access///default-admin/", 1)],
    }
    assert second == first
    assert answer.status_code == 200


async def test_processes_that_start_at_once_make_one_of_each(
    mongo: Mongo, database_prefix: str
) -> None:
    async def start() -> None:
        async with entrance(mongo, database_prefix) as door:
            assert (await door.by_secret()).status_code == 200

    await asyncio.gather(*(start() for _ in range(3)))

    made = await versions(mongo, database_prefix)
    assert {name: len(found) for name, found in made.items()} == dict.fromkeys(COLLECTIONS, 1)


async def test_a_changed_secret_holds_from_the_next_start_on(
    mongo: Mongo, database_prefix: str
) -> None:
    changed = "another-secret-of-the-tests"
    async with entrance(mongo, database_prefix) as door:
        admin = await door.admin()
        await admin.done("PATCH", f"/apiclients/{CLIENT}", {"AppName": "Renamed"})
    async with entrance(mongo, database_prefix, admin_client_secret=SecretStr(changed)) as door:
        old = await door.by_secret(secret=SECRET)
        new = await door.by_secret(secret=changed)
        client = await door.caller(new.json()["access_token"]).done("GET", f"/apiclients/{CLIENT}")

    assert (old.status_code, new.status_code) == (401, 200)
    assert client["AppName"] == "Renamed"


async def test_without_settings_nothing_is_made(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(
        mongo, database_prefix, admin_client_id="", admin_client_secret=SecretStr("")
    ):
        made = await versions(mongo, database_prefix)

    assert made == {name: [] for name in COLLECTIONS}


@pytest.mark.parametrize(
    ("id", "secret", "told"),
    [
        ("back-office", "too-short", "ORDERMESH_ADMIN_CLIENT_SECRET has 9 characters"),
        ("back-office", "", "belong together"),
        ("", "a-secret-of-the-tests", "belong together"),
    ],
)
async def test_settings_that_cannot_be_used_are_told_at_the_start(
    mongo: Mongo, database_prefix: str, id: str, secret: str, told: str
) -> None:
    with pytest.raises(SettingsError, match=told):
        async with entrance(
            mongo,
            database_prefix,
            admin_client_id=id,
            admin_client_secret=SecretStr(secret),
        ):
            raise AssertionError("it started")

    assert (await versions(mongo, database_prefix))["api_clients"] == []
