"""Keys and revocations in a real MongoDB, and access as a whole on it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws
from pymongo.asynchronous.database import AsyncDatabase

from services.accounts.access.keys import SigningKeys, TokenIssuer
from services.accounts.access.wiring import build_access
from shared.http.errors import ApiError
from shared.http.principal import Principal, UserType
from shared.http.revocations import MongoRevocations
from shared.http.signing_keys import MongoKeySource
from shared.http.tokens import TokenVerifier
from tests.support.fakes import FakeClock
from tests.unit.accounts.fakes import FakeDirectory
from tests.unit.accounts.world import (
    cheap_passwords,
    client,
    profile,
    user,
)

Database = AsyncDatabase[dict[str, Any]]

NOW = datetime.now(UTC).replace(microsecond=0)
"""The present: the server's own clock removes what has expired."""

ADA = Principal(
    user_id="ada",
    username="ada",
    internal_id="u-1",
    user_type=UserType.BUYER,
    company_id="acme",
    roles=frozenset({"Shopper"}),
    client_id="app",
    impersonator=None,
    anonymous_order=None,
    expires=NOW + timedelta(days=365),
)


class Seconds:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Active:
    """Users who may act: all but the named ones."""

    def __init__(self) -> None:
        self.gone: set[str] = set()

    async def is_active(self, internal_id: str) -> bool:
        return internal_id not in self.gone


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


async def test_processes_that_start_at_once_agree_on_one_key(database: Database) -> None:
    processes = [SigningKeys(database, FakeClock(NOW)) for _ in range(3)]

    await asyncio.gather(*(keys.prepare() for keys in processes))
    tokens = await asyncio.gather(*(keys.sign({"a": 1}) for keys in processes))

    assert len({kid_of(token) for token in tokens}) == 1
    assert await database["signing_keys"].count_documents({}) == 1


async def test_a_key_is_there_before_it_signs_and_stays_for_what_it_signed(
    database: Database,
) -> None:
    clock = FakeClock(NOW)
    keys = SigningKeys(database, clock, rotate_after=timedelta(days=30))
    await keys.prepare()
    first = kid_of(await keys.sign({}))

    clock.now = NOW + timedelta(days=30, hours=-1)
    await keys.rotate()
    both = await database["signing_keys"].find().sort("Sequence").to_list()
    still = kid_of(await keys.sign({}))
    clock.now = NOW + timedelta(days=30)
    then = kid_of(await keys.sign({}))

    assert [key["_id"] for key in both] == [first, then]
    assert still == first
    assert both[1]["SignsFrom"] == NOW + timedelta(days=30)
    assert both[0]["RetiresAt"] == NOW + timedelta(days=30 + 364, hours=1)


async def test_what_one_process_issues_another_believes(database: Database) -> None:
    clock = FakeClock(NOW)
    keys = SigningKeys(database, clock)
    await keys.prepare()
    issuer = TokenIssuer(keys, issuer="us", audience="them")
    source = MongoKeySource(database)
    verifier = TokenVerifier(
        source,
        MongoRevocations(database, Active()),
        issuer="us",
        audience="them",
        clock=clock,
    )

    token = await issuer.issue(ADA, NOW)
    principal = await verifier.verify(f"Bearer {token}")
    jwk = await source.jwk(kid_of(token))

    assert principal == ADA
    assert jwk is not None
    assert set(jwk) == {"kty", "n", "e", "alg", "use", "kid"}
    assert (jwk["alg"], jwk["use"], jwk["kid"]) == ("RS256", "sig", kid_of(token))


async def test_an_unknown_key_is_looked_for_once_a_second(database: Database) -> None:
    seconds = Seconds()
    source = MongoKeySource(database, elapsed=seconds)
    assert await source.get("none") is None
    keys = SigningKeys(database, FakeClock(NOW))
    await keys.prepare()
    kid = kid_of(await keys.sign({}))

    at_once = await source.get(kid)
    seconds.now = 1.1
    later = await asyncio.gather(*(source.get(kid) for _ in range(3)))

    assert at_once is None
    assert [key.kid for key in later if key] == [kid] * 3


async def test_a_revocation_counts_at_once_here_and_soon_elsewhere(database: Database) -> None:
    seconds = Seconds()
    here = MongoRevocations(database, Active(), elapsed=seconds)
    elsewhere = MongoRevocations(database, Active(), elapsed=seconds)
    for revocations in (here, elsewhere):
        assert not await revocations.is_revoked("u-1", NOW)

    await here.revoke("u-1", NOW)

    assert await here.is_revoked("u-1", NOW)
    assert not await here.is_revoked("u-1", NOW + timedelta(milliseconds=1))
    assert not await elsewhere.is_revoked("u-1", NOW)
    seconds.now = 3.1
    assert await elsewhere.is_revoked("u-1", NOW)


async def test_a_revocation_is_never_taken_back_by_an_older_one(database: Database) -> None:
    revocations = MongoRevocations(database, Active())
    await revocations.revoke("u-1", NOW)

    await revocations.revoke("u-1", NOW - timedelta(hours=1))

    assert await revocations.is_revoked("u-1", NOW)


async def test_a_user_who_is_gone_has_no_token(database: Database) -> None:
    clock, active = FakeClock(NOW), Active()
    keys = SigningKeys(database, clock)
    await keys.prepare()
    token = await TokenIssuer(keys, issuer="us", audience="them").issue(ADA, NOW)
    revocations = MongoRevocations(database, active)
    verifier = TokenVerifier(
        MongoKeySource(database), revocations, issuer="us", audience="them", clock=clock
    )
    await verifier.verify_token(token)

    active.gone.add("u-1")
    revocations.forget("u-1")

    with pytest.raises(ApiError) as refused:
        await verifier.verify_token(token)
    assert (refused.value.status, refused.value.errors[0].error_code) == (401, "Auth.TokenRevoked")


async def test_nothing_that_lets_somebody_in_can_be_read_from_the_database(
    database: Database,
) -> None:
    directory = FakeDirectory()
    directory.add(user(), client(refresh_minutes=60), profile("p", "Shopper"))
    directory.assign("p", "acme")
    access = build_access(
        database,
        directory,
        FakeClock(NOW),
        issuer="us",
        audience="them",
        passwords=cheap_passwords(),
    )
    await access.prepare()
    ada = directory.users["u-ada"]
    await access.logins.set(ada, "correct horse", own=False)
    answer = await access.endpoint.grant(
        {
            "grant_type": "password",
            "client_id": "app",
            "username": "ada",
            "password": "correct horse",
        },
        "192.0.2.1",
    )
    codes = [
        await access.recovery.verification_code(ada, "app"),
        await access.recovery.one_time_password(ada, "app"),
    ]

    kept = {name: await database[name].find().to_list() for name in await _collections(database)}

    assert set(kept) == {"signing_keys", "credentials", "refresh_tokens", "codes"}
    for secret in ("correct horse", answer.access_token, answer.refresh_token, *codes):
        assert str(secret) not in str(kept)


async def test_a_user_logs_in_refreshes_and_is_thrown_out(database: Database) -> None:
    clock, directory = FakeClock(NOW), FakeDirectory()
    directory.add(user(), client(refresh_minutes=60), profile("p", "Shopper"))
    directory.assign("p", "acme")
    access = build_access(
        database, directory, clock, issuer="us", audience="them", passwords=cheap_passwords()
    )
    await access.prepare()
    await access.logins.set(directory.users["u-ada"], "correct horse", own=False)
    login = {"grant_type": "password", "client_id": "app", "username": "ada"}
    first = await access.endpoint.grant({**login, "password": "correct horse"}, "192.0.2.1")
    refresh = {"grant_type": "refresh_token", "client_id": "app"}
    refresh["refresh_token"] = str(first.refresh_token)
    second = await access.endpoint.grant(refresh, "192.0.2.1")
    assert (await access.verifier.verify(f"Bearer {second.access_token}")).username == "ada"

    await access.user_tokens.revoke("u-ada")

    refused = []
    for token in (first, second):
        with pytest.raises(ApiError) as error:
            await access.verifier.verify_token(token.access_token)
        refused.append(error.value.errors[0].error_code)
    with pytest.raises(ApiError) as error:
        await access.endpoint.grant(refresh, "192.0.2.1")
    assert refused == ["Auth.TokenRevoked"] * 2
    assert error.value.errors[0].error_code == "Auth.OauthError"
    clock.advance(1)
    again = await access.endpoint.grant({**login, "password": "correct horse"}, "192.0.2.1")
    assert (await access.verifier.verify_token(again.access_token)).username == "ada"


async def _collections(database: Database) -> list[str]:
    return [name for name in await database.list_collection_names() if "system" not in name]
