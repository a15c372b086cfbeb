"""The token endpoint: every way to a token, and every reason for none."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from services.accounts.access.client_secrets import new_secret, stored_chosen, stored_new
from services.accounts.access.codes import Purpose
from services.accounts.access.ports import Roles, StoredSecret
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


async def test_a_password_gives_a_token_with_all_roles(world: World) -> None:
    answer = await world.endpoint.grant(LOGIN, "192.0.2.1")

    principal = await world.verifier.verify_token(answer.access_token)
    assert answer.body() == {
        "access_token": answer.access_token,
        "token_type": "bearer",
        "expires_in": 3600,
        "refresh_token": "refresh-0",
    }
    assert (principal.user_id, principal.username, principal.internal_id) == ("ada", "ada", "u-ada")
    assert (principal.user_type, principal.company_id) == (UserType.BUYER, "acme")
    assert principal.roles == {"Shopper", "MeAdmin"}
    assert (principal.client_id, principal.expires) == ("app", START + timedelta(hours=1))
    assert (principal.impersonator, principal.anonymous_order) == (None, None)


async def test_a_username_is_read_whatever_its_case(world: World) -> None:
    assert (await world.token({**LOGIN, "username": "ADA"})).username == "ada"


async def test_without_a_duration_there_is_no_refresh_token(world: World) -> None:
    world.directory.change_client("app", refresh_minutes=0)

    assert (await world.endpoint.grant(LOGIN, "")).refresh_token is None


@pytest.mark.parametrize(
    ("scope", "roles"),
    [
        ("Shopper", {"Shopper"}),
        ("Shopper OrderAdmin", {"Shopper"}),
        ("undefined Shopper", {"Shopper"}),
        ("undefined", {"Shopper", "MeAdmin"}),
        ("  ", {"Shopper", "MeAdmin"}),
    ],
)
async def test_a_scope_cuts_the_roles(world: World, scope: str, roles: set[str]) -> None:
    assert (await world.token({**LOGIN, "scope": scope})).roles == roles


async def test_a_scope_of_which_the_user_has_nothing_lists_both(world: World) -> None:
    with pytest.raises(OAuthError) as refused:
        await world.endpoint.grant({**LOGIN, "scope": "OrderAdmin Auditor"}, "")

    (error,) = refused.value.errors
    assert (refused.value.status, refused.value.body()["error"]) == (400, "invalid_scope")
    assert error.error_code == "Auth.InsufficientRoles"
    assert error.data == {
        "SufficientRoles": ["Auditor", "OrderAdmin"],
        "AssignedRoles": ["MeAdmin", "Shopper"],
    }


async def test_roles_of_user_groups_and_company_add_up(world: World) -> None:
    world.directory.change_user("u-ada", group_ids=frozenset({"g"}))
    world.directory.add(profile("g-p", "OrderReader", custom=["Auditor"]))
    world.directory.add(profile("c-p", "MeXpAdmin"))
    world.directory.assign("g-p", "g")
    world.directory.assign("c-p", "acme")

    principal = await world.token(LOGIN)

    assert principal.roles == {"Shopper", "MeAdmin", "OrderReader", "Auditor", "MeXpAdmin"}


async def test_full_access_is_whatever_is_asked_for(world: World) -> None:
    await world.add_user(user("root", UserType.ADMIN, "mp"), PASSWORD, "FullAccess")
    login = {**LOGIN, "username": "root"}

    assert (await world.token(login)).roles == {"FullAccess"}
    assert (await world.token({**login, "scope": "OrderAdmin Mine"})).roles == {
        "OrderAdmin",
        "Mine",
    }


async def test_a_client_limits_the_roles_of_its_tokens(world: World) -> None:
    at_most = Roles(frozenset({"Shopper", "OrderAdmin"}))
    world.directory.change_client("app", at_most=at_most)
    await world.add_user(user("root", UserType.ADMIN, "mp"), PASSWORD, "FullAccess")

    assert (await world.token(LOGIN)).roles == {"Shopper"}
    assert (await world.token({**LOGIN, "username": "root"})).roles == {"Shopper", "OrderAdmin"}
    asked = await world.token({**LOGIN, "username": "root", "scope": "FullAccess Shopper"})
    assert asked.roles == {"Shopper"}


async def test_a_client_requires_roles(world: World) -> None:
    at_least = Roles(frozenset({"Shopper"}), frozenset({"Auditor"}))
    world.directory.change_client("app", at_least=at_least)
    await world.add_user(user("root", UserType.ADMIN, "mp"), PASSWORD, "FullAccess")

    assert await refusal(world, LOGIN) == (400, "invalid_scope", "Auth.InsufficientRoles")
    assert (await world.token({**LOGIN, "username": "root"})).roles == {"FullAccess"}


async def test_who_has_no_roles_gets_no_token(world: World) -> None:
    world.directory.assigned.clear()

    assert await refusal(world, LOGIN) == (400, "invalid_scope", "Auth.InsufficientRoles")


REQUESTS: list[tuple[dict[str, str | None], tuple[int, str, str]]] = [
    ({"client_id": None}, (400, "invalid_request", "ApiClient.InvalidClientID")),
    ({"client_id": "no"}, (401, "invalid_client", "ApiClient.InvalidClientID")),
    ({"client_id": "../$ne"}, (401, "invalid_client", "ApiClient.InvalidClientID")),
    ({"grant_type": None}, (400, "unsupported_grant_type", "Auth.OauthError")),
    ({"grant_type": "implicit"}, (400, "unsupported_grant_type", "Auth.OauthError")),
    ({"username": None}, (400, "invalid_request", "Auth.UsernameAndPasswordRequired")),
    ({"password": ""}, (400, "invalid_request", "Auth.UsernameAndPasswordRequired")),
    ({"username": "bob"}, (400, "invalid_grant", "Auth.InvalidUsernameOrPassword")),
    ({"password": "wrong"}, (400, "invalid_grant", "Auth.InvalidUsernameOrPassword")),
    ({"password": "x" * 1_001}, (400, "invalid_request", "Auth.OauthError")),
    ({"username": "x" * 1_001}, (400, "invalid_request", "Auth.OauthError")),
    ({"username": "a\0da"}, (400, "invalid_request", "Auth.OauthError")),
    ({"username": "\ud800"}, (400, "invalid_request", "Auth.OauthError")),
    ({"scope": "x" * 8_001}, (400, "invalid_request", "Auth.OauthError")),
    ({"client_secret": "none set"}, (401, "invalid_client", "Auth.OauthError")),
]


@pytest.mark.parametrize(("change", "expected"), REQUESTS)
async def test_what_is_wrong_with_a_request_is_said(
    world: World, change: dict[str, str | None], expected: tuple[int, str, str]
) -> None:
    form = {k: v for k, v in {**LOGIN, **change}.items() if v is not None}

    assert await refusal(world, form) == expected
    assert world.refresh_tokens.kept == {}


async def test_an_inactive_client_user_or_company_is_kept_out(world: World) -> None:
    refused = {}
    for what, change, undo in [
        (
            "client",
            lambda: world.directory.change_client("app", active=False),
            lambda: world.directory.change_client("app", active=True),
        ),
        (
            "user",
            lambda: world.directory.change_user("u-ada", active=False),
            lambda: world.directory.change_user("u-ada", active=True),
        ),
        ("company", lambda: world.directory.inactive_companies.add("acme"), lambda: None),
        (
            "seller",
            lambda: world.directory.change_user("u-ada", user_type=UserType.ADMIN),
            lambda: None,
        ),
    ]:
        change()
        refused[what] = await refusal(world, LOGIN)
        undo()

    assert refused == {
        "client": (401, "invalid_client", "Auth.ClientNotActive"),
        "user": (400, "invalid_grant", "Auth.UserNotActive"),
        "company": (400, "invalid_grant", "Auth.CompanyNotActive"),
        "seller": (400, "invalid_grant", "Auth.SellerNotActive"),
    }


async def test_that_a_user_is_not_active_learns_only_who_knows_the_password(world: World) -> None:
    world.directory.change_user("u-ada", active=False)

    assert await refusal(world, {**LOGIN, "password": "wrong"}) == (
        400,
        "invalid_grant",
        "Auth.InvalidUsernameOrPassword",
    )


@pytest.mark.parametrize(
    ("kind", "flag"),
    [
        (UserType.BUYER, "any_buyer"),
        (UserType.SUPPLIER, "any_supplier"),
        (UserType.ADMIN, "seller"),
    ],
)
async def test_a_client_is_for_those_it_is_for(world: World, kind: UserType, flag: str) -> None:
    everybody = {"any_buyer": True, "any_supplier": True, "seller": True}
    world.directory.change_user("u-ada", user_type=kind)
    world.directory.change_client("app", **{**everybody, flag: False})

    refused = await refusal(world, LOGIN)
    world.directory.change_client("app", **{**dict.fromkeys(everybody, False), flag: True})

    assert refused == (400, "unauthorized_client", "ApiClient.InvalidClientID")
    assert (await world.token(LOGIN)).user_type is kind


async def test_an_assigned_company_may_use_the_client_another_one_not(world: World) -> None:
    world.directory.change_client("app", any_buyer=False)
    world.directory.client_assignments.add(("app", UserType.SUPPLIER, "acme"))
    assert (await refusal(world, LOGIN))[2] == "ApiClient.InvalidClientID"

    world.directory.client_assignments.add(("app", UserType.BUYER, "acme"))

    assert (await world.token(LOGIN)).company_id == "acme"


@pytest.mark.parametrize("form", [LOGIN, CREDENTIALS, {**LOGIN, "grant_type": "refresh_token"}])
async def test_a_client_with_a_secret_proves_itself_in_every_flow(
    world: World, form: dict[str, str]
) -> None:
    refresh_token = (await world.endpoint.grant(LOGIN, "")).refresh_token
    assert refresh_token is not None
    secrets = [StoredSecret(stored_new(SECRET)), StoredSecret("sha256:0")]
    world.directory.change_client("app", secrets=secrets, context_username="ada", anonymous=True)
    form = {**form, "refresh_token": refresh_token}

    missing = await refusal(world, form)
    wrong = await refusal(world, {**form, "client_secret": new_secret()})
    right = await world.token({**form, "client_secret": SECRET})

    assert missing == wrong == (401, "invalid_client", "Auth.OauthError")
    assert (right.username, right.anonymous_order) == ("ada", None)


async def test_an_expired_secret_neither_holds_nor_opens_the_client(world: World) -> None:
    expires = START + timedelta(days=1)
    world.directory.change_client("app", secrets=[StoredSecret(stored_new(SECRET), expires)])
    form = {**LOGIN, "client_secret": SECRET}
    assert (await world.token(form)).username == "ada"

    world.clock.now = expires

    assert await refusal(world, form) == (401, "invalid_client", "Auth.OauthError")
    assert await refusal(world, LOGIN) == (401, "invalid_client", "Auth.OauthError")


async def test_a_chosen_secret_holds_and_is_kept_as_a_password_is(world: World) -> None:
    stored = await stored_chosen("a secret of ours", world.passwords)
    world.directory.change_client("app", secrets=[StoredSecret(stored)])

    assert stored.startswith("$argon2id$")
    assert (await world.token({**LOGIN, "client_secret": "a secret of ours"})).username == "ada"
    assert (await refusal(world, {**LOGIN, "client_secret": "a secret of yours"}))[0] == 401


@pytest.mark.parametrize("secret", ["x" * 14, "x" * 1_001, ""])
async def test_a_chosen_secret_has_a_length(world: World, secret: str) -> None:
    with pytest.raises(ApiError) as refused:
        await stored_chosen(secret, world.passwords)

    assert refused.value.status == 400
    assert refused.value.errors[0].error_code == "ValidationFailure"


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
