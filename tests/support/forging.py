"""Real tokens of any caller, and all the ways in which a token may not hold."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from shared.http.principal import Principal
from shared.http.tokens import ALGORITHM, SKEW, TokenVerifier, claims_of
from tests.support.fakes import FakeClock

ISSUER = "http://api"
_KID = "current"
_BITS = 2048


class NothingRevoked:
    """Revocations of a marketplace in which every token holds until it expires."""

    async def is_revoked(self, internal_id: str, issued_at: datetime) -> bool:
        return False


class Mint:
    """Signs with a key of its own. ``verifier`` believes what it signs, as the API's does."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._keys = {_KID: RSAKey.generate_key(_BITS)}
        self._removed = RSAKey.generate_key(_BITS)
        self._made: dict[Principal, str] = {}
        self._forged: dict[Principal, Mapping[str, str | None]] = {}
        self.verifier = TokenVerifier(
            self, NothingRevoked(), issuer=ISSUER, audience=ISSUER, clock=clock
        )

    async def get(self, kid: str) -> RSAKey | None:
        """The verifier's KeySource."""
        return self._keys.get(kid)

    def header(self, principal: Principal) -> str:
        """The value of ``Authorization`` for a caller whose token holds."""
        if principal not in self._made:
            self._made[principal] = self._signed(self._claims(principal))
        return f"Bearer {self._made[principal]}"

    def forged(self, principal: Principal) -> Mapping[str, str | None]:
        """Values of ``Authorization``, None for no header, that must not let in, for a caller who
        would come in with a token that holds."""
        if principal not in self._forged:
            self._forged[principal] = self._forge(principal)
        return self._forged[principal]

    def _forge(self, principal: Principal) -> Mapping[str, str | None]:
        claims = self._claims(principal)
        good = self._signed(claims)
        head, payload, signature = good.split(".")
        public = self._keys[_KID].as_pem(private=False)
        ended = self._clock() - SKEW - timedelta(seconds=1)
        tokens = {
            "garbage": "xyz",
            "three parts of garbage": "a.b.c",
            "tampered claims": f"{head}.{_segment({**claims, 'usr': 'root'})}.{signature}",
            "tampered signature": f"{head}.{payload}.{_flipped(signature)}",
            "no signature": f"{head}.{payload}.",
            "alg none": f"{_segment({'alg': 'none', 'kid': _KID})}.{payload}.",
            "alg none, signed": f"{_segment({'alg': 'none', 'kid': _KID})}.{payload}.{signature}",
            "HS256 with the public key": _hs256(payload, public),
            "expired": self._signed(self._claims(replace(principal, expires=ended))),
            "not yet": self._signed({**claims, "nbf": claims["exp"] - 1}),
            "of another issuer": self._signed({**claims, "iss": "http://elsewhere"}),
            "for another audience": self._signed({**claims, "aud": "http://elsewhere"}),
            "of a removed key": self._signed(claims, key=self._removed, kid="removed"),
            "of another key under a known ID": self._signed(claims, key=self._removed),
        }
        return {
            "no header": None,
            "empty bearer": "Bearer ",
            "another scheme": f"Basic {good}",
            **{name: f"Bearer {token}" for name, token in tokens.items()},
        }

    def _claims(self, principal: Principal) -> dict[str, Any]:
        return claims_of(principal, issuer=ISSUER, audience=ISSUER, issued=self._clock())

    def _signed(self, claims: dict[str, Any], key: RSAKey | None = None, kid: str = _KID) -> str:
        header = {"alg": ALGORITHM, "typ": "JWT", "kid": kid}
        return jwt.encode(header, claims, key or self._keys[_KID], algorithms=[ALGORITHM])


def _hs256(payload: str, secret: bytes) -> str:
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT', 'kid': _KID})}.{payload}"
    return f"{signed}.{_base64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _segment(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _flipped(signature: str) -> str:
    return ("A" if signature[0] != "A" else "B") + signature[1:]
