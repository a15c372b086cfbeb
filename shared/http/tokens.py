"""Tokens: what a request brings in its ``Authorization`` header, and who that makes its caller.

Tokens are JWTs signed with RS256 by one of the keys that :mod:`shared.http.signing_keys` reads.
The claims are OrderCloud's (``usr``, ``cid``, ``usrtype``, ``role``, ``iss``, ``aud``, ``exp``,
``nbf``, ``u``, ``orderid``, ``imp``) and three of our own: ``cmp``, the ID of the user's company,
``uid``, the user's ID in it, and ``ims``, when the token was issued, in milliseconds, so that a
token of the second in which its user's tokens are revoked falls on one side of that moment.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from shared.http.errors import ApiError, unauthorized
from shared.http.principal import Principal, UserType
from shared.messaging.processor import Clock

ALGORITHM = "RS256"
SKEW = timedelta(seconds=10)
"""How far the clocks may differ. OrderCloud's SDK sends a token until ten seconds after its end."""

_LONGEST = 16_384
"""Characters of a token that are looked at; a browser's cookie takes a quarter of it."""


class KeySource(Protocol):
    """Where a verifier has its public keys from."""

    async def get(self, kid: str) -> RSAKey | None:
        """The public key with this ID, or None where no such key signs or has signed."""
        ...


class Revocations(Protocol):
    """Which tokens no longer hold although they have not expired."""

    async def is_revoked(self, internal_id: str, issued_at: datetime) -> bool:
        """Whether the tokens that the user got at ``issued_at`` (UTC) or before were revoked, or
        the user is gone or no longer active."""
        ...


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    issued: datetime
    until: datetime


class TokenVerifier:
    """Says whose a token is. What was verified once is remembered, so that a token that comes
    again costs no signature check; whether it was revoked is asked each time."""

    def __init__(
        self,
        keys: KeySource,
        revocations: Revocations,
        *,
        issuer: str,
        audience: str,
        clock: Clock,
        remembered: int = 10_000,
    ) -> None:
        self._keys = keys
        self._revocations = revocations
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._remembered = remembered
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    async def verify(self, authorization: str | None) -> Principal:
        """The caller that the value of the header ``Authorization`` names.

        Raises ApiError with status 401: ``Auth.OauthError`` for no token or one that does not
        hold, ``Auth.TokenRevoked`` for one that held once.
        """
        return await self.verify_token(bearer(authorization))

    async def verify_token(self, token: str) -> Principal:
        """As :meth:`verify`, for a token that came by another way, such as a query parameter."""
        now = self._clock()
        known = self._verified.get(token)
        if known is None:
            known = await self._verify(token, now)
            self._remember(token, known)
        elif now > known.until:
            del self._verified[token]
            raise _expired()
        else:
            self._verified.move_to_end(token)
        principal = known.principal
        for user in (principal.internal_id, principal.impersonator):
            if user is not None and await self._revocations.is_revoked(user, known.issued):
                raise unauthorized(
                    "Auth.TokenRevoked",
                    "The token was revoked, or its user is gone or no longer active: log in again.",
                )
        return principal

    async def _verify(self, token: str, now: datetime) -> _Verified:
        if len(token) > _LONGEST or not token.isascii():
            raise _invalid("it is no token of this API")
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
            if not isinstance(kid, str):
                raise _invalid("its header names no key")
            key = await self._keys.get(kid)
            if key is None:
                raise _invalid("the key that it names does not exist, or is no longer kept")
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        # Besides its own errors, the library lets those of Base64, JSON and types through.
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise _invalid("it is malformed, or its signature does not match") from None
        return self._read(claims, now)

    def _read(self, claims: Mapping[str, Any], now: datetime) -> _Verified:
        if claims.get("iss") != self._issuer or claims.get("aud") != self._audience:
            raise _invalid("it was issued by, or for, another API")
        try:
            verified = _verified(claims)
            not_before = _time(claims["nbf"])
        except (KeyError, ValueError, TypeError, OverflowError):
            raise _invalid("claims are missing or of a wrong type") from None
        if now > verified.until:
            raise _expired()
        if now < not_before - SKEW:
            raise _invalid("it does not hold yet; compare the servers' clocks")
        return verified

    def _remember(self, token: str, verified: _Verified) -> None:
        self._verified[token] = verified
        while len(self._verified) > self._remembered:
            self._verified.popitem(last=False)


def bearer(authorization: str | None) -> str:
    """The token in the header. Raises ApiError, 401, where there is none."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise unauthorized(
            "Auth.OauthError",
            "There is no access token: get one from POST /oauth/token and send it in the header"
            " Authorization: Bearer <token>.",
        )
    return token


def claims_of(
    principal: Principal, *, issuer: str, audience: str, issued: datetime
) -> dict[str, Any]:
    """What a token of ``principal`` claims that is issued at ``issued`` (UTC)."""
    claims: dict[str, Any] = {
        "usr": principal.username,
        "cid": principal.client_id,
        "u": principal.internal_id,
        "uid": principal.user_id,
        "cmp": principal.company_id,
        "usrtype": principal.user_type.value,
        "role": sorted(principal.roles),
        "iss": issuer,
        "aud": audience,
        "exp": int(principal.expires.timestamp()),
        "nbf": int(issued.timestamp()),
        "ims": _milliseconds(issued),
    }
    if principal.impersonator is not None:
        claims["imp"] = principal.impersonator
    if principal.anonymous_order is not None:
        claims["orderid"] = principal.anonymous_order
    return claims


def _verified(claims: Mapping[str, Any]) -> _Verified:
    roles = claims["role"]
    if not isinstance(roles, list):
        raise TypeError
    expires = _time(claims["exp"])
    principal = Principal(
        user_id=_text(claims["uid"]),
        username=_text(claims["usr"]),
        internal_id=_text(claims["u"]),
        user_type=UserType(claims["usrtype"]),
        company_id=_text(claims["cmp"]),
        roles=frozenset(_text(role) for role in roles),
        client_id=_text(claims["cid"]),
        impersonator=_text(claims["imp"]) if "imp" in claims else None,
        anonymous_order=_text(claims["orderid"]) if "orderid" in claims else None,
        expires=expires,
    )
    issued = _EPOCH + timedelta(milliseconds=_whole(claims["ims"]))
    return _Verified(principal, issued, expires + SKEW)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _time(value: Any) -> datetime:
    return _EPOCH + timedelta(seconds=_whole(value))


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _invalid(why: str) -> ApiError:
    return unauthorized(
        "Auth.OauthError",
        f"The access token does not hold: {why}. Get another one from POST /oauth/token.",
    )


def _expired() -> ApiError:
    return unauthorized(
        "Auth.OauthError",
        "The access token has expired: log in again, or use the refresh token.",
    )
