"""Rules for passwords, their hashes, and what a change of one takes."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.access.passwords import Passwords
from services.accounts.access.policy import PasswordRules, strictest, weaknesses
from shared.http.errors import ApiError
from tests.support.fakes import START
from tests.unit.accounts.world import World, cheap_passwords, profile, user

DEFAULT = strictest([])
SHORT = strictest([PasswordRules(minimum_character_count=1)])


async def refusal(world: World, password: str, *, own: bool = True) -> str:
    account = world.directory.users["u-ada"]
    with pytest.raises(ApiError) as refused:
        await world.logins.set(account, password, own=own)
    assert refused.value.status == 400
    return refused.value.errors[0].error_code


async def world_with(**rules: object) -> World:
    """Ada, whose profile has these rules, with the password "first 1st"."""
    world = World()
    world.directory.add(profile("p", "Shopper", **rules))
    world.directory.assign("p", "acme")
    await world.add_user(user())
    await world.logins.set(world.directory.users["u-ada"], "first 1st", own=False)
    return world


def test_without_rules_eight_characters_will_do() -> None:
    assert weaknesses("abcdefg", DEFAULT) == ["at least 8 characters"]
    assert weaknesses("abcdefgh", DEFAULT) == []


@pytest.mark.parametrize(
    ("rules", "weak", "strong", "lacks"),
    [
        ({"minimum_character_count": 3}, "ab", "abc", "at least 3 characters"),
        ({"minimum_character_count": 0}, "", "abcdefgh", "at least 8 characters"),
        ({"upper_case_required": True}, "abcdefgh", "abcdefgÉ", "an upper-case letter"),
        ({"lower_case_required": True}, "ABCDEFGH", "ABCDEFGé", "a lower-case letter"),
        ({"numeric_required": True}, "abcdefgh", "abcdefg1", "a digit"),
        ({"special_character_required": True}, "abc efgé", "abcdefg!", "a special character"),
        (
            {"max_consecutive_dupe_chars": 2},
            "aabbbcde",
            "aabbabcd",
            "no character more than 2 times in a row",
        ),
    ],
)
def test_each_rule_asks_for_one_thing(
    rules: dict[str, int | bool], weak: str, strong: str, lacks: str
) -> None:
    asked = strictest([PasswordRules(**rules)])

    assert weaknesses(weak, asked) == [lacks]
    assert weaknesses(strong, asked) == []


def test_a_password_has_an_end() -> None:
    assert weaknesses("ab" * 501, DEFAULT) == ["at most 1,000 characters"]


def test_of_several_profiles_the_strictest_rule_holds() -> None:
    rules = strictest(
        [
            PasswordRules(
                minimum_character_count=10, allowed_failed_attempts=5, lockout_duration=60
            ),
            PasswordRules(
                minimum_character_count=12,
                allowed_failed_attempts=0,
                lockout_duration=5,
                maximum_password_age=90,
                numeric_required=True,
            ),
            PasswordRules(maximum_password_age=30, limit_password_reuse=3),
        ]
    )

    assert rules == PasswordRules(
        minimum_character_count=12,
        allowed_failed_attempts=5,
        lockout_duration=60,
        maximum_password_age=30,
        limit_password_reuse=3,
        numeric_required=True,
    )


def test_a_lockout_of_no_minutes_is_the_longest() -> None:
    rules = strictest([PasswordRules(lockout_duration=0), PasswordRules(lockout_duration=60)])

    assert rules.lockout is None


_counts = st.none() | st.integers(0, 12)
_rules = st.builds(
    PasswordRules,
    limit_password_reuse=_counts,
    max_consecutive_dupe_chars=_counts,
    maximum_password_age=_counts,
    minimum_password_age=_counts,
    allowed_failed_attempts=_counts,
    lockout_duration=_counts,
    upper_case_required=st.booleans(),
    lower_case_required=st.booleans(),
    special_character_required=st.booleans(),
    numeric_required=st.booleans(),
    minimum_character_count=_counts,
)


@given(st.text(alphabet="aA1!é ", max_size=14), st.lists(_rules, min_size=1, max_size=4))
def test_what_all_profiles_together_accept_each_of_them_accepts(
    password: str, all_: list[PasswordRules]
) -> None:
    together = weaknesses(password, strictest(all_))

    if not together:
        assert [weaknesses(password, each) for each in all_] == [[]] * len(all_)


@given(st.lists(_rules, max_size=4), st.permutations(range(4)))
def test_the_order_of_profiles_does_not_matter(all_: list[PasswordRules], order: list[int]) -> None:
    shuffled = [all_[index] for index in order if index < len(all_)]

    assert strictest(shuffled) == strictest(all_)


@given(st.text(max_size=20), st.text(max_size=5))
def test_a_longer_password_never_lacks_a_kind_of_character_that_the_shorter_has(
    password: str, more: str
) -> None:
    kinds = PasswordRules(
        upper_case_required=True,
        lower_case_required=True,
        special_character_required=True,
        numeric_required=True,
    )

    assert set(weaknesses(password + more, kinds)) <= set(weaknesses(password, kinds))


async def test_an_insecure_password_is_answered_with_the_rules() -> None:
    world = await world_with(numeric_required=True, minimum_character_count=3)
    before = dict(world.credentials.kept)

    with pytest.raises(ApiError) as refused:
        await world.logins.set(world.directory.users["u-ada"], "ab", own=True)

    (error,) = refused.value.errors
    assert (refused.value.status, error.error_code) == (400, "PasswordReset.InsecurePassword")
    assert error.message == (
        "This password is not secure enough; it needs at least 3 characters, a digit."
    )
    assert error.data == {
        "LimitPasswordReuse": None,
        "MaxConsecutiveDupeChars": None,
        "MaximumPasswordAge": None,
        "MinimumPasswordAge": None,
        "AllowedFailedAttempts": 10,
        "LockoutDuration": 15,
        "UpperCaseRequired": False,
        "LowerCaseRequired": False,
        "SpecialCharacterRequired": False,
        "NumericRequired": True,
        "MinimumCharacterCount": 3,
    }
    assert world.credentials.kept == before


async def test_as_many_passwords_as_the_rule_says_are_not_used_again() -> None:
    world = await world_with(limit_password_reuse=2)
    account = world.directory.users["u-ada"]

    assert await refusal(world, "first 1st") == "PasswordReset.CannotReusePassword"
    await world.logins.set(account, "second one", own=True)
    assert await refusal(world, "first 1st") == "PasswordReset.CannotReusePassword"
    await world.logins.set(account, "third one", own=True)
    await world.logins.set(account, "first 1st", own=True)

    assert len((await world.credentials.find("u-ada")).hashes) == 2


async def test_without_the_rule_a_password_may_stay_and_no_old_one_is_kept() -> None:
    world = await world_with(minimum_character_count=1)

    await world.logins.set(world.directory.users["u-ada"], "first 1st", own=True)

    assert len((await world.credentials.find("u-ada")).hashes) == 1


async def test_a_user_waits_to_change_a_password_an_administrator_does_not() -> None:
    world = await world_with(minimum_password_age=10)
    account = world.directory.users["u-ada"]
    world.clock.advance(timedelta(minutes=10) - timedelta(seconds=1))

    assert await refusal(world, "second one") == "PasswordReset.TooSoonToChange"
    await world.logins.set(account, "second one", own=False)
    world.clock.advance(timedelta(minutes=10))
    await world.logins.set(account, "third one", own=True)

    found = await world.credentials.find("u-ada")
    assert found.password_set == START + timedelta(minutes=20, seconds=-1)


async def test_a_hash_is_argon2id_with_a_salt_of_its_own() -> None:
    passwords = Passwords()

    first, second = await passwords.hash("secret"), await passwords.hash("secret")

    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert await passwords.matches(first, "secret")
    assert not await passwords.matches(first, "Secret")


@pytest.mark.parametrize("stored", [None, "", "plain", "$argon2id$v=19$broken"])
async def test_what_is_no_hash_matches_nothing(stored: str | None) -> None:
    assert not await cheap_passwords().matches(stored, "")


async def test_letters_that_look_the_same_are_the_same() -> None:
    passwords = cheap_passwords()

    assert await passwords.matches(await passwords.hash("café"), "cafe\u0301")


@given(st.text(alphabet=st.characters(codec=None), max_size=30))
async def test_every_text_can_be_a_password(password: str) -> None:
    passwords = cheap_passwords()

    assert await passwords.matches(await passwords.hash(password), password)


async def test_whoever_finds_too_many_waiting_is_told_to_come_again() -> None:
    passwords = Passwords(rounds=1, memory=8, at_once=1, waiting=1)

    answers = await asyncio.gather(
        *(passwords.hash(str(number)) for number in range(3)), return_exceptions=True
    )

    assert [type(answer) for answer in answers] == [str, str, ApiError]
    refused = answers[2]
    assert isinstance(refused, ApiError)
    assert (refused.status, refused.headers) == (503, {"Retry-After": "1"})
    assert await passwords.matches(await passwords.hash("x"), "x")


async def test_a_login_renews_a_hash_of_former_parameters() -> None:
    world = World()
    account = await world.add_user(user())
    old = await cheap_passwords(rounds=2).hash("correct horse")
    await world.credentials.put(account.internal_id, old, keep=1, now=START)

    async def no_code(internal_id: str) -> bool:
        return False

    await world.logins.prove(account, "ada", "correct horse", no_code)

    renewed = (await world.credentials.find("u-ada")).current
    assert renewed is not None
    assert not world.passwords.outdated(renewed)
    assert await world.passwords.matches(renewed, "correct horse")
