"""The front door of one machine: is everything up, and where is what."""

import asyncio
from collections.abc import Callable, Mapping

import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse

_LIMIT = 5.0


async def unready(services: Mapping[str, str], client: httpx.AsyncClient) -> dict[str, str]:
    """The services that are not ready, each with the reason; empty when all are.

    Args:
        services: the base URL of each service's health and metrics, by name.
        client: what to ask them with.
    """

    async def reason(base: str) -> str | None:
        try:
            response = await client.get(f"{base}/readyz", timeout=_LIMIT)
        except httpx.HTTPError as error:
            return f"no answer ({type(error).__name__})"
        return None if response.status_code == 200 else response.text[:500]

    reasons = await asyncio.gather(*map(reason, services.values()))
    return {name: text for name, text in zip(services, reasons, strict=True) if text is not None}


def create_app(services: Mapping[str, str], client: httpx.AsyncClient) -> FastAPI:
    """The application behind `ordermesh up --http`.

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
    api = {} if ready is None else {"/docs": "the HTTP API, which is under /v1 and /oauth"}

    @app.get("/")
    async def overview() -> dict[str, object]:
        """What can be asked here."""
        return {
            "Name": "Ordermesh",
            "Endpoints": {
                "/healthz": "this process answers",
                "/readyz": "200 when every service is ready, else 503 and the ones that are not",
                **api,
                "/targets": "where the services' metrics are, for Prometheus (http_sd_configs)",
            },
            "Metrics": {name: f"{base}/metrics" for name, base in services.items()},
        }

    @app.get("/targets")
    async def targets() -> list[dict[str, object]]:
        """The services' metrics as Prometheus's HTTP service discovery reads them."""
        return [
            {"targets": [base.removeprefix("http://")], "labels": {"instance": name}}
            for name, base in services.items()
        ]

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        """Answers as long as this process does."""
        return {"Status": "ok"}

    @app.get("/readyz")
    async def readiness() -> JSONResponse:
        """200 when every service is ready, else 503 with those which are not, and why."""
        missing = await unready(services, client)
        names = list(services)
        if ready is not None:
            names.append("api")
            if not ready():
                missing["api"] = "it waits for Kafka or MongoDB"
        return JSONResponse(
            {
                "Ready": not missing,
                "Services": {name: name not in missing for name in names},
                "NotReady": missing,
            },
            status_code=503 if missing else 200,
        )
