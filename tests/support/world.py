"""A marketplace in which there is one of everything, three times: of each of two companies of each
kind, and of the marketplace's own. It is made through the API, from the operations themselves."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo import AsyncMongoClient
from starlette.types import ASGIApp

from shared.http.app import api_app
from shared.http.operations import ListOf, Operation
from shared.http.principal import Principal, UserType
from tests.support.api import NEVER, TestApi, api_under_test
from tests.support.direct import Answer, Request, ask, request
from tests.support.forging import Mint
from tests.support.samples import Samples, parameter_id

ONE, TWO, OWN = "one", "two", "own"
SIDES = (OWN, ONE, TWO)
"""The things of the marketplace's own, and those of two companies of each kind."""

_PARAMETER = re.compile(r"\{([^}]+)\}")
_STOCKED = "stockedProduct"
"""Stock is kept by product or by variant: this product's is its own, and has no variants."""
_STEPS: Sequence[tuple[str, str, Any]] = (
    ("POST", "/v1/products/product-{side}/variants/generate", None),
    (
        "PUT",
        f"/v1/products/{_STOCKED}-{{side}}",
        {"Name": "{mark}", "Inventory": {"Enabled": True}},
    ),
    (
        "POST",
        "/v1/products/assignments",
        {
            "ProductID": f"{_STOCKED}-{{side}}",
            "BuyerID": "buyer-{side}",
            "PriceScheduleID": "priceSchedule-{side}",
        },
    ),
    (
        "POST",
        "/v1/catalogs/productassignments",
        {"ProductID": f"{_STOCKED}-{{side}}", "CatalogID": "catalog-{side}"},
    ),
)
"""What has to be made beside what the operations tell of."""
_COMPANY = {UserType.BUYER: "buyerID", UserType.SUPPLIER: "supplierID"}


def mark(side: str) -> str:
    """What stands in every text that is stored of a side, and in nothing that is sent later."""
    return f"kept-{side}-9f3c"


@dataclass(frozen=True)
class _Making:
    """A request that makes something, by the first of ``callers`` who may."""

    name: str
    asked: Request
    callers: Sequence[Principal]


@dataclass
class World:
    """``missing`` says of everything that could not be made why."""

    api: TestApi
    mint: Mint
    app: ASGIApp
    missing: dict[str, str] = field(default_factory=dict)
    _internal: dict[tuple[UserType, str], str] = field(default_factory=dict)
    _requests: dict[Any, Request] = field(default_factory=dict)

    @property
    def operations(self) -> Sequence[Operation]:
        """Those that ask for a token."""
        return [each for each in self.api.operations if not each.public]

    def caller(
        self, user_type: UserType, side: str = OWN, roles: Sequence[str] = ("FullAccess",)
    ) -> Principal:
        """A user of a side's company; the marketplace's users are admins."""
        company = _COMPANY.get(user_type)
        user = parameter_id("userID", side)
        return Principal(
            user_id=user,
            username=f"{mark(side)}-{user_type}",
            internal_id=self._internal.get((user_type, side), f"{user_type}-{side}"),
            user_type=user_type,
            company_id=parameter_id(company, side)
            if company
            else self.api.resources.settings.marketplace_id,
            roles=frozenset(roles),
            client_id=parameter_id("apiClientID", side),
            impersonator=None,
            anonymous_order=None,
            expires=NEVER,
        )

    def rightful(self, operation: Operation, side: str) -> Principal:
        """Somebody with every role who may call it for the things of ``side``."""
        if operation.users == frozenset(UserType) and "/me" not in operation.path:
            return self.caller(UserType.ADMIN)
        if UserType.SUPPLIER in operation.users and side != OWN and not _me(operation):
            return self.caller(UserType.SUPPLIER, side)
        for user_type in (UserType.ADMIN, UserType.BUYER, UserType.SUPPLIER):
            if user_type in operation.users and (
                user_type is not UserType.ADMIN or not _me(operation)
            ):
                return self.caller(user_type, side)
        return self.caller(UserType.ADMIN)

    async def call(
        self,
        operation: Operation,
        side: str,
        authorization: str | None,
        *,
        text: str = "sent-7be1",
        company: str | None = None,
        query: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        """Calls it for the things of ``side``, of the company of side ``company`` where that is
        another one. ``text`` stands in what is sent."""
        told = (operation.name, side, text, company, query)
        if told not in self._requests:
            self._requests[told] = self.asked(
                operation, side, text=text, company=company, query=dict(query)
            )
        headers = {} if authorization is None else {"authorization": authorization}
        return await ask(self.app, self._requests[told], headers)

    def asked(
        self,
        operation: Operation,
        side: str,
        *,
        text: str,
        company: str | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Request:
        """What :meth:`call` sends."""
        own = self._own_id(operation)

        def named(found: re.Match[str]) -> str:
            parameter = found[1]
            whose = company if company and parameter in _COMPANY.values() else side
            return parameter_id(self._told(operation, parameter), whose)

        body = None
        if operation.body is not None:
            samples = Samples(side, text, operation.name.partition(".")[0])
            body = samples.body(operation.body, own and self._told(operation, own))
            if operation.partial:
                body.pop("ID", None)
        return request(
            operation.method,
            _PARAMETER.sub(named, operation.route),
            {**self._named_beside(operation, side), **(query or {})},
            body,
        )

    def _named_beside(self, operation: Operation, side: str) -> dict[str, str]:
        """What names, beside the path, what is got, or the assignment that is deleted."""
        if operation.method == "GET" and operation.list is None:
            return {
                each.name: parameter_id(each.name, side)
                for each in operation.parameters
                if each.name.endswith("ID")
            }
        wanted = operation.name.replace(".Delete", ".Save")
        save = next((each for each in self.operations if each.name == wanted), None)
        if operation.method != "DELETE" or save is None or save.body is None:
            return {}
        made = Samples(side, "").body(save.body)
        names = {each.name: each.name[:1].upper() + each.name[1:] for each in operation.parameters}
        return {name: made[field] for name, field in names.items() if field in made}

    def _told(self, operation: Operation, parameter: str) -> str:
        """The parameter as IDs tell it. What a user keeps for itself has another ID than what its
        company has."""
        if parameter == "productID" and _of_stocked(operation):
            return _STOCKED
        kept = operation.path.partition("/{")[0]
        own = any(
            each.method == "PUT" and each.path == f"{kept}/{{{parameter}}}"
            for each in self.operations
        )
        return f"my-{parameter}" if own and _me(operation) else parameter

    def _own_id(self, operation: Operation) -> str | None:
        """The path's name for the ID of what ``operation`` makes or changes."""
        if operation.path.lower() == "/me":
            return "userID"
        if operation.method != "POST":
            names = _PARAMETER.findall(operation.path)
            return names[-1] if names and operation.path.endswith("}") else None
        for other in self.api.operations:
            below = other.path.removeprefix(operation.path)
            if below != other.path and (found := re.fullmatch(r"/\{([^}]+)\}", below)):
                return found[1]
        return None

    async def seed(self) -> None:
        """Makes everything, what needs others after them; what users make for themselves last."""
        makers = self._makers()
        first = [self._step(each, side) for each in _STEPS for side in SIDES]
        first += [self._making(each, side) for each in makers if not _me(each) for side in SIDES]
        await self._make(first)
        await self._find_users()
        await self._make(
            [self._making(each, side) for each in makers if _me(each) for side in SIDES]
        )

    def _making(self, operation: Operation, side: str) -> _Making:
        callers = [self.rightful(operation, side), self.caller(UserType.ADMIN)]
        asked = self.asked(operation, side, text=mark(side))
        return _Making(f"{operation.name} {side}", asked, callers)

    def _step(self, step: tuple[str, str, Any], side: str) -> _Making:
        method, path, body = step
        if isinstance(body, dict) and "Name" in body:
            body = {**body, "Name": mark(side)}
        elif body is not None:
            body = {name: value.format(side=side) for name, value in body.items()}
        owner = UserType.ADMIN if side == OWN else UserType.SUPPLIER
        asked = request(method, path.format(side=side), {}, body)
        return _Making(f"{method} {path} {side}", asked, [self.caller(owner, side)])

    async def _make(self, todo: Sequence[_Making]) -> None:
        """Makes what can be made until that is no more."""
        progress = True
        while progress and todo:
            left = [each for each in todo if not await self._made(each)]
            progress = len(left) < len(todo)
            todo = left

    async def _made(self, making: _Making) -> bool:
        """Whether it could be made: by its owner, or else by the marketplace."""
        told = ""
        for caller in making.callers:
            headers = {"authorization": self.mint.header(caller)}
            answer = await ask(self.app, making.asked, headers)
            if answer.is_success:
                self.missing.pop(making.name, None)
                return True
            told = told or f"{answer.status_code} {answer.text[:300]}"
        self.missing[making.name] = told
        return False

    def _makers(self) -> list[Operation]:
        """The operations that make something: saves, and creations of what cannot be saved."""
        seen = {each.path for each in self.operations if each.method == "GET"}
        saved = {each.path.rpartition("/")[0] for each in self.operations if each.method == "PUT"}
        return [
            each
            for each in self.operations
            if (each.method == "PUT" and (each.status == 204 or each.path in seen))
            or (each.method == "POST" and each.path not in saved and self._makes(each))
        ]

    def _makes(self, operation: Operation) -> bool:
        """Whether a POST creates what has an ID, or assigns."""
        assigns = operation.status == 204 and operation.body is not None
        return assigns or self._own_id(operation) is not None

    async def _find_users(self) -> None:
        """The IDs behind the users' IDs, which tokens have."""
        users = self.api.resources.database("accounts")["users"]
        async for document in users.find({"state.InternalID": {"$ne": None}}):
            state = document["state"]
            side = state["ID"].rpartition("-")[2]
            user_type = (
                UserType.BUYER if state.get("BuyerID")
                else UserType.SUPPLIER if state.get("SupplierID")
                else UserType.ADMIN
            )  # fmt: skip
            self._internal[user_type, side] = state["InternalID"]

    async def _databases(self) -> list[Any]:
        client = self.api.resources.database("accounts").client
        prefix = self.api.resources.settings.database_prefix
        names = await client.list_database_names()
        return [client[name] for name in sorted(names) if name.startswith(f"{prefix}_")]

    async def hashes(self) -> dict[str, str]:
        """A hash of each collection, by database and name."""
        found = {}
        for database in await self._databases():
            answer = await database.command("dbHash")
            found |= {f"{database.name}.{name}": of for name, of in answer["collections"].items()}
        return found

    async def dump(self) -> dict[str, dict[Any, Any]]:
        """Every document of every collection, by its key."""
        found = {}
        for database in await self._databases():
            for name in await database.list_collection_names():
                found[f"{database.name}.{name}"] = {
                    str(document["_id"]): document async for document in database[name].find()
                }
        return found


def _me(operation: Operation) -> bool:
    return operation.path.lower().startswith("/me")


def _of_stocked(operation: Operation) -> bool:
    return "inventoryrecords" in operation.path.lower() and "{variantID}" not in operation.path


def names_many(operation: Operation) -> bool:
    return isinstance(operation.answer, ListOf)


@asynccontextmanager
async def world_of(
    mongo: AsyncMongoClient[dict[str, Any]], prefix: str, services: Sequence[str]
) -> AsyncIterator[World]:
    """A marketplace with real tokens in databases of its own."""
    async with api_under_test(mongo, prefix, services) as api:
        mint = Mint(api.clock)
        app = api_app(api.operations, mint.verifier, api.clock)
        made = World(api, mint, app)
        await made.seed()
        yield made
