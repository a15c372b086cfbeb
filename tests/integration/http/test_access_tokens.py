"""Tokens through HTTP, end to end."""

from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import RSAKey
from pymongo import AsyncMongoClient

from tests.support.api import errors_of
from tests.support.entering import APP, CLIENT, PASSWORD, entrance

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


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, OAuth's name and OrderCloud's code; both shapes say the same."""
    body = answer.json()
    assert body["error_description"] == body["Errors"][0]["Message"]
    return answer.status_code, body["error"], body["Errors"][0]["ErrorCode"]


async def test_each_reason_for_no_token_has_its_code(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        await shop.admin.done("PUT", "/apiclients/idle", APP | {"Active": False})
        await shop.admin.done("PUT", "/apiclients/closed", APP | {"AllowAnyBuyer": False})
        answers = {
            "secret": await door.by_secret(secret="not-the-secret-at-all"),
            "client": await door.by_secret("nobody"),
            "inactive client": await door.by_password("ada", PASSWORD, "idle"),
            "no secret": await door.token(grant_type="password", client_id=CLIENT),
            "password": await door.by_password("ada", "wrong", "app"),
            "user": await door.by_password("eve", PASSWORD, "app"),
            "no password": await door.token(grant_type="password", client_id="app"),
            "not assigned": await door.by_password("ada", PASSWORD, "closed"),
            "roles": await door.by_password("ada", PASSWORD, "app", scope="OrderAdmin"),
            "refresh": await door.token(
                grant_type="refresh_token", client_id="app", refresh_token="none"
            ),
            "grant": await door.token(grant_type="implicit", client_id="app"),
            "anonymous": await door.token(grant_type="client_credentials", client_id="app"),
            "json": await door.http.post("http://api/oauth/token", json={"grant_type": "password"}),
            "twice": await door.http.post(
                "http://api/oauth/token",
                content=b"grant_type=a&grant_type=b",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            ),
        }

    assert {name: refused(answer) for name, answer in answers.items()} == {
        "secret": (401, "invalid_client", "Auth.OauthError"),
        "client": (401, "invalid_client", "ApiClient.InvalidClientID"),
        "inactive client": (401, "invalid_client", "Auth.ClientNotActive"),
        "no secret": (401, "invalid_client", "Auth.OauthError"),
        "password": (400, "invalid_grant", "Auth.InvalidUsernameOrPassword"),
        "user": (400, "invalid_grant", "Auth.InvalidUsernameOrPassword"),
        "no password": (400, "invalid_request", "Auth.UsernameAndPasswordRequired"),
        "not assigned": (400, "unauthorized_client", "ApiClient.InvalidClientID"),
        "roles": (400, "invalid_scope", "Auth.InsufficientRoles"),
        "refresh": (400, "invalid_grant", "Auth.OauthError"),
        "grant": (400, "unsupported_grant_type", "Auth.OauthError"),
        "anonymous": (401, "invalid_client", "Auth.OauthError"),
        "json": (400, "invalid_request", "Request.InvalidContentType"),
        "twice": (400, "invalid_request", "Request.InvalidRequestBody"),
    }


async def test_users_and_companies_that_are_not_active_get_no_token(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        ada = await shop.ada()
        await shop.admin.done("PATCH", "/buyers/acme", {"Active": False})
        company = await door.by_password("ada", PASSWORD, "app")
        await shop.admin.done("PATCH", "/buyers/acme", {"Active": True})
        await shop.admin.done("PATCH", "/buyers/acme/users/ada", {"Active": False})
        user = await door.by_password("ada", PASSWORD, "app")
        old = await ada("GET", "/me")

    assert refused(company) == (400, "invalid_grant", "Auth.CompanyNotActive")
    assert refused(user) == (400, "invalid_grant", "Auth.UserNotActive")
    assert (old.status_code, errors_of(old)) == (401, ["Auth.TokenRevoked"])


async def test_wrong_passwords_lock_the_account_and_the_lock_ends(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        await shop.admin.done(
            "PATCH",
            "/securityprofiles/shoppers",
            {"PasswordConfig": {"AllowedFailedAttempts": 2, "LockoutDuration": 5}},
        )
        guesses = [refused(await door.by_password("ada", "wrong", "app")) for _ in range(2)]
        locked = refused(await door.by_password("ada", PASSWORD, "app"))
        door.api.clock.advance(300)
        ada = await shop.ada()

    assert [code for *_, code in guesses] == ["Auth.InvalidUsernameOrPassword"] * 2
    assert locked == (400, "invalid_grant", "Auth.LockedOut")
    assert ada.token


async def test_a_password_that_is_too_old_lets_nobody_in(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        await shop.admin.done(
            "PATCH", "/securityprofiles/shoppers", {"PasswordConfig": {"MaximumPasswordAge": 30}}
        )
        door.api.clock.advance(30 * 86_400)
        answer = await door.by_password("ada", PASSWORD, "app")

    assert refused(answer) == (400, "invalid_grant", "Auth.PasswordExpired")


async def test_a_refresh_token_gives_tokens_until_it_is_revoked(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        await door.shop()
        first = (await door.by_password("ada", PASSWORD, "app", scope="Shopper")).json()
        refresh = {
            "grant_type": "refresh_token",
            "client_id": "app",
            "refresh_token": first["refresh_token"],
        }
        door.api.clock.advance(10)
        second = await door.token(**refresh)
        ada = door.caller(second.json()["access_token"])
        before = await ada("GET", "/me")
        revoked = await ada("DELETE", "/me/tokens")
        after = await ada("GET", "/me")
        third = await door.token(**refresh)
        other = await door.token(**refresh | {"client_id": "nobody"})

    assert second.status_code == 200
    assert second.json()["refresh_token"] == first["refresh_token"]
    assert (before.status_code, revoked.status_code, after.status_code) == (200, 204, 401)
    assert errors_of(after) == ["Auth.TokenRevoked"]
    assert refused(third) == (400, "invalid_grant", "Auth.OauthError")
    assert other.status_code == 401


async def test_the_published_key_checks_the_token_and_its_claims(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        ada = await shop.ada(scope="Shopper Taster undefined")
        kid = jws.extract_compact(ada.token.encode()).headers()["kid"]
        key = await door.http.get(f"http://api/oauth/certs/{kid}")
        missing = await door.http.get("http://api/oauth/certs/other")
        identity = await ada("GET", "/oauth/userinfo")
        taken_for_access = await door.caller(identity.json()["identity_token"])("GET", "/me")

    public = RSAKey.import_key(key.json())
    claims = jwt.decode(ada.token, public, algorithms=["RS256"]).claims
    about = jwt.decode(identity.json()["identity_token"], public, algorithms=["RS256"]).claims
    assert set(key.json()) == {"kty", "n", "e", "alg", "use", "kid"}
    assert claims["usr"] == "ada"
    assert claims["usrtype"] == "buyer"
    assert claims["cid"] == "app"
    assert claims["cmp"] == "acme"
    assert claims["role"] == ["Shopper", "Taster"]
    assert claims["iss"] == claims["aud"] == "http://127.0.0.1:8080"
    assert (missing.status_code, errors_of(missing)) == (404, ["NotFound"])
    assert (about["aud"], about["preferred_username"], about["email"]) == (
        "app",
        "ada",
        "ada@example.com",
    )
    assert about["sub"] == claims["u"]
    assert identity.json()["expires_in"] == 3_600
    assert taken_for_access.status_code == 401


@pytest.mark.parametrize("header", [None, "", "Bearer ", "Bearer x.y.z", "Basic YTpi"])
async def test_without_a_token_that_holds_there_is_no_answer(
    mongo: Mongo, database_prefix: str, header: str | None
) -> None:
    async with entrance(mongo, database_prefix) as door:
        headers = {} if header is None else {"Authorization": header}
        answer = await door.http.get("http://api/v1/me", headers=headers)

    assert (answer.status_code, errors_of(answer)) == (401, ["Auth.OauthError"])


async def test_an_anonymous_shopper_registers(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        await shop.admin.done(
            "PUT",
            "/apiclients/window",
            APP | {"IsAnonBuyer": True, "DefaultContextUserName": "ada"},
        )
        anonymous = await door.token(grant_type="client_credentials", client_id="window")
        shopper = door.caller(anonymous.json()["access_token"])
        refusals = [
            await shopper("PATCH", "/me", {"FirstName": "Eve"}),
            await shopper("DELETE", "/me/tokens"),
            await shopper("POST", "/me/password", {"NewPassword": "something new"}),
            await shopper("GET", "/oauth/userinfo"),
        ]
        person = {
            "Username": "grace",
            "FirstName": "Grace",
            "LastName": "Hopper",
            "Email": "grace@example.com",
            "Active": False,
        }
        named = await (await shop.ada())("PUT", "/me/register", person)
        registered = await shopper("PUT", f"/me/register?anonUserToken={shopper.token}", person)
        grace = await door.caller(registered.json()["access_token"]).done("GET", "/me")

    assert anonymous.json()["refresh_token"] is None
    assert anonymous.json()["expires_in"] == 10_080 * 60
    assert [(each.status_code, errors_of(each)) for each in refusals] == [
        (403, ["Auth.AnonUserProhibited"])
    ] * 4
    assert (named.status_code, errors_of(named)) == (400, ["Auth.MustPassAnonUserToken"])
    assert registered.status_code == 200
    assert list(registered.json()) == ["access_token"]
    assert (grace["Username"], grace["Active"], grace["Buyer"]["ID"]) == ("grace", True, "acme")


async def test_too_many_failures_from_an_address_have_to_wait(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        made = await shop.admin.done("POST", "/apiclients/app/secrets", {"Name": "one"})
        # Some are forgiven while they come.
        for _ in range(200):
            answer = await door.by_secret("app", "not-the-secret-at-all")
            if answer.status_code == 429:
                break
        right = await door.by_secret("app", made["ClientSecret"])

    assert refused(answer) == (429, "temporarily_unavailable", "Auth.LockedOut")
    assert refused(right) == (429, "temporarily_unavailable", "Auth.LockedOut")
    assert int(right.headers["retry-after"]) > 0
