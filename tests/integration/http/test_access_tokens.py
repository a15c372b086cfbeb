"""Tokens through HTTP, end to end."""

from typing import Any

from pymongo import AsyncMongoClient

from tests.support.api import errors_of
from tests.support.entering import CLIENT, entrance

Mongo = AsyncMongoClient[dict[str, Any]]


async def test_the_first_api_client_logs_in_with_full_access(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        answer = await door.by_secret()
        admin = door.caller(answer.json()["access_token"])
        clients = await admin("GET", "/apiclients")

    assert answer.status_code == 200
    assert answer.json() | {"access_token": ""} == {
        "access_token": "",
        "token_type": "bearer",
        "expires_in": 36_000,
        "refresh_token": None,
    }
    assert answer.headers["cache-control"] == "no-store"
    assert clients.status_code == 200
    assert [each["ID"] for each in clients.json()["Items"]] == [CLIENT]


async def test_a_wrong_secret_is_told_in_both_shapes(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        answer = await door.by_secret(secret="not-the-secret-at-all")

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer.json()["error_description"] == answer.json()["Errors"][0]["Message"]
    assert errors_of(answer) == ["Auth.OauthError"]
