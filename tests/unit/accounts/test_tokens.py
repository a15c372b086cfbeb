"""Tokens as a verifier sees them: made by hand with a key of the test's own."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from shared.http.errors import ApiError
from shared.http.principal import Principal, UserType
from shared.http.tokens import TokenVerifier, claims_of
from tests.support.fakes import START, FakeClock

KEY = RSAKey.generate_key(2048)
OTHER_KEY = RSAKey.generate_key(2048)
ISSUER = "https://shop.example/auth"
AUDIENCE = "https://shop.example/api"

ADA = Principal(
    user_id="ada",
    username="Ada.L",
    internal_id="u-1",
    user_type=UserType.BUYER,
    company_id="acme",
    roles=frozenset({"Shopper", "MeAdmin"}),
    client_id="app",
    impersonator=None,
    anonymous_order=None,
    expires=START + timedelta(minutes=10),
)


class Keys:
    """A KeySource that counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, kid: str) -> RSAKey | None:
        self.asked.append(kid)
        return {"one": KEY, "two": OTHER_KEY}.get(kid)


class Revoked:
    """Revocations by user: everything up to a moment."""

    def __init__(self) -> None:
        self.until: dict[str, datetime] = {}

    async def is_revoked(self, internal_id: str, issued_at: datetime) -> bool:
        return issued_at <= self.until.get(internal_id, datetime.min.replace(tzinfo=UTC))


class World:
    def __init__(self, remembered: int = 10) -> None:
        self.clock = FakeClock()
        self.keys = Keys()
        self.revoked = Revoked()
        self.verifier = TokenVerifier(
            self.keys,
            self.revoked,
            issuer=ISSUER,
            audience=AUDIENCE,
            clock=self.clock,
            remembered=remembered,
        )

    async def refusal(self, authorization: str | None) -> str:
        with pytest.raises(ApiError) as refused:
            await self.verifier.verify(authorization)
        assert refused.value.status == 401
        assert refused.value.headers == {"WWW-Authenticate": 'Bearer realm="ordermesh"'}
        (error,) = refused.value.errors
        return f"{error.error_code}: {error.message}"


def claims(principal: Principal = ADA, **changes: Any) -> dict[str, Any]:
    """The claims of ``principal``; a change to None leaves one out."""
    all_ = {**claims_of(principal, issuer=ISSUER, audience=AUDIENCE, issued=START), **changes}
    return {name: value for name, value in all_.items() if value is not None}


def token(
    of: dict[str, Any] | None = None, *, key: Any = KEY, alg: str = "RS256", kid: Any = "one"
) -> str:
    header = {"alg": alg, "typ": "JWT", **({} if kid is None else {"kid": kid})}
    return jwt.encode(header, claims() if of is None else of, key, algorithms=[alg])


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_a_token_says_whose_it_is() -> None:
    world = World()

    principal = await world.verifier.verify(f"Bearer {token()}")

    assert principal == ADA


async def test_an_impersonated_and_an_anonymous_user_are_told_as_such() -> None:
    world = World()
    acting = {**claims(), "imp": "u-9"}
    shopping = {**claims(), "orderid": "cart-1"}

    impersonated = await world.verifier.verify(f"bearer  {token(acting)} ")
    anonymous = await world.verifier.verify(f"BEARER {token(shopping)}")

    assert (impersonated.impersonator, impersonated.anonymous_order) == ("u-9", None)
    assert (anonymous.impersonator, anonymous.anonymous_order) == (None, "cart-1")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "  "])
async def test_without_a_token_the_caller_is_told_where_to_get_one(header: str | None) -> None:
    assert await World().refusal(header) == (
        "Auth.OauthError: There is no access token: get one from POST /oauth/token and send it in"
        " the header Authorization: Bearer <token>."
    )


def _public_key_as_secret() -> str:
    """Signed with what anyone can read, in the hope that it is taken for a shared secret."""
    signed = f"{segment({'alg': 'HS256', 'kid': 'one'})}.{segment(claims())}"
    mac = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


FORGED = {
    "alg none": f"{segment({'alg': 'none', 'kid': 'one'})}.{segment(claims())}.",
    "public key as a shared secret": _public_key_as_secret(),
    "other RSA algorithm": token(alg="RS512"),
    "key of another": token(key=OTHER_KEY),
    "payload replaced": ".".join(
        [token().split(".")[0], segment(claims(role=["FullAccess"])), token().split(".")[2]]
    ),
    "no kid": token(kid=None),
    "unknown kid": token(kid="three"),
    "other issuer": token(claims(iss="https://evil.example")),
    "other audience": token(claims(aud="https://evil.example")),
    "not yet": token(claims(nbf=int(START.timestamp()) + 11)),
    "no expiry": token(claims(exp=None)),
    "expiry of a wrong type": token(claims(exp="9999999999")),
    "expiry beyond all time": token(claims(exp=10**18)),
    "no user": token(claims(u=None)),
    "no company": token(claims(cmp=None)),
    "no issue time": token(claims(ims=None)),
    "roles as text": token(claims(role="FullAccess")),
    "roles of a wrong type": token(claims(role=[1])),
    "unknown user type": token(claims(usrtype="root")),
    "key in the header": jwt.encode(
        {"alg": "RS256", "kid": "four", "jwk": OTHER_KEY.as_dict(private=False)},
        claims(),
        OTHER_KEY,
        algorithms=["RS256"],
    ),
    "too long": token() + "A" * 16_384,
    "not ASCII": "é.é.é",
    "two parts": "a.b",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
async def test_a_token_that_does_not_hold_is_refused(forged: str) -> None:
    world = World()

    refusal = await world.refusal(f"Bearer {forged}")

    assert refusal.startswith("Auth.OauthError: The access token does not hold: ")


@given(st.text(max_size=300) | st.lists(st.binary(max_size=60), min_size=3, max_size=3))
async def test_whatever_comes_as_a_token_is_refused_with_401(came: str | list[bytes]) -> None:
    if isinstance(came, list):
        came = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in came)

    assert (await World().refusal(f"Bearer {came}")).startswith("Auth.OauthError: ")


@pytest.mark.parametrize("remembered", [False, True])
async def test_a_token_holds_ten_seconds_longer_than_it_says(remembered: bool) -> None:
    world = World()
    header = f"Bearer {token()}"
    if remembered:
        await world.verifier.verify(header)
    world.clock.now = ADA.expires + timedelta(seconds=10)

    last = await world.verifier.verify(header)
    world.clock.advance(timedelta(milliseconds=1))
    refusal = await world.refusal(header)

    assert last == ADA
    assert refusal == (
        "Auth.OauthError: The access token has expired: log in again, or use the refresh token."
    )


async def test_a_token_that_comes_again_is_not_verified_again() -> None:
    world = World()
    header = f"Bearer {token()}"

    await world.verifier.verify(header)
    await world.verifier.verify(header)

    assert world.keys.asked == ["one"]


async def test_only_so_many_tokens_are_remembered_the_last_used_ones() -> None:
    world = World(remembered=2)
    first, second, third = (f"Bearer {token(claims(cid=id))}" for id in ("a", "b", "c"))
    for header in (first, second, first, third):
        await world.verifier.verify(header)
    world.keys.asked.clear()

    await world.verifier.verify(first)
    await world.verifier.verify(second)

    assert world.keys.asked == ["one"]


async def test_what_was_issued_before_a_revocation_no_longer_holds() -> None:
    world = World()
    before = f"Bearer {token()}"
    await world.verifier.verify(before)
    world.revoked.until["u-1"] = START

    refusal = await world.refusal(before)
    after = await world.verifier.verify(f"Bearer {token(claims(ims=claims()['ims'] + 1))}")

    assert refusal == (
        "Auth.TokenRevoked: The token was revoked, or its user is gone or no longer active: log"
        " in again."
    )
    assert after == ADA


async def test_who_impersonates_loses_the_token_with_his_own() -> None:
    world = World()
    world.revoked.until["u-9"] = START

    refusal = await world.refusal(f"Bearer {token({**claims(), 'imp': 'u-9'})}")

    assert refusal.startswith("Auth.TokenRevoked: ")


@pytest.mark.parametrize(
    ("roles", "wanted", "may"),
    [
        ({"Shopper"}, ["Shopper", "OrderAdmin"], True),
        ({"Shopper"}, ["OrderAdmin"], False),
        (set(), ["OrderAdmin"], False),
        (set(), [], True),
        ({"FullAccess"}, ["OrderAdmin"], True),
        ({"FullAccess"}, ["MyOwnRole"], True),
    ],
)
def test_one_of_the_roles_is_enough_and_full_access_is_all(
    roles: set[str], wanted: list[str], may: bool
) -> None:
    principal = Principal(
        "ada", "ada", "u-1", UserType.ADMIN, "mp", frozenset(roles), "app", None, None, START
    )

    assert principal.has_any(wanted) is may
