"""Tokens for all else but a password: credentials, nobody in particular, refresh tokens, codes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from services.accounts.access.client_secrets import new_secret, stored_new
from services.accounts.access.codes import Purpose
from services.accounts.access.ports import StoredSecret
from services.accounts.access.refusals import OAuthError
from shared.http.errors import ApiError
from shared.http.principal import UserType
from tests.support.fakes import START
from tests.unit.accounts.world import World, client, profile, user

PASSWORD = "correct horse"
LOGIN = {"grant_type": "password", "client_id": "app", "username": "ada", "password": PASSWORD}
CREDENTIALS = {"grant_type": "client_credentials", "client_id": "app"}
SECRET = new_secret()


@pytest.fixture
async def world() -> World:
    world = World()
    world.directory.add(client(refresh_minutes=600))
    await world.add_user(user(), PASSWORD, "Shopper", "MeAdmin")
    return world


async def refusal(
    world: World, form: Mapping[str, str], address: str = "192.0.2.1"
) -> tuple[int, str, str]:
    """Status, OAuth's name and OrderCloud's code; both are in the body."""
    with pytest.raises(OAuthError) as refused:
        await world.endpoint.grant(form, address)
    body = refused.value.body()
    (error,) = body["Errors"]
    assert body["error_description"] == error["Message"]
    return refused.value.status, body["error"], error["ErrorCode"]


async def test_client_credentials_act_as_the_context_user(world: World) -> None:
    await world.add_user(user("job", UserType.ADMIN, "mp"), None, "FullAccess")
    secrets = [StoredSecret(stored_new(SECRET))]
    world.directory.change_client("app", secrets=secrets, context_username="JOB")

    principal = await world.token({**CREDENTIALS, "client_secret": SECRET})

    assert (principal.username, principal.roles) == ("job", {"FullAccess"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (401, "invalid_client", "Auth.OauthError")),
        ({"anonymous": True}, (400, "unauthorized_client", "Auth.OauthError")),
        (
            {"anonymous": True, "context_username": "gone"},
            (400, "unauthorized_client", "Auth.OauthError"),
        ),
        (
            {"anonymous": True, "context_username": "job"},
            (400, "unauthorized_client", "Auth.OauthError"),
        ),
        (
            {"anonymous": True, "context_username": "ada", "any_buyer": False},
            (400, "unauthorized_client", "ApiClient.InvalidClientID"),
        ),
    ],
)
async def test_credentials_need_a_secret_or_an_anonymous_buyer(
    world: World, change: dict[str, Any], expected: tuple[int, str, str]
) -> None:
    await world.add_user(user("job", UserType.ADMIN, "mp"), None, "FullAccess")
    world.directory.change_client("app", **change)

    assert await refusal(world, CREDENTIALS) == expected


async def test_anonymous_shoppers_are_one_user_with_an_order_each(world: World) -> None:
    world.directory.change_client(
        "app", anonymous=True, context_username="ada", anonymous_minutes=120
    )

    answer = await world.endpoint.grant(CREDENTIALS, "")
    first = await world.verifier.verify_token(answer.access_token)
    second = await world.token({**CREDENTIALS, "scope": "Shopper"})
    known = await world.token({**CREDENTIALS, "anonuserid": "mine-1"})

    assert (answer.expires_in, answer.refresh_token) == (7200, None)
    assert first.internal_id == second.internal_id == known.internal_id == "u-ada"
    assert first.anonymous_order not in (None, second.anonymous_order)
    assert known.anonymous_order == "mine-1"
    assert second.roles == {"Shopper"}


async def test_an_anonymous_user_id_is_an_id(world: World) -> None:
    world.directory.change_client("app", anonymous=True, context_username="ada")

    assert await refusal(world, {**CREDENTIALS, "anonuserid": "a b"}) == (
        400,
        "invalid_request",
        "Auth.OauthError",
    )


async def test_no_token_lasts_longer_than_the_keys_are_kept(world: World) -> None:
    world.directory.change_client(
        "app", anonymous=True, context_username="ada", anonymous_minutes=10**9
    )

    assert (await world.endpoint.grant(CREDENTIALS, "")).expires_in == 524_160 * 60


async def test_a_refresh_token_may_be_used_again_and_sees_what_changed(world: World) -> None:
    answer = await world.endpoint.grant({**LOGIN, "scope": "Shopper OrderAdmin"}, "")
    assert answer.refresh_token is not None
    form = {"grant_type": "refresh_token", "client_id": "app"}
    form["refresh_token"] = answer.refresh_token
    world.clock.advance(timedelta(hours=5))
    again = await world.endpoint.grant(form, "")
    world.directory.add(profile("more", "OrderAdmin", "MeXpAdmin"))
    world.directory.assign("more", "u-ada")
    world.clock.advance(timedelta(hours=4))

    principal = await world.token(form)

    assert again.refresh_token == answer.refresh_token
    assert principal.roles == {"Shopper", "OrderAdmin"}
    assert principal.expires == START + timedelta(hours=10)
    assert (await world.token({**form, "scope": "Shopper MeXpAdmin"})).roles == {"Shopper"}
    assert (await refusal(world, {**form, "scope": "MeXpAdmin"}))[2] == "Auth.InsufficientRoles"
    world.clock.advance(timedelta(hours=1))
    assert await refusal(world, form) == (400, "invalid_grant", "Auth.OauthError")


@pytest.mark.parametrize("how", ["unknown", "missing", "other client", "revoked", "switched off"])
async def test_a_refresh_token_that_does_not_hold_is_refused(world: World, how: str) -> None:
    world.directory.add(client("other", refresh_minutes=600))
    text = (await world.endpoint.grant(LOGIN, "")).refresh_token
    assert text is not None
    form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": text}
    match how:
        case "unknown":
            form["refresh_token"] = "guess"
        case "missing":
            del form["refresh_token"]
        case "other client":
            form["client_id"] = "other"
        case "revoked":
            await world.user_tokens.revoke("u-ada")
        case "switched off":
            world.directory.change_client("app", refresh_minutes=0)

    assert await refusal(world, form) == (400, "invalid_grant", "Auth.OauthError")


async def test_a_refresh_token_that_was_stored_during_a_revocation_is_revoked(
    world: World,
) -> None:
    text = (await world.endpoint.grant(LOGIN, "")).refresh_token
    assert text is not None
    slow = dict(world.refresh_tokens.kept)
    await world.user_tokens.revoke("u-ada")
    world.refresh_tokens.kept = slow

    form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": text}

    assert await refusal(world, form) == (400, "invalid_grant", "Auth.OauthError")


async def test_a_revocation_ends_all_tokens_and_a_new_login_begins_anew(world: World) -> None:
    answer = await world.endpoint.grant(LOGIN, "")
    await world.user_tokens.revoke("u-ada")

    with pytest.raises(ApiError) as refused:
        await world.verifier.verify_token(answer.access_token)
    world.clock.advance(timedelta(milliseconds=1))

    assert refused.value.errors[0].error_code == "Auth.TokenRevoked"
    assert (await world.token(LOGIN)).username == "ada"


async def test_a_password_expires_and_a_one_time_password_still_works(world: World) -> None:
    world.directory.add(profile("strict", maximum_password_age=30))
    world.directory.assign("strict", "acme")
    world.clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert (await world.token(LOGIN)).username == "ada"
    world.clock.advance(1)

    refused = await refusal(world, LOGIN)
    once = await world.codes.issue(Purpose.ONE_TIME_PASSWORD, "u-ada", "app", world.clock())
    principal = await world.token({**LOGIN, "password": once})

    assert refused == (400, "invalid_grant", "Auth.PasswordExpired")
    assert principal.username == "ada"


async def test_a_one_time_password_is_good_once(world: World) -> None:
    account = world.directory.users["u-ada"]
    once = await world.recovery.one_time_password(account, "app")
    form = {**LOGIN, "password": once}

    assert (await world.token(form)).username == "ada"
    assert (await refusal(world, form))[2] == "Auth.InvalidUsernameOrPassword"
