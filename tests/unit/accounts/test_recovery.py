"""Forgotten passwords."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.accounts.access.ports import Account
from shared.http.errors import ApiError
from tests.unit.accounts.world import World, client, user

LOGIN = {"grant_type": "password", "client_id": "app", "username": "ada"}
OLD, NEW = "correct horse", "battery staple"


@pytest.fixture
async def world() -> World:
    world = World()
    world.directory.add(client(refresh_minutes=60))
    await world.add_user(user(), OLD)
    await world.add_user(user("bob"), OLD)
    return world


def ada(world: World) -> Account:
    return world.directory.users["u-ada"]


async def refusal(world: World, client_id: str, name: str, code: str, password: str = NEW) -> str:
    kept = dict(world.credentials.kept)
    with pytest.raises(ApiError) as refused:
        await world.recovery.reset(client_id, name, code, password, "192.0.2.1")
    assert world.credentials.kept == kept
    return f"{refused.value.status} {refused.value.errors[0].error_code}"


async def test_a_code_gives_another_password_and_ends_what_was(world: World) -> None:
    answer = await world.endpoint.grant({**LOGIN, "password": OLD}, "")
    found = await world.credentials.find("u-ada")
    world.credentials.kept["u-ada"] = replace(
        found, failed_attempts=10, locked_until=world.clock() + timedelta(hours=1)
    )
    code = await world.recovery.verification_code(ada(world), "app")

    await world.recovery.reset("app", "ADA", code, NEW, "192.0.2.1")

    with pytest.raises(ApiError) as refused:
        await world.verifier.verify_token(answer.access_token)
    assert refused.value.errors[0].error_code == "Auth.TokenRevoked"
    assert world.refresh_tokens.kept == {}
    world.clock.advance(1)
    assert (await world.token({**LOGIN, "password": NEW})).username == "ada"


@pytest.mark.parametrize(
    ("client_id", "name", "code"),
    [
        ("other", "ada", None),
        ("app", "bob", None),
        ("app", "nobody", None),
        ("app", "ada", "guess"),
        ("app", "ada", ""),
        ("app", "ada", "x" * 10_000),
        ("app", "ada", "\ud800"),
    ],
)
async def test_a_code_is_for_one_user_and_one_client(
    world: World, client_id: str, name: str, code: str | None
) -> None:
    right = await world.recovery.verification_code(ada(world), "app")

    refused = await refusal(world, client_id, name, right if code is None else code)

    assert refused == "400 PasswordReset.InvalidVerification"


async def test_a_code_holds_an_hour(world: World) -> None:
    code = await world.recovery.verification_code(ada(world), "app")
    world.clock.advance(timedelta(hours=1))

    assert await refusal(world, "app", "ada", code) == "400 PasswordReset.InvalidVerification"


async def test_a_code_is_good_once_and_the_last_one_alone(world: World) -> None:
    first = await world.recovery.verification_code(ada(world), "app")
    second = await world.recovery.verification_code(ada(world), "app")

    assert await refusal(world, "app", "ada", first) == "400 PasswordReset.InvalidVerification"
    await world.recovery.reset("app", "ada", second, NEW, "192.0.2.1")
    assert await refusal(world, "app", "ada", second) == "400 PasswordReset.InvalidVerification"


async def test_a_code_outlives_a_password_that_is_refused(world: World) -> None:
    code = await world.recovery.verification_code(ada(world), "app")

    refused = await refusal(world, "app", "ada", code, "short")
    await world.recovery.reset("app", "ada", code, NEW, "192.0.2.1")

    assert refused == "400 PasswordReset.InsecurePassword"


async def test_a_one_time_password_is_no_verification_code(world: World) -> None:
    code = await world.recovery.one_time_password(ada(world), "app")

    assert len(code) == 10
    assert await refusal(world, "app", "ada", code) == "400 PasswordReset.InvalidVerification"


async def test_an_address_that_guesses_codes_waits(world: World) -> None:
    for _ in range(20):
        await refusal(world, "app", "ada", "guess")
    code = await world.recovery.verification_code(ada(world), "app")

    assert await refusal(world, "app", "ada", code) == "429 PasswordReset.LockedOut"


async def test_of_a_user_who_is_gone_nothing_is_kept(world: World) -> None:
    await world.endpoint.grant({**LOGIN, "password": OLD}, "")
    await world.recovery.one_time_password(ada(world), "app")

    await world.user_tokens.remove("u-ada")

    assert world.refresh_tokens.kept == {}
    assert world.codes.kept == {}
    assert set(world.credentials.kept) == {"u-bob"}
