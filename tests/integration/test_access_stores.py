"""What access keeps, in memory and in a real MongoDB: the same tests hold for both."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from services.accounts.access.codes import CodeStore, MongoCodes, Purpose
from services.accounts.access.credentials import FOR_EVER, CredentialStore, MongoCredentials
from services.accounts.access.policy import PasswordRules
from services.accounts.access.refresh_tokens import (
    MongoRefreshTokens,
    RefreshToken,
    RefreshTokenStore,
)
from tests.unit.accounts.fakes import FakeCodes, FakeCredentials, FakeRefreshTokens

Database = AsyncDatabase[dict[str, Any]]

NOW = datetime.now(UTC).replace(microsecond=0)
"""The present: the server's own clock removes what has expired."""


@pytest.fixture(params=["fake", "mongo"])
def credentials(request: pytest.FixtureRequest, database: Database) -> CredentialStore:
    return FakeCredentials() if request.param == "fake" else MongoCredentials(database)


@pytest.fixture(params=["fake", "mongo"])
def refresh_tokens(request: pytest.FixtureRequest, database: Database) -> RefreshTokenStore:
    return FakeRefreshTokens() if request.param == "fake" else MongoRefreshTokens(database)


@pytest.fixture(params=["fake", "mongo"])
def codes(request: pytest.FixtureRequest, database: Database) -> CodeStore:
    return FakeCodes() if request.param == "fake" else MongoCodes(database)


async def test_passwords_are_kept_newest_first_as_many_as_asked(
    credentials: CredentialStore,
) -> None:
    nothing = await credentials.find("u-1")
    for number in range(4):
        at = NOW + timedelta(hours=number)
        await credentials.put("u-1", f"hash-{number}", keep=3, now=at)
    await credentials.rehash("u-1", "hash-2", "not the current one")
    await credentials.rehash("u-1", "hash-3", "renewed")

    found = await credentials.find("u-1")

    assert (nothing.current, nothing.hashes, nothing.failed_attempts) == (None, (), 0)
    assert found.hashes == ("renewed", "hash-2", "hash-1")
    assert found.password_set == NOW + timedelta(hours=3)
    assert await credentials.find_all(["u-1", "u-2"]) == {"u-1": found}


async def test_the_last_wrong_password_allowed_locks_for_a_while(
    credentials: CredentialStore,
) -> None:
    rules = PasswordRules(allowed_failed_attempts=2, lockout_duration=5)

    first = await credentials.add_failure("u-1", rules, NOW)
    second = await credentials.add_failure("u-1", rules, NOW)
    end = NOW + timedelta(minutes=5)
    anew = await credentials.add_failure("u-1", rules, end)

    assert (first.failed_attempts, first.locked_until) == (1, None)
    assert (second.failed_attempts, second.locked_until) == (2, end)
    assert second.locked(end - timedelta(milliseconds=1))
    assert not second.locked(end)
    assert (anew.failed_attempts, anew.locked_until) == (1, None)
    assert await credentials.find("u-1") == anew


async def test_a_lock_without_an_end_lasts_until_it_is_opened(
    credentials: CredentialStore,
) -> None:
    rules = PasswordRules(allowed_failed_attempts=1, lockout_duration=0)
    await credentials.add_failure("u-1", rules, NOW)
    locked = await credentials.add_failure("u-1", rules, NOW + timedelta(days=10_000))

    await credentials.unlock("u-1")
    await credentials.unlock("u-2")

    assert (locked.failed_attempts, locked.locked_until) == (2, FOR_EVER)
    opened = await credentials.find("u-1")
    assert (opened.failed_attempts, opened.locked_until) == (0, None)
    assert await credentials.find_all(["u-2"]) == {}


async def test_a_new_password_opens_the_account(credentials: CredentialStore) -> None:
    await credentials.add_failure("u-1", PasswordRules(allowed_failed_attempts=1), NOW)

    await credentials.put("u-1", "hash", keep=1, now=NOW)

    found = await credentials.find("u-1")
    assert (found.failed_attempts, found.locked_until, found.hashes) == (0, None, ("hash",))


async def test_wrong_passwords_at_the_same_time_are_all_counted(
    credentials: CredentialStore,
) -> None:
    rules = PasswordRules(allowed_failed_attempts=100)

    await asyncio.gather(*(credentials.add_failure("u-1", rules, NOW) for _ in range(20)))

    assert (await credentials.find("u-1")).failed_attempts == 20


async def test_a_refresh_token_stands_for_what_was_asked(
    refresh_tokens: RefreshTokenStore,
) -> None:
    end = NOW + timedelta(hours=1)
    all_roles = RefreshToken("u-1", "app", None, NOW, end)
    some_roles = RefreshToken("u-2", "app", frozenset({"A", "B"}), NOW, end)

    first, second = await refresh_tokens.issue(all_roles), await refresh_tokens.issue(some_roles)

    assert await refresh_tokens.find(first, NOW) == all_roles
    assert await refresh_tokens.find(second, end - timedelta(milliseconds=1)) == some_roles
    assert await refresh_tokens.find(second, end) is None
    assert await refresh_tokens.find("x" * 1_000, NOW) is None


async def test_a_users_refresh_tokens_go_together(refresh_tokens: RefreshTokenStore) -> None:
    end = NOW + timedelta(hours=1)
    mine = [
        await refresh_tokens.issue(RefreshToken("u-1", id, None, NOW, end)) for id in ("a", "b")
    ]
    other = await refresh_tokens.issue(RefreshToken("u-2", "a", None, NOW, end))

    await refresh_tokens.revoke("u-1")

    assert [await refresh_tokens.find(text, NOW) for text in mine] == [None, None]
    assert await refresh_tokens.find(other, NOW) is not None


async def test_a_code_is_used_by_one_caller_once(codes: CodeStore) -> None:
    code = await codes.issue(Purpose.VERIFICATION, "u-1", "app", NOW)
    proof = (Purpose.VERIFICATION, "u-1", "app", code, NOW)
    held = await codes.holds(*proof)

    uses = await asyncio.gather(*(codes.use(*proof) for _ in range(5)))

    assert held
    assert sorted(uses) == [False] * 4 + [True]
    assert not await codes.holds(*proof)


async def test_a_code_is_good_for_one_thing_and_a_time(codes: CodeStore) -> None:
    old = await codes.issue(Purpose.ONE_TIME_PASSWORD, "u-1", "app", NOW)
    code = await codes.issue(Purpose.ONE_TIME_PASSWORD, "u-1", "app", NOW)
    purpose, end = Purpose.ONE_TIME_PASSWORD, NOW + timedelta(minutes=15)

    held = {
        "old": await codes.holds(purpose, "u-1", "app", old, NOW),
        "purpose": await codes.holds(Purpose.VERIFICATION, "u-1", "app", code, NOW),
        "user": await codes.holds(purpose, "u-2", "app", code, NOW),
        "client": await codes.holds(purpose, "u-1", "web", code, NOW),
        "late": await codes.holds(purpose, "u-1", "app", code, end),
        "right": await codes.holds(purpose, "u-1", "app", code, end - timedelta(milliseconds=1)),
    }
    await codes.delete("u-1")

    assert held == {**dict.fromkeys(held, False), "right": True}
    assert not await codes.holds(purpose, "u-1", "app", code, NOW)
