"""The HTTP API in the test's own process: real MongoDB, real routes, a publisher that remembers.

Who calls is chosen by the test: ``api.as_admin()`` and the like give clients with a principal of
their own; tokens themselves are tested elsewhere.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import httpx
from pymongo import AsyncMongoClient

from shared.http.app import Authenticator, api_app
from shared.http.documents import Announcer
from shared.http.errors import unauthorized
from shared.http.mount import Catalogs, Mount, Mounted
from shared.http.operations import Operation
from shared.http.principal import Principal, UserType
from shared.metrics import Metrics
from shared.service import Resources
from shared.settings import Settings
from tests.support.fakes import FakeClock, FakePublisher

MARKETPLACE = "marketplace"
NEVER = datetime(2100, 1, 1, tzinfo=UTC)


def principal(
    user_type: UserType = UserType.ADMIN,
    company: str = MARKETPLACE,
    *roles: str,
    user: str = "tester",
    client: str = "test-client",
) -> Principal:
    """A caller; without ``roles`` it has FullAccess."""
    return Principal(
        user_id=user,
        username=user,
        internal_id=f"{user_type}-{company}-{user}",
        user_type=user_type,
        company_id=company,
        roles=frozenset(roles or ("FullAccess",)),
        client_id=client,
        impersonator=None,
        anonymous_order=None,
        expires=NEVER,
    )


class _Callers:
    """Takes the header for the number of a principal."""

    def __init__(self) -> None:
        self.known: list[Principal] = []

    async def verify(self, authorization: str | None) -> Principal:
        if not authorization:
            raise unauthorized("Auth.OauthError", "There is no access token.")
        return self.known[int(authorization.removeprefix("Bearer "))]


@dataclass
class TestApi:
    """The API under test. ``operations`` is all there is; ``published`` what was announced."""

    __test__ = False

    app: Any
    operations: Sequence[Operation]
    resources: Resources
    clock: FakeClock
    publisher: FakePublisher
    announcer: Announcer
    callers: _Callers
    parts: Sequence[Mounted]

    def client(self, caller: Principal | None) -> httpx.AsyncClient:
        """A client that calls as ``caller``; None sends no token."""
        headers = {}
        if caller is not None:
            self.callers.known.append(caller)
            headers = {"Authorization": f"Bearer {len(self.callers.known) - 1}"}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://api/v1", headers=headers
        )

    def as_admin(self, *roles: str) -> httpx.AsyncClient:
        return self.client(principal(UserType.ADMIN, MARKETPLACE, *roles))

    def as_buyer(self, company: str, *roles: str, user: str = "tester") -> httpx.AsyncClient:
        return self.client(principal(UserType.BUYER, company, *roles, user=user))

    def as_supplier(self, company: str, *roles: str, user: str = "tester") -> httpx.AsyncClient:
        return self.client(principal(UserType.SUPPLIER, company, *roles, user=user))

    def service_of(self, collection: str) -> str:
        """Which service has ``collection``."""
        return next(part.service for part in self.parts if collection in part.collections)

    async def events(self, service: str, collection: str, key: str) -> list[str]:
        """The types of the events in a document's outbox: those of its writes in this test, for
        nothing clears it here."""
        document = await self.resources.database(service)[collection].find_one({"_id": key})
        return [] if document is None else [entry["Type"] for entry in document["outbox"]]


@asynccontextmanager
async def api_under_test(
    mongo: AsyncMongoClient[dict[str, Any]],
    database_prefix: str,
    services: Sequence[str] = ("accounts", "pricing", "checkout"),
    catalogs: Catalogs | None = None,
    *,
    clock: FakeClock | None = None,
    real_tokens: bool = False,
    default_catalogs: bool = False,
    **settings: Any,
) -> AsyncIterator[TestApi]:
    """The routes of ``services`` with databases of their own. With ``real_tokens`` a client has to
    log in: ``api.client(None)``, and a header of its own; with ``default_catalogs`` a new buyer has
    its catalog, as in the real process."""
    chosen = Settings().model_copy(update={"database_prefix": database_prefix, **settings})
    clock, publisher = clock or FakeClock(), FakePublisher()
    resources = Resources(chosen, mongo, publisher, Metrics(), clock)
    announcer = Announcer(publisher)
    increment = import_module("services.checkout.http.incrementors").incrementing(resources)
    if default_catalogs:
        pricing = import_module("services.pricing.http.default_catalogs")
        catalogs = pricing.default_catalogs(resources, announcer)
    mount = Mount(resources, announcer, increment, chosen.api_url, catalogs)
    parts = [import_module(f"services.{name}.http").mount(mount) for name in services]
    operations = [operation for part in parts for operation in part.operations]
    callers = _Callers()
    authenticator: Authenticator = callers
    if real_tokens:
        authenticator = next(part.authenticator for part in parts if part.authenticator)
    app = api_app(operations, authenticator, clock)
    for part in parts:
        for step in part.prepare:
            await step()
    yield TestApi(app, operations, resources, clock, publisher, announcer, callers, parts)


def errors_of(response: httpx.Response) -> list[str]:
    """The codes of an answer's errors."""
    return [each["ErrorCode"] for each in response.json()["Errors"]]
