"""Tokens for passwords: with which roles and which clients, and every reason for none."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.accounts.access.client_secrets import new_secret, stored_chosen, stored_new
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
