"""Logging in to the API under test: a marketplace with its first API client."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from services.accounts.access.wiring import build_access
from services.accounts.http.directory import MongoDirectory
from shared.messaging.outbox import entries_in
from tests.support.api import MARKETPLACE, TestApi, api_under_test
from tests.support.fakes import FakeClock

CLIENT = "back-office"
SECRET = "a-secret-of-the-tests"

PASSWORD = "correct horse battery"

ADA = {
    "Username": "ada",
    "FirstName": "Ada",
    "LastName": "Lovelace",
    "Email": "ada@example.com",
    "Active": True,
}
APP = {
    "AppName": "Shop",
    "AccessTokenDuration": 60,
    "RefreshTokenDuration": 600,
    "AllowAnyBuyer": True,
}

Json = dict[str, Any]


@dataclass
class Entrance:
    """The API with its real tokens. ``http`` sends none; paths begin with ``/v1`` or ``/oauth``."""

    api: TestApi
    http: httpx.AsyncClient

    async def token(self, **form: str) -> httpx.Response:
        """The answer of the token endpoint."""
        return await self.http.post("http://api/oauth/token", data=form)

    async def by_secret(
        self, client: str = CLIENT, secret: str = SECRET, **form: str
    ) -> httpx.Response:
        return await self.token(
            grant_type="client_credentials", client_id=client, client_secret=secret, **form
        )

    async def by_password(
        self, username: str, password: str, client: str, **form: str
    ) -> httpx.Response:
        return await self.token(
            grant_type="password", client_id=client, username=username, password=password, **form
        )

    async def admin(self) -> "Caller":
        """A caller with FullAccess."""
        answer = await self.by_secret()
        assert answer.status_code == 200, answer.text
        return self.caller(answer.json()["access_token"])

    def caller(self, token: str) -> "Caller":
        return Caller(self.http, token)

    async def shop(self) -> "Shop":
        """A buyer ``acme`` with the user ``ada``, who has the password ``PASSWORD`` and the roles
        of a profile ``shoppers`` of the whole buyer, by the client ``app``."""
        admin = await self.admin()
        await admin.done("PUT", "/buyers/acme", {"Name": "Acme", "Active": True})
        await admin.done(
            "PUT",
            "/securityprofiles/shoppers",
            {
                "Name": "Shoppers",
                "Roles": ["Shopper", "MeAdmin", "PasswordReset"],
                "CustomRoles": ["Taster"],
            },
        )
        await admin.done(
            "POST",
            "/securityprofiles/assignments",
            {"SecurityProfileID": "shoppers", "BuyerID": "acme"},
        )
        await admin.done("PUT", "/buyers/acme/users/ada", ADA)
        await admin.done("PUT", "/apiclients/app", APP)
        await self.give_password("ada", PASSWORD)
        return Shop(self, admin)

    async def give_password(self, username: str, password: str) -> None:
        """As if it was sent when the user was made."""
        resources = self.api.resources
        directory = MongoDirectory(resources.database("accounts"), MARKETPLACE)
        access = build_access(
            resources.database("accounts"), directory, resources.clock, issuer="", audience=""
        )
        user = await directory.user_by_username(username)
        assert user is not None
        await access.logins.set(user, password, own=False)

    async def events(self) -> str:
        """Everything that any outbox of accounts tells."""
        database = self.api.resources.database("accounts")
        told = []
        for name in await database.list_collection_names():
            async for document in database[name].find({"outbox": {"$exists": True}}):
                told += [json.dumps(asdict(entry), default=str) for entry in entries_in(document)]
        return "\n".join(told)


@dataclass
class Shop:
    """A marketplace with a buyer."""

    door: Entrance
    admin: "Caller"

    async def ada(self, **form: str) -> "Caller":
        answer = await self.door.by_password("ada", PASSWORD, "app", **form)
        assert answer.status_code == 200, answer.text
        return self.door.caller(answer.json()["access_token"])


@dataclass
class Caller:
    """Calls with a token."""

    http: httpx.AsyncClient
    token: str

    async def __call__(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        base = "http://api" if path.startswith("/oauth") else "http://api/v1"
        return await self.http.request(
            method, base + path, json=body, headers={"Authorization": f"Bearer {self.token}"}
        )

    async def done(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """The body of an answer that has to be a good one."""
        answer = await self(method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json()) if answer.content else {}


@asynccontextmanager
async def entrance(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str, **settings: Any
) -> AsyncIterator[Entrance]:
    """The accounts service's routes after a first start. Its clock stands in the present, for
    MongoDB's own removes what has expired."""
    clock = FakeClock(datetime.now(UTC).replace(microsecond=0))
    chosen = {
        "admin_client_id": CLIENT,
        "admin_client_secret": SecretStr(SECRET),
        **settings,
    }
    async with (
        api_under_test(
            mongo, database_prefix, ("accounts",), clock=clock, real_tokens=True, **chosen
        ) as api,
        api.client(None) as http,
    ):
        yield Entrance(api, http)
