"""The benchmark of the HTTP API: reading, listing and creating products out of very many, and
tokens, beside a bare FastAPI route on the same server in the same run."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

import httpx
from pymongo import AsyncMongoClient

from services.bench.run import prepare
from services.bench.wrk import CONNECTIONS, Figures, load, wrk_program
from services.checks import DeploymentError
from services.up import Deployment
from shared.embedded import free_port
from shared.settings import Settings

SUPPLIERS = 500
_AT_ONCE = 5_000
_WARM_UP = 2
_ROUNDS = 3


async def run(*, products: int, seconds: int) -> None:
    """Measures each for ``seconds`` with that many products, and prints JSON. Get and the bare
    route take turns; told is the round of the median ratio."""
    wrk_program()
    prepare()
    with contextlib.suppress(asyncio.CancelledError):
        # The API alone: the services would consume what it tells, on the same cores.
        async with Deployment(services=()) as deployment:
            form = _credentials(deployment)
            async with httpx.AsyncClient(base_url=deployment.http, trust_env=False) as client:
                sample = await _fill(client, deployment, form, products)
                headers = dict(client.headers)
            authorization = {"Authorization": headers["authorization"]}
            async with _bare(sample) as url:
                gets = [
                    [
                        await _measured(base, _get(products), seconds, authorization)
                        for base in (deployment.http, url)
                    ]
                    for _ in range(_ROUNDS)
                ]
            figures = {}
            for name, lua in _requests(products, form).items():
                given = {} if name == "token" else authorization
                figures[name] = await _measured(deployment.http, lua, seconds, given)
        get, bare = sorted(gets, key=_ratio)[_ROUNDS // 2]
        print(json.dumps(_told(products, {"get": get, **figures}, bare), indent=2))


def _ratio(pair: list[Figures]) -> float:
    get, bare = pair
    return get.requests_per_second / bare.requests_per_second


async def _measured(url: str, lua: str, seconds: int, headers: dict[str, str]) -> Figures:
    await load(url, lua, seconds=_WARM_UP, headers=headers)
    return await load(url, lua, seconds=seconds, headers=headers)


def _credentials(deployment: Deployment) -> str:
    admin = deployment.admin
    if admin is None:
        raise DeploymentError("The deployment has no API client to log in with.")
    return urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": admin.id,
            "client_secret": admin.secret,
        }
    )


async def _fill(
    client: httpx.AsyncClient, deployment: Deployment, form: str, products: int
) -> dict[str, Any]:
    """Makes one product as clients do and the others as copies of its document, straight into
    MongoDB; returns the answer to who gets one. The client is logged in then."""
    token = await client.post(
        "/oauth/token",
        content=form,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    token.raise_for_status()
    client.headers["authorization"] = f"Bearer {token.json()['access_token']}"
    await _done(client.put("/v1/suppliers/bench-supplier-0", json={"Name": "Bench"}))
    body = {
        "Name": "Product 0",
        "Description": "A product to be read very often. " * 4,
        "DefaultSupplierID": "bench-supplier-0",
        "ShipWeight": 1.25,
        "xp": {"Colour": "blue", "Sizes": ["S", "M", "L"], "Season": {"Year": 2026, "Half": 2}},
    }
    sample: dict[str, Any] = await _done(client.put("/v1/products/bench-0", json=body))
    mongo: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient(deployment.mongodb) as mongo:
        collection: Any = mongo[f"{Settings().database_prefix}_pricing"]["products"]
        first = await collection.find_one({"_id": "bench-0"})
        if first is None:
            raise DeploymentError("The product that was saved is not in MongoDB.")
        for begin in range(1, products, _AT_ONCE):
            numbers = range(begin, min(begin + _AT_ONCE, products))
            await collection.insert_many([_copy(first, n) for n in numbers], ordered=False)
        # Or it writes them to its files while something else is measured.
        await mongo.admin.command("fsync")
    return sample


async def _done(sending: Any) -> Any:
    answer: httpx.Response = await sending
    if answer.is_error:
        raise DeploymentError(f"The API refuses what the benchmark needs: {answer.text[:500]}")
    return answer.json()


def _copy(document: dict[str, Any], number: int) -> dict[str, Any]:
    state = {
        **document["state"],
        "ID": f"bench-{number}",
        "Name": f"Product {number}",
        "DefaultSupplierID": f"bench-supplier-{number % SUPPLIERS}",
    }
    copy = {**document, "_id": state["ID"], "state": state, "outbox": []}
    for field in ("bodies", "outbox_at"):
        copy.pop(field, None)
    return copy


def _get(products: int) -> str:
    return _lua(f'"GET", "/v1/products/bench-" .. math.random(0, {products - 1})')


def _requests(products: int, form: str) -> dict[str, str]:
    """What is asked but get, by name."""
    kinds = {
        "list_by_supplier": (
            f'"GET", "/v1/products?DefaultSupplierID=bench-supplier-" .. math.random(0,'
            f" {SUPPLIERS - 1})"
        ),
        "list_by_name_prefix": (
            f'"GET", "/v1/products?Name=Product%20" .. math.random(0, {products // 100}) .. "*"'
        ),
        "create": '"POST", "/v1/products", nil, \'{"Name": "Made"}\'',
    }
    login = '{["Content-Type"] = "application/x-www-form-urlencoded"}'
    token = f'"POST", "/oauth/token", {login}, "{form}"'
    return {**{name: _lua(arguments) for name, arguments in kinds.items()}, "token": _lua(token)}


def _lua(arguments: str) -> str:
    return f"request = function() return wrk.format({arguments}) end\n"


@asynccontextmanager
async def _bare(sample: dict[str, Any]) -> AsyncIterator[str]:
    """The bare route's URL while its process runs."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.bench.bare_http", str(port)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdin is None or process.stdout is None:
            raise DeploymentError("The bare route's process cannot be talked to.")
        process.stdin.write(json.dumps(sample).encode() + b"\n")
        await process.stdin.drain()
        if not await process.stdout.readline():
            raise DeploymentError("The bare route ended early; its lines on stderr say why.")
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _told(products: int, figures: dict[str, Figures], bare: Figures) -> dict[str, Any]:
    return {
        "products": products,
        "connections": CONNECTIONS,
        **{name: asdict(each) for name, each in figures.items()},
        "bare_fastapi_get": asdict(bare),
        "get_to_bare": round(_ratio([figures["get"], bare]), 3),
        "machine": {"cores": os.cpu_count(), "load_average": os.getloadavg()},
    }
