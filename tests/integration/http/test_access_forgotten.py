"""Forgotten passwords and usernames, with a mail server."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from tests.support.api import errors_of
from tests.support.entering import ADA, PASSWORD, Entrance, Shop, entrance
from tests.support.receivers import MailReceiver, mail_receiver

Mongo = AsyncMongoClient[dict[str, Any]]


@dataclass
class Post:
    """A shop whose mails arrive."""

    door: Entrance
    shop: Shop
    mails: MailReceiver

    async def ask(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Without any token."""
        return await self.door.http.post(f"http://api/v1{path}", json=body)

    async def reset(self, code: str, password: str, username: str = "ada") -> httpx.Response:
        return await self.door.http.put(
            f"http://api/v1/password/reset/{code}",
            json={"ClientID": "app", "Username": username, "Password": password},
        )

    async def text(self, number: int) -> str:
        mails = await self.mails.wait_for(number)
        return str(mails[number - 1].get_content()).replace("\r\n", "\n")


@asynccontextmanager
async def post(mongo: Mongo, prefix: str, **settings: Any) -> AsyncIterator[Post]:
    async with (
        mail_receiver() as mails,
        entrance(
            mongo,
            prefix,
            smtp=SecretStr(mails.url),
            allow_private_targets=True,
            mail_from="Shop <shop@example.com>",
            **settings,
        ) as door,
    ):
        tasks = [asyncio.ensure_future(task()) for part in door.api.parts for task in part.tasks]
        try:
            yield Post(door, await door.shop(), mails)
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)


async def test_a_code_by_mail_resets_a_password_once(mongo: Mongo, database_prefix: str) -> None:
    async with post(mongo, database_prefix) as here:
        ada = await here.shop.ada()
        asked = await here.ask("/password/reset", {"ClientID": "app", "Username": "ADA"})
        text = await here.text(1)
        code = next(line for line in text.splitlines() if re.fullmatch(r"[\w-]{43}", line))
        here.door.api.clock.advance(1)
        weak = await here.reset(code, "short")
        wrong = await here.reset("x" * 43, "another password")
        other = await here.reset(code, "another password", "default-admin")
        done = await here.reset(code, "another password")
        again = await here.reset(code, "a third password")
        here.door.api.clock.advance(1)
        revoked = await ada("GET", "/me")
        old = await here.door.by_password("ada", PASSWORD, "app")
        new = await here.door.by_password("ada", "another password", "app")
        events = await here.door.events()

    mail = here.mails.mails[0]
    assert (asked.status_code, asked.content) == (204, b"")
    assert (mail["To"], mail["From"]) == ("ada@example.com", "Shop <shop@example.com>")
    assert "Ada Lovelace" in text
    assert (weak.status_code, errors_of(weak)) == (400, ["PasswordReset.InsecurePassword"])
    for answer in (wrong, other, again):
        assert (answer.status_code, errors_of(answer)) == (
            400,
            ["PasswordReset.InvalidVerification"],
        )
    assert done.status_code == 204
    assert (revoked.status_code, old.status_code, new.status_code) == (401, 400, 200)
    assert code not in events


async def test_a_one_time_password_logs_in_once(mongo: Mongo, database_prefix: str) -> None:
    async with post(mongo, database_prefix) as here:
        await here.ask("/password/onetimepassword", {"ClientID": "app", "Email": "ADA@example.com"})
        text = await here.text(1)
        password = next(line for line in text.splitlines() if re.fullmatch(r"[0-9A-Z]{10}", line))
        first = await here.door.by_password("ada", password, "app")
        second = await here.door.by_password("ada", password, "app")

    assert (first.status_code, second.status_code) == (200, 400)


async def test_usernames_go_to_their_address(mongo: Mongo, database_prefix: str) -> None:
    async with post(mongo, database_prefix) as here:
        await here.shop.admin.done("PUT", "/buyers/acme/users/two", ADA | {"Username": "ada2"})
        answer = await here.ask("/username/retrieve?clientID=app&email=ada@example.com")
        text = await here.text(1)

    assert answer.status_code == 204
    assert {"ada", "ada2"} <= set(text.splitlines())


async def test_a_link_leads_only_where_the_operator_allows(
    mongo: Mongo, database_prefix: str
) -> None:
    async with post(mongo, database_prefix, http_origins=["https://shop.example"]) as here:
        body = {"ClientID": "app", "Username": "ada"}
        elsewhere = [
            await here.ask("/password/reset", body | {"URL": url})
            for url in (
                "https://evil.example/reset",
                "https://shop.example.evil.example/reset",
                "https://shop.example@evil.example/reset",
                "javascript:alert(1)",
                "https://shop.example/reset\nBcc: all",
            )
        ]
        await here.ask("/password/reset", body | {"URL": "https://shop.example/reset?a=1#top"})
        plain = await here.text(1)
        await here.ask("/password/reset", body | {"URL": "https://shop.example/{token}/{username}"})
        placed = await here.text(2)

    assert [(each.status_code, errors_of(each)) for each in elsewhere] == [
        (400, ["ValidationFailure"])
    ] * 5
    assert re.search(r"https://shop\.example/reset\?a=1&user=ada&code=[\w-]{43}#top\n", plain)
    assert re.search(r"https://shop\.example/[\w-]{43}/ada\n", placed)


async def test_nobody_learns_who_there_is(mongo: Mongo, database_prefix: str) -> None:
    async with post(mongo, database_prefix) as here:
        await here.shop.admin.done(
            "PUT", "/buyers/acme/users/idle", ADA | {"Username": "idle", "Active": False}
        )
        answers = [
            await here.ask("/password/reset", {"ClientID": "app", "Username": "nobody"}),
            await here.ask("/password/reset", {"ClientID": "app", "Username": "idle"}),
            await here.ask("/password/reset", {"ClientID": "app", "Username": "default-admin"}),
            await here.ask(
                "/password/onetimepassword", {"ClientID": "app", "Email": "a@b.example"}
            ),
            await here.ask("/username/retrieve?clientID=app&email=a@b.example"),
            await here.ask("/password/reset", {"ClientID": "app", "Username": "ada"}),
        ]
        await here.text(1)

    assert [(each.status_code, each.content) for each in answers] == [(204, b"")] * 6
    assert here.mails.recipients == [["ada@example.com"]]


async def test_what_is_asked_too_often_or_wrongly(mongo: Mongo, database_prefix: str) -> None:
    async with post(mongo, database_prefix) as here:
        wrong = [
            await here.ask("/password/onetimepassword", {"ClientID": "app"}),
            await here.ask("/password/reset", {"ClientID": "app"}),
            await here.ask("/password/reset", {"Username": "ada"}),
            await here.ask("/password/reset", {"ClientID": "none", "Username": "ada"}),
            await here.ask("/username/retrieve?clientID=app"),
            await here.door.http.put(
                "http://api/v1/password/reset/x", json={"ClientID": "app", "Password": "x"}
            ),
        ]
        often = [
            await here.ask("/password/reset", {"ClientID": "app", "Username": "Ada"})
            for _ in range(6)
        ]

    assert [(each.status_code, errors_of(each)) for each in wrong] == [
        (400, ["OneTimePasswordRequest.UsernameOrEmailRequired"]),
        (400, ["PasswordReset.MissingUsernameOrEmail"]),
        (400, ["PasswordReset.MissingOrInvalidClientID"]),
        (400, ["PasswordReset.MissingOrInvalidClientID"]),
        (400, ["Auth.ClientIDAndEmailRequired"]),
        (400, ["PasswordReset.MissingUsername"]),
    ]
    assert [each.status_code for each in often[:3]] == [204] * 3
    assert (often[5].status_code, errors_of(often[5])) == (429, ["PasswordReset.LockedOut"])
    assert int(often[5].headers["retry-after"]) > 0


async def test_without_a_mail_server_it_says_what_to_set(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        await door.shop()
        answer = await door.http.post(
            "http://api/v1/password/reset", json={"ClientID": "app", "Username": "ada"}
        )

    assert (answer.status_code, errors_of(answer)) == (503, ["Api.Offline"])
    assert "ORDERMESH_SMTP" in answer.json()["Errors"][0]["Message"]
