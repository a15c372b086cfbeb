"""The front door of one machine: is everything up, and where is what."""

import asyncio
from collections.abc import Callable, Mapping

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

_LIMIT = 5.0

API = "api"
API_READINESS = "/readyz/api"
"""Whether the API of the process that answers is ready, whatever the services are."""

_WAITS = "it waits for Kafka or MongoDB"


async def unready(services: Mapping[str, str], client: httpx.AsyncClient) -> dict[str, str]:
    """The services that are not ready, each with the reason; empty when all are.

    Args:
        services: the URL at which each service says whether it is ready, by name.
        client: what to ask them with.
    """

    async def reason(url: str) -> str | None:
        try:
            response = await client.get(url, timeout=_LIMIT)
        except httpx.HTTPError as error:
            return f"no answer ({type(error).__name__})"
        return None if response.status_code == 200 else response.text[:500]

    reasons = await asyncio.gather(*map(reason, services.values()))
    return {name: text for name, text in zip(services, reasons, strict=True) if text is not None}


def create_app(services: Mapping[str, str], client: httpx.AsyncClient) -> FastAPI:
    """The application behind `ordermesh front-door`.

    Args:
        services: the base URL of each service's health and metrics, by name.
        client: what to ask them with; the caller closes it.
    """
    app = FastAPI(title="Ordermesh", docs_url=None, redoc_url=None, openapi_url=None)
    add_front_door(app, services, client)
    return app


def add_front_door(
    app: FastAPI,
    services: Mapping[str, str],
    client: httpx.AsyncClient,
    *,
    ready: Callable[[], bool] | None = None,
) -> None:
    """Adds the front door's paths to ``app``.

    Args:
        app: what serves them.
        services: the base URL of each service's health and metrics, by name.
        client: what to ask them with; the caller closes it.
        ready: whether the API of this process is, where it has one.
    """
    readiness_urls = {name: f"{base}/readyz" for name, base in services.items()}
    own = {}
    if ready is not None:
        own = {
            API_READINESS: "200 when the HTTP API is ready, else 503",
            "/docs": "the HTTP API, which is under /v1 and /oauth",
        }

    def bases(request: Request) -> dict[str, str]:
        """The base URL of each process's metrics; this one's is the one by which it was asked."""
        here = {} if ready is None else {API: str(request.base_url).rstrip("/")}
        return {**services, **here}

    @app.get("/")
    async def overview(request: Request) -> dict[str, object]:
        """What can be asked here."""
        return {
            "Name": "Ordermesh",
            "Endpoints": {
                "/healthz": "this process answers",
                "/readyz": "200 when every service is ready, else 503 and the ones that are not",
                **own,
                "/targets": "where the services' metrics are, for Prometheus (http_sd_configs)",
            },
            "Metrics": {name: f"{base}/metrics" for name, base in bases(request).items()},
        }

    @app.get("/targets")
    async def targets(request: Request) -> list[dict[str, object]]:
        """The services' metrics as Prometheus's HTTP service discovery reads them."""
        return [
            {"targets": [base.removeprefix("http://")], "labels": {"instance": name}}
            for name, base in bases(request).items()
        ]

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        """Answers as long as this process does."""
        return {"Status": "ok"}

    @app.get("/readyz")
    async def readiness() -> JSONResponse:
        """200 when every service is ready, else 503 with those which are not, and why."""
        missing = await unready(readiness_urls, client)
        names = list(services)
        if ready is not None:
            names.append(API)
            if not ready():
                missing[API] = _WAITS
        return JSONResponse(
            {
                "Ready": not missing,
                "Services": {name: name not in missing for name in names},
                "NotReady": missing,
            },
            status_code=503 if missing else 200,
        )

    if ready is None:
        return

    @app.get(API_READINESS)
    async def own_readiness() -> JSONResponse:
        """200 when the API is ready, else 503: for what sends it requests, which it can answer
        without the services."""
        if ready():
            return JSONResponse({"Ready": True})
        return JSONResponse({"Ready": False, "Reason": _WAITS}, status_code=503)
