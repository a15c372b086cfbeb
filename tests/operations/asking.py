"""Requests to the HTTP API that keep coming while something is broken."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

CLIENT = {"admin_client_id": "operations", "admin_client_secret": "asks-while-it-is-night"}
"""The settings of a deployment that can be asked."""

_LIMIT = 30.0
_PAUSE = 0.5


@asynccontextmanager
async def asking(base: str) -> AsyncIterator[None]:
    """Lists products of the API at ``base`` twice a second. A request that waits holds up no
    other, and what is answered does not matter."""
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=_LIMIT) as client:
        answer = await client.post(
            "/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_id": CLIENT["admin_client_id"],
                "client_secret": CLIENT["admin_client_secret"],
            },
        )
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        task = asyncio.create_task(_ask(client))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _ask(client: httpx.AsyncClient) -> None:
    async def once() -> None:
        with contextlib.suppress(httpx.HTTPError):
            await client.get("/v1/products")

    async with asyncio.TaskGroup() as requests:
        while True:
            requests.create_task(once())
            await asyncio.sleep(_PAUSE)
