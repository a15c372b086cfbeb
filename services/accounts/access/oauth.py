"""``POST /oauth/token``: a form in, a token or an OAuthError out."""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime

from services.accounts.access.client_secrets import holds
from services.accounts.access.codes import CodeStore, Purpose
from services.accounts.access.credentials import CredentialStore
from services.accounts.access.grants import Grants, TokenAnswer
from services.accounts.access.lockout import AddressLimits, UnknownNames
from services.accounts.access.login import Logins
from services.accounts.access.passwords import Passwords
from services.accounts.access.ports import Account, Client, Directory
from services.accounts.access.refresh_tokens import RefreshTokenStore
from services.accounts.access.refusals import (
    OAuthError,
    OAuthName,
    locked_out,
    refuse,
    too_many_failures,
)
from services.accounts.access.roles import asked_for, granted
from shared.http.errors import ApiError
from shared.http.principal import UserType
from shared.messaging.processor import Clock

LONGEST_FIELD = 1_000
"""Characters of a username, a password and all else but the scope."""

LONGEST_SCOPE = 8_000

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class TokenEndpoint:
    """The token endpoint, without HTTP."""

    def __init__(
        self,
        *,
        directory: Directory,
        grants: Grants,
        logins: Logins,
        credentials: CredentialStore,
        passwords: Passwords,
        refresh_tokens: RefreshTokenStore,
        codes: CodeStore,
        clock: Clock,
        addresses: AddressLimits | None = None,
    ) -> None:
        self._directory = directory
        self._grants = grants
        self._logins = logins
        self._credentials = credentials
        self._passwords = passwords
        self._refresh_tokens = refresh_tokens
        self._codes = codes
        self._clock = clock
        self._addresses = addresses or AddressLimits()
        self._unknown = UnknownNames()

    async def grant(self, form: Mapping[str, str], address: str) -> TokenAnswer:
        """A token for what ``form`` proves. ``address`` is the client's, to count failures by.

        Raises OAuthError, whose ``body()`` has both OAuth's and OrderCloud's errors.
        """
        # Taken once, before anything is looked up: what is revoked meanwhile revokes this token.
        now = self._clock()
        _check_fields(form)
        try:
            client = await self._client(form, address, now)
            match form.get("grant_type"):
                case "password":
                    return await self._password(client, form, address, now)
                case "client_credentials":
                    return await self._client_credentials(client, form, now)
                case "refresh_token":
                    return await self._refresh(client, form, now)
        except OAuthError:
            raise
        except ApiError as refusal:
            raise OAuthError(OAuthName.TEMPORARILY_UNAVAILABLE, refusal) from refusal
        raise refuse(
            OAuthName.UNSUPPORTED_GRANT_TYPE,
            "Auth.OauthError",
            "Set grant_type to password, client_credentials or refresh_token.",
        )

    async def _client(self, form: Mapping[str, str], address: str, now: datetime) -> Client:
        """The client that asks, which has proved itself where it has a secret."""
        client_id, secret = form.get("client_id"), form.get("client_secret")
        if not client_id:
            raise refuse(
                OAuthName.INVALID_REQUEST,
                "ApiClient.InvalidClientID",
                "Set client_id to the ID of an API client.",
            )
        client = await self._directory.client(client_id) if _ID.fullmatch(client_id) else None
        if client is None:
            raise refuse(
                OAuthName.INVALID_CLIENT,
                "ApiClient.InvalidClientID",
                "There is no API client with this client_id; check it.",
            )
        if not client.active:
            raise refuse(
                OAuthName.INVALID_CLIENT,
                "Auth.ClientNotActive",
                "This API client is not active: ask the marketplace owner to set Active.",
            )
        if not secret:
            # A client whose secrets have all expired still is one with a secret.
            if client.secrets or not self._is_public(client, form):
                raise refuse(
                    OAuthName.INVALID_CLIENT,
                    "Auth.OauthError",
                    "Send the client_secret: this API client has one, or needs one for this"
                    " grant_type.",
                )
            return client
        self._check_address(address)
        if not await holds(secret, client.secrets, now, self._passwords):
            self._addresses.failed(address)
            raise refuse(
                OAuthName.INVALID_CLIENT,
                "Auth.OauthError",
                "The client_secret is not one of this API client, or has expired.",
            )
        return client

    @staticmethod
    def _is_public(client: Client, form: Mapping[str, str]) -> bool:
        return client.anonymous or form.get("grant_type") != "client_credentials"

    def _check_address(self, address: str) -> None:
        seconds = self._addresses.seconds_to_wait(address)
        if seconds:
            raise too_many_failures(seconds)

    async def _password(
        self, client: Client, form: Mapping[str, str], address: str, now: datetime
    ) -> TokenAnswer:
        username, password = form.get("username"), form.get("password")
        if not username or not password:
            raise refuse(
                OAuthName.INVALID_REQUEST,
                "Auth.UsernameAndPasswordRequired",
                "Set both username and password.",
            )
        self._check_address(address)
        user = await self._directory.user_by_username(username)
        if user is None and self._unknown.locked(username, now):
            raise locked_out()

        async def one_time(internal_id: str) -> bool:
            return await self._codes.use(
                Purpose.ONE_TIME_PASSWORD, internal_id, client.id, password, now
            )

        try:
            proof = await self._logins.prove(user, username, password, one_time)
        except OAuthError:
            self._addresses.failed(address)
            if user is None:
                self._unknown.failed(username, now)
            raise
        await self._grants.admit(proof.user, client)
        set_at = proof.credential.password_set
        if not proof.once and set_at is not None and proof.rules.expired(set_at, now):
            raise refuse(
                OAuthName.INVALID_GRANT,
                "Auth.PasswordExpired",
                "The password has expired: have a verification code sent, and set a new one.",
            )
        return await self._answer(proof.user, client, form, now)

    async def _client_credentials(
        self, client: Client, form: Mapping[str, str], now: datetime
    ) -> TokenAnswer:
        name = client.context_username
        user = None if name is None else await self._directory.user_by_username(name)
        if user is None:
            raise refuse(
                OAuthName.UNAUTHORIZED_CLIENT,
                "Auth.OauthError",
                "This API client acts for nobody: set DefaultContextUserName to a username.",
            )
        await self._grants.admit(user, client)
        if client.secrets:
            return await self._answer(user, client, form, now)
        if user.user_type is not UserType.BUYER:
            raise refuse(
                OAuthName.UNAUTHORIZED_CLIENT,
                "Auth.OauthError",
                "Only a buyer's user may shop anonymously: set DefaultContextUserName to one.",
            )
        given = form.get("anonuserid")
        if given and not _ID.fullmatch(given):
            raise refuse(
                OAuthName.INVALID_REQUEST,
                "Auth.OauthError",
                "anonuserid may have letters, digits, hyphens and underscores, at most 100.",
            )
        return await self._grants.answer(
            user,
            client,
            granted(await self._grants.held(user), asked_for(form.get("scope")), client),
            now,
            minutes=client.anonymous_minutes,
            anonymous_order=given or secrets.token_urlsafe(16),
        )

    async def _refresh(self, client: Client, form: Mapping[str, str], now: datetime) -> TokenAnswer:
        text = form.get("refresh_token", "")
        token = await self._refresh_tokens.find(text, now)
        if token is None or token.client_id != client.id or client.refresh_minutes <= 0:
            raise _unknown_refresh_token()
        user = await self._directory.user(token.internal_id)
        valid_after = (await self._credentials.find(token.internal_id)).tokens_valid_after
        if user is None or (valid_after is not None and token.issued <= valid_after):
            raise _unknown_refresh_token()
        await self._grants.admit(user, client)
        asked = asked_for(form.get("scope"))
        if token.scope is not None:
            asked = token.scope if asked is None else asked & token.scope
        roles = granted(await self._grants.held(user), asked, client)
        return await self._grants.answer(user, client, roles, now, refresh_token=text)

    async def _answer(
        self, user: Account, client: Client, form: Mapping[str, str], now: datetime
    ) -> TokenAnswer:
        asked = asked_for(form.get("scope"))
        roles = granted(await self._grants.held(user), asked, client)
        refresh_token = await self._grants.refresh_token(user, client, asked, now)
        return await self._grants.answer(user, client, roles, now, refresh_token=refresh_token)


def _unknown_refresh_token() -> OAuthError:
    return refuse(
        OAuthName.INVALID_GRANT,
        "Auth.OauthError",
        "The refresh_token is not one of this API client, has expired or was revoked: log in"
        " again.",
    )


def _check_fields(form: Mapping[str, str]) -> None:
    for name, value in form.items():
        longest = LONGEST_SCOPE if name == "scope" else LONGEST_FIELD
        if len(value) > longest:
            problem = f"may have {longest:,} characters at most"
        elif "\0" in value or not _is_unicode(value):
            problem = "has characters that are no text"
        else:
            continue
        raise refuse(
            OAuthName.INVALID_REQUEST, "Auth.OauthError", f"{name[:100]} {problem}; correct it."
        )


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
