"""Wrong passwords: how they are counted, and what they lead to."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.access.client_secrets import new_secret, stored_new
from services.accounts.access.lockout import AddressLimits
from services.accounts.access.ports import StoredSecret
from services.accounts.access.refusals import OAuthError
from tests.support.fakes import START
from tests.unit.accounts.world import World, client, profile, user

PASSWORD = "correct horse"
LOGIN = {"grant_type": "password", "client_id": "app", "username": "ada", "password": PASSWORD}
WRONG = {**LOGIN, "password": "battery staple"}
UNKNOWN = {**WRONG, "username": "nobody"}


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def world() -> World:
    world = World()
    world.directory.add(client())
    await world.add_user(user(), PASSWORD)
    return world


async def code_of(world: World, form: dict[str, str], address: str = "") -> str:
    with pytest.raises(OAuthError) as refused:
        await world.endpoint.grant(form, address or f"192.0.2.{world.clock().microsecond}")
    return refused.value.errors[0].error_code


async def codes_of(world: World, form: dict[str, str], times: int) -> list[str]:
    return [await code_of(world, form, f"192.0.2.{number}") for number in range(times)]


@pytest.mark.parametrize("form", [WRONG, UNKNOWN])
async def test_ten_wrong_passwords_lock_a_name_for_a_quarter_of_an_hour(
    world: World, form: dict[str, str]
) -> None:
    """Whether there is such a user or not, so that nobody learns it."""
    codes = await codes_of(world, form, 12)
    world.clock.now = START + timedelta(minutes=15) - timedelta(milliseconds=1)
    before = await code_of(world, form)
    world.clock.now = START + timedelta(minutes=15)
    after = await codes_of(world, form, 11)

    assert codes == ["Auth.InvalidUsernameOrPassword"] * 10 + ["Auth.LockedOut"] * 2
    assert before == "Auth.LockedOut"
    assert after == ["Auth.InvalidUsernameOrPassword"] * 10 + ["Auth.LockedOut"]


async def test_the_right_password_does_not_open_a_locked_account(world: World) -> None:
    await codes_of(world, WRONG, 10)

    assert await code_of(world, LOGIN) == "Auth.LockedOut"


async def test_an_unlocked_account_opens(world: World) -> None:
    await codes_of(world, WRONG, 10)

    await world.credentials.unlock("u-ada")

    assert (await world.token(LOGIN)).username == "ada"


async def test_the_right_password_begins_the_count_anew(world: World) -> None:
    await codes_of(world, WRONG, 9)
    await world.token(LOGIN)

    codes = await codes_of(world, WRONG, 10)

    assert codes == ["Auth.InvalidUsernameOrPassword"] * 10
    assert (await world.credentials.find("u-ada")).failed_attempts == 10


async def test_a_profile_says_how_many_and_for_how_long(world: World) -> None:
    world.directory.add(profile("p", allowed_failed_attempts=2, lockout_duration=0))
    world.directory.assign("p", "acme")

    codes = await codes_of(world, WRONG, 3)
    world.clock.advance(timedelta(days=3650))

    assert codes == ["Auth.InvalidUsernameOrPassword"] * 2 + ["Auth.LockedOut"]
    assert await code_of(world, LOGIN) == "Auth.LockedOut"


async def test_guesses_at_the_same_time_are_counted_one_by_one(world: World) -> None:
    answers = await asyncio.gather(
        *(world.endpoint.grant(WRONG, f"192.0.2.{number}") for number in range(15)),
        return_exceptions=True,
    )

    codes = [each.errors[0].error_code for each in answers if isinstance(each, OAuthError)]
    assert sorted(codes) == ["Auth.InvalidUsernameOrPassword"] * 10 + ["Auth.LockedOut"] * 5
    assert (await world.credentials.find("u-ada")).failed_attempts == 10


async def test_logins_at_the_same_time_all_succeed(world: World) -> None:
    answers = await asyncio.gather(*(world.endpoint.grant(LOGIN, "192.0.2.1") for _ in range(60)))

    assert len(answers) == 60
    assert world.credentials.kept["u-ada"].failed_attempts == 0


async def test_a_refusal_says_the_same_of_a_wrong_and_of_an_unknown_name(world: World) -> None:
    bodies = []
    for form in (WRONG, UNKNOWN):
        with pytest.raises(OAuthError) as refused:
            await world.endpoint.grant(form, "192.0.2.1")
        bodies.append((refused.value.status, refused.value.headers, refused.value.body()))

    assert bodies[0] == bodies[1]


async def test_an_address_that_fails_too_often_waits_and_others_do_not() -> None:
    seconds = Seconds()
    world = World(seconds)
    world.directory.add(client())
    await world.add_user(user(), PASSWORD)
    for number in range(20):
        await code_of(world, {**UNKNOWN, "username": f"n{number}"}, "2001:db8::1")

    with pytest.raises(OAuthError) as refused:
        await world.endpoint.grant(LOGIN, "2001:db8::2")
    elsewhere = await world.token(LOGIN, "2001:db8:0:1::1")
    seconds.now = 6.0
    later = await world.token(LOGIN, "2001:db8::1")

    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "6"})
    assert refused.value.body()["error"] == "temporarily_unavailable"
    assert refused.value.errors[0].error_code == "Auth.LockedOut"
    assert elsewhere.username == later.username == "ada"


async def test_wrong_client_secrets_count_for_the_address(world: World) -> None:
    secret = new_secret()
    world.directory.change_client("app", secrets=[StoredSecret(stored_new(secret))])
    for _ in range(20):
        await code_of(world, {**LOGIN, "client_secret": "guess"}, "192.0.2.1")

    right = {**LOGIN, "client_secret": secret}

    assert await code_of(world, right, "192.0.2.1") == "Auth.LockedOut"
    assert (await world.token(right, "192.0.2.2")).username == "ada"


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 30)), max_size=60))
def test_an_address_never_fails_more_often_than_its_limit(
    steps: list[tuple[bool, float]],
) -> None:
    seconds = Seconds()
    limits = AddressLimits(burst=3, per_minute=6, elapsed=seconds)
    failed: list[float] = []

    for tries, pause in steps:
        if tries and not limits.seconds_to_wait("192.0.2.1"):
            limits.failed("192.0.2.1")
            failed.append(seconds.now)
        seconds.now += pause

    for first, start in enumerate(failed):
        for last, end in enumerate(failed[first:], first):
            assert last - first + 1 <= 3 + (end - start) / 10 + 1e-6


def test_only_so_many_addresses_are_remembered() -> None:
    limits = AddressLimits(burst=1, per_minute=1, remembered=2, elapsed=Seconds())
    for address in ("192.0.2.1", "192.0.2.2", "::ffff:192.0.2.3"):
        limits.failed(address)

    waits = [limits.seconds_to_wait(f"192.0.2.{number}") for number in (1, 2, 3)]

    assert waits == [0, 60, 60]
    assert limits.seconds_to_wait("unknown") == 0
