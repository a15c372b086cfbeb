"""Forgotten passwords and usernames: codes by mail.

All of it is for people who cannot log in, so no token is asked for; and nobody learns from an
answer, or from how long it takes, who there is: it comes before anything is looked up.
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from services.accounts.access.codes import LIFETIMES, Purpose
from services.accounts.access.lockout import AddressLimits
from services.accounts.access.ports import Account, Client
from services.accounts.access.wiring import Access
from services.accounts.http.directory import MongoDirectory
from services.accounts.mailing import Background, Letters, Mailer
from shared.contracts.access import OneTimePasswordRequest, PasswordReset, PasswordResetRequest
from shared.http.documents import State
from shared.http.errors import ApiError, bad_request, error
from shared.http.operations import Call, Operation, Parameter

_MOST_USERS = 5
"""Mails that one request sends at most, where users share an address."""

_PLACEHOLDERS = re.compile(r"\{+(token|code|verificationcode|user|username)\}+", re.IGNORECASE)


class ForgottenCredentials:
    """The handlers. ``origins``: the web origins whose pages a mail may point to."""

    def __init__(
        self,
        access: Access,
        directory: MongoDirectory,
        letters: Letters,
        mailer: Mailer | None,
        background: Background,
        origins: Sequence[str],
    ) -> None:
        self._access = access
        self._directory = directory
        self._letters = letters
        self._mailer = mailer
        self._background = background
        self._origins = {origin.lower().rstrip("/") for origin in origins}
        self._addresses = AddressLimits(burst=20, per_minute=2)
        self._named = AddressLimits(burst=3, per_minute=0.2)

    async def send_one_time_password(self, call: Call) -> None:
        sent = call.sent(OneTimePasswordRequest)
        if not sent.username and not sent.email:
            raise bad_request(
                "OneTimePasswordRequest.UsernameOrEmailRequired",
                "Say whose password is forgotten: set Username or Email.",
            )
        client = await self._client(sent.client_id)
        self._send(
            call,
            sent.username or sent.email,
            partial(self._mail_one_time_passwords, client, sent.username, sent.email, call),
        )

    async def send_verification_code(self, call: Call) -> None:
        body = call.json()
        _need(body, "ClientID", "PasswordReset.MissingOrInvalidClientID")
        sent = call.sent(PasswordResetRequest)
        if not sent.username and not sent.email:
            raise bad_request(
                "PasswordReset.MissingUsernameOrEmail",
                "Say whose password is forgotten: set Username or Email.",
            )
        if sent.url is not None:
            self._check_url(sent.url)
        client = await self._client(sent.client_id)
        self._send(call, sent.username or sent.email, partial(self._mail_codes, client, sent, call))

    async def reset(self, call: Call) -> None:
        body = call.json()
        _need(body, "ClientID", "PasswordReset.MissingOrInvalidClientID")
        _need(body, "Username", "PasswordReset.MissingUsername")
        _need(body, "Password", "ValidationFailure")
        sent = call.sent(PasswordReset)
        client = await self._client(sent.client_id)
        await self._access.recovery.reset(
            client.id,
            sent.username,
            call.path["verificationCode"],
            sent.password,
            call.address,
        )

    async def retrieve_username(self, call: Call) -> None:
        client_id, email = call.parameter("clientID"), call.parameter("email")
        if client_id is None or email is None:
            raise bad_request(
                "Auth.ClientIDAndEmailRequired", "Set both clientID and email in the query."
            )
        client = await self._client(client_id)
        self._send(call, email, partial(self._mail_usernames, client, email, call))

    async def _client(self, client_id: str) -> Client:
        client = await self._directory.client(client_id)
        if client is None or not client.active:
            raise bad_request(
                "PasswordReset.MissingOrInvalidClientID",
                "ClientID names no active API client; correct it.",
            )
        return client

    def _send(self, call: Call, whom: str, errand: Any) -> None:
        if self._mailer is None:
            raise ApiError(
                503,
                [
                    error(
                        "Api.Offline",
                        "This marketplace sends no mail: whoever runs it has to set ORDERMESH_SMTP"
                        " to a mail server.",
                    )
                ],
            )
        wait = max(
            self._addresses.seconds_to_wait(call.address),
            self._named.seconds_to_wait(whom.casefold()),
        )
        if wait:
            raise ApiError(
                429,
                [
                    error(
                        "PasswordReset.LockedOut",
                        f"This was asked for too often: look for the mail that was sent, or try"
                        f" again in {wait} seconds.",
                    )
                ],
                {"Retry-After": str(wait)},
            )
        self._addresses.failed(call.address)
        self._named.failed(whom.casefold())
        if not self._background.take(errand):
            raise ApiError(
                503,
                [error("Api.Offline", "Too many mails wait to be sent; try again in a minute.")],
                {"Retry-After": "60"},
            )

    def _check_url(self, url: str) -> None:
        """A mail of the marketplace's must not lead to a page of anybody's."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        allowed = origin in self._origins or (
            "*" in self._origins and (parts.hostname or "") in ("localhost", "127.0.0.1", "::1")
        )
        if parts.scheme not in ("http", "https") or not allowed or not url.isprintable():
            raise bad_request(
                "ValidationFailure",
                f"URL leads to {origin[:100]}, which is none of ORDERMESH_HTTP_ORIGINS: whoever"
                " runs this has to list it there by name, or leave URL out to have the code alone"
                " sent.",
                Field="URL",
            )

    async def _mail_codes(self, client: Client, sent: PasswordResetRequest, call: Call) -> None:
        for state, user in await self._users(client, sent.username, sent.email):
            code = await self._access.recovery.verification_code(user, client.id)
            await self._mail(
                "reset",
                "A new password",
                state,
                call,
                code=code,
                link="" if sent.url is None else link_of(sent.url, user.username, code),
                minutes=_minutes(Purpose.VERIFICATION),
            )

    async def _mail_one_time_passwords(
        self, client: Client, username: str | None, email: str | None, call: Call
    ) -> None:
        for state, user in await self._users(client, username, email):
            code = await self._access.recovery.one_time_password(user, client.id)
            await self._mail(
                "one_time_password",
                "A password to log in once",
                state,
                call,
                code=code,
                minutes=_minutes(Purpose.ONE_TIME_PASSWORD),
            )

    async def _mail_usernames(self, client: Client, email: str, call: Call) -> None:
        found = await self._users(client, None, email)
        if found:
            names = [user.username for _, user in found]
            await self._mail("usernames", "Your username", found[0][0], call, usernames=names)

    async def _users(
        self, client: Client, username: str | None, email: str | None
    ) -> list[tuple[State, Account]]:
        """The active users meant who may use the client; where both are given, both must fit."""
        if username:
            account = await self._directory.user_by_username(username)
            state = (
                None if account is None else await self._directory.user_state(account.internal_id)
            )
            states = [] if state is None else [state]
            if email:
                wanted = email.casefold()
                states = [each for each in states if each["Email"].casefold() == wanted]
        else:
            states = await self._directory.users_by_email(email or "", limit=_MOST_USERS)
        found = []
        for state in states:
            user = await self._directory.account(state)
            if (
                user.active
                and await self._directory.company_active(user.user_type, user.company_id)
                and await self._access.grants.may_use(user, client)
            ):
                found.append((state, user))
        return found

    async def _mail(
        self, template: str, subject: str, state: State, call: Call, **values: Any
    ) -> None:
        if self._mailer is None:
            return
        name = " ".join(part for part in (state["FirstName"], state["LastName"]) if part)
        letter = self._letters.write(
            template,
            subject,
            state["Email"],
            call.now,
            name=name,
            username=state["Username"],
            **values,
        )
        if letter is not None:
            await self._mailer.send(*letter)

    def operations(self) -> list[Operation]:
        return [
            Operation(
                name="ForgottenCredentials.SendOneTimePassword",
                method="POST",
                path="/password/onetimepassword",
                handler=self.send_one_time_password,
                public=True,
                body=OneTimePasswordRequest,
                status=204,
                summary="Mails a password to log in once.",
            ),
            Operation(
                name="ForgottenCredentials.SendVerificationCode",
                method="POST",
                path="/password/reset",
                handler=self.send_verification_code,
                public=True,
                body=PasswordResetRequest,
                status=204,
                summary="Mails a code to set a new password with.",
            ),
            Operation(
                name="ForgottenCredentials.ResetPasswordByVerificationCode",
                method="PUT",
                path="/password/reset/{verificationCode}",
                handler=self.reset,
                public=True,
                body=PasswordReset,
                status=204,
                summary="Sets a new password by a code, and revokes all tokens of the user.",
            ),
            Operation(
                name="ForgottenCredentials.RetrieveUsername",
                method="POST",
                path="/username/retrieve",
                handler=self.retrieve_username,
                public=True,
                parameters=(Parameter("clientID"), Parameter("email")),
                status=204,
                summary="Mails the usernames that belong to an address.",
            ),
        ]


def link_of(url: str, username: str, code: str) -> str:
    """The page with code and username in it: in the place of its placeholders, or else as the
    query parameters ``user`` and ``code``, which OrderCloud's storefronts read."""
    values = {"user": quote(username, safe=""), "code": quote(code, safe="")}
    if _PLACEHOLDERS.search(url):
        return _PLACEHOLDERS.sub(
            lambda found: values["user" if found[1].lower().startswith("user") else "code"], url
        )
    page, hash, fragment = url.partition("#")
    separator = "&" if "?" in page else "?"
    return f"{page}{separator}user={values['user']}&code={values['code']}{hash}{fragment}"


def _need(body: dict[str, Any], field: str, code: str) -> None:
    if not body.get(field):
        raise bad_request(code, f"{field} is required: send it.", Field=field)


def _minutes(purpose: Purpose) -> int:
    return int(LIFETIMES[purpose].total_seconds() // 60)
