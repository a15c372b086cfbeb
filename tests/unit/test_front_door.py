"""The front door: who is ready, where metrics are, and what it says of the API beside it."""

from collections.abc import Callable, Mapping

import httpx
import pytest
from fastapi import FastAPI

from services.gateway import API_READINESS, add_front_door, create_app, unready

SERVICES = {"accounts": "http://accounts:9464", "checkout": "http://checkout:9464"}


def world(answers: Mapping[str, int]) -> httpx.AsyncClient:
    """Services by host that answer /readyz with a status; who has none cannot be reached."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host not in answers:
            raise httpx.ConnectError("nobody there", request=request)
        status = answers[request.url.host] if request.url.path == "/readyz" else 404
        return httpx.Response(status, text="has no partitions" if status == 503 else "")

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


async def ask(
    path: str, answers: Mapping[str, int], ready: Callable[[], bool] | None = None
) -> httpx.Response:
    """What the front door of a process, with an API where ``ready`` is given, answers."""
    app = FastAPI()
    async with world(answers) as services:
        add_front_door(app, SERVICES, services, ready=ready)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://door:8080") as client:
            return await client.get(path)


ALL = {"accounts": 200, "checkout": 200}


async def test_all_are_ready() -> None:
    response = await ask("/readyz", ALL, lambda: True)

    assert response.status_code == 200
    assert response.json() == {
        "Ready": True,
        "Services": {"accounts": True, "checkout": True, "api": True},
        "NotReady": {},
    }


async def test_who_is_not_ready_is_named_with_the_reason() -> None:
    response = await ask("/readyz", {"checkout": 503}, lambda: False)

    assert response.status_code == 503
    assert response.json() == {
        "Ready": False,
        "Services": {"accounts": False, "checkout": False, "api": False},
        "NotReady": {
            "accounts": "no answer (ConnectError)",
            "checkout": "has no partitions",
            "api": "it waits for Kafka or MongoDB",
        },
    }


@pytest.mark.parametrize("answers", [ALL, {"checkout": 503}, {}])
async def test_the_api_is_ready_whatever_the_services_are(answers: Mapping[str, int]) -> None:
    response = await ask(API_READINESS, answers, lambda: True)

    assert (response.status_code, response.json()) == (200, {"Ready": True})


async def test_the_api_is_not_ready_while_it_waits() -> None:
    response = await ask(API_READINESS, ALL, lambda: False)

    assert response.status_code == 503
    assert response.json() == {"Ready": False, "Reason": "it waits for Kafka or MongoDB"}


async def test_the_process_lives_while_nothing_is_ready() -> None:
    response = await ask("/healthz", {}, lambda: False)

    assert response.status_code == 200


async def test_prometheus_is_told_of_the_services_and_of_the_api_where_it_was_asked() -> None:
    response = await ask("/targets", {}, lambda: True)

    assert response.json() == [
        {"targets": ["accounts:9464"], "labels": {"instance": "accounts"}},
        {"targets": ["checkout:9464"], "labels": {"instance": "checkout"}},
        {"targets": ["door:8080"], "labels": {"instance": "api"}},
    ]


async def test_the_overview_names_the_documentation_and_the_metrics() -> None:
    told = (await ask("/", {}, lambda: True)).json()

    assert {"/readyz/api", "/docs"} <= told["Endpoints"].keys()
    assert told["Metrics"] == {
        "accounts": "http://accounts:9464/metrics",
        "checkout": "http://checkout:9464/metrics",
        "api": "http://door:8080/metrics",
    }


async def test_a_front_door_alone_says_nothing_of_an_api() -> None:
    async with world(ALL) as services:
        transport = httpx.ASGITransport(create_app(SERVICES, services))
        async with httpx.AsyncClient(transport=transport, base_url="http://door:8080") as client:
            ready, own = await client.get("/readyz"), await client.get(API_READINESS)
            targets, overview = await client.get("/targets"), await client.get("/")

    assert ready.json()["Services"] == {"accounts": True, "checkout": True}
    assert own.status_code == 404
    assert [target["labels"]["instance"] for target in targets.json()] == ["accounts", "checkout"]
    assert not {"/docs", API_READINESS} & overview.json()["Endpoints"].keys()


async def test_readiness_is_asked_at_the_urls_that_are_given() -> None:
    async with world({"checkout": 200}) as services:
        urls = {"checkout": "http://checkout/readyz", "api": "http://checkout/readyz/api"}

        missing = await unready(urls, services)

    assert missing == {"api": ""}
