"""From a request to its operation and back, whatever comes and whatever happens."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pymongo.errors import AutoReconnect

from shared.http.app import Limits, api_app
from shared.http.errors import bad_request, unauthorized
from shared.http.operations import ADMIN_BUYER, Call, Operation
from shared.http.principal import Principal, UserType
from tests.support.api import errors_of, principal

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Tokens:
    """``admin``, ``reader`` and ``buyer`` are tokens."""

    async def verify(self, authorization: str | None) -> Principal:
        known = {
            "Bearer admin": principal(),
            "Bearer reader": principal(UserType.ADMIN, "marketplace", "ThingReader"),
            "Bearer buyer": principal(UserType.BUYER, "b1"),
            "Bearer supplier": principal(UserType.SUPPLIER, "s1"),
        }
        if authorization not in known:
            raise unauthorized("Auth.OauthError", "Get a token.")
        return known[authorization]


async def echo(call: Call) -> Any:
    return {"Path": dict(call.path), "Body": call.json(), "User": call.principal.user_id}


async def fail(call: Call) -> Any:
    raise RuntimeError("a secret in an exception")


async def lose(call: Call) -> Any:
    raise AutoReconnect("mongodb://user:password@host")


async def hang(call: Call) -> Any:
    await asyncio.Event().wait()


async def refuse(call: Call) -> Any:
    raise bad_request("Thing.Wrong", "Do it otherwise.", Why="so")


async def nothing(call: Call) -> None:
    """There is nothing to tell."""


OPERATIONS = [
    Operation(name="Things.Create", method="POST", path="/things", handler=echo, status=201),
    Operation(
        name="Things.Get",
        method="GET",
        path="/buyers/{buyerID}/things/{thingID}",
        handler=echo,
        users=ADMIN_BUYER,
        roles=("ThingAdmin", "ThingReader"),
    ),
    Operation(
        name="Things.Save",
        method="PUT",
        path="/buyers/{buyerID}/things/{thingID}",
        handler=echo,
        users=ADMIN_BUYER,
        roles=("ThingAdmin",),
    ),
    Operation(name="Things.Fail", method="GET", path="/fail", handler=fail),
    Operation(name="Things.Lose", method="GET", path="/lose", handler=lose),
    Operation(name="Things.Hang", method="GET", path="/hang", handler=hang),
    Operation(name="Things.Refuse", method="GET", path="/refuse", handler=refuse),
    Operation(name="Things.Delete", method="DELETE", path="/things", handler=nothing, status=204),
    Operation(
        name="Auth.Open",
        method="GET",
        path="/oauth/open",
        handler=nothing,
        public=True,
        versioned=False,
    ),
]


def client(
    token: str | None = "admin",
    counted: list[tuple[str, int]] | None = None,
    origins: Sequence[str] = ("*",),
) -> httpx.AsyncClient:
    def count(operation: str, status: int, seconds: float) -> None:
        if counted is not None:
            counted.append((operation, status))

    app = api_app(
        OPERATIONS,
        Tokens(),
        lambda: NOW,
        limits=Limits(body_bytes=1_000, seconds=0.2),
        count=count,
        origins=origins,
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://api",
        headers={} if token is None else {"Authorization": f"Bearer {token}"},
    )


async def test_an_operation_gets_path_body_and_caller() -> None:
    async with client() as api:
        response = await api.put("/v1/BUYERS/b1/Things/T-1", json={"a": 1})

    assert response.status_code == 200
    assert response.json() == {
        "Path": {"buyerID": "b1", "thingID": "T-1"},
        "Body": {"a": 1},
        "User": "tester",
    }


async def test_an_empty_body_with_a_json_content_type_is_fine() -> None:
    async with client() as api:
        response = await api.post("/v1/things", headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["Body"]) == (201, {})


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("application/merge-patch+json", 201),
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
    ],
)
async def test_a_body_is_json(content_type: str, status: int) -> None:
    async with client() as api:
        response = await api.post(
            "/v1/things", content=b'{"a": 1}', headers={"Content-Type": content_type}
        )

    assert response.status_code == status
    if status == 415:
        assert errors_of(response) == ["Request.InvalidContentType"]


@pytest.mark.parametrize(
    ("token", "method", "path", "expected"),
    [
        (None, "GET", "/v1/buyers/b1/things/t", (401, ["Auth.OauthError"])),
        ("", "GET", "/v1/buyers/b1/things/t", (401, ["Auth.OauthError"])),
        ("reader", "PUT", "/v1/buyers/b1/things/t", (403, ["Auth.InsufficientRoles"])),
        ("supplier", "GET", "/v1/buyers/b1/things/t", (403, ["Auth.UserNotAuthorizedToAdmin"])),
        ("buyer", "GET", "/v1/buyers/b2/things/t", (404, ["NotFound"])),
        ("admin", "GET", "/v1/nowhere", (404, ["NotFound"])),
        ("admin", "PATCH", "/v1/things", (405, ["Request.InvalidMethod"])),
        ("admin", "GET", "/v1/refuse", (400, ["Thing.Wrong"])),
        ("admin", "GET", "/v1/lose", (503, ["Api.Offline"])),
        ("admin", "GET", "/v1/hang", (503, ["Api.Offline"])),
        ("admin", "GET", "/v1/fail", (500, ["ServerError"])),
    ],
)
async def test_what_is_refused_or_fails_is_told_in_the_envelope(
    token: str | None, method: str, path: str, expected: tuple[int, list[str]]
) -> None:
    async with client(token) as api:
        response = await api.request(method, path)

    assert (response.status_code, errors_of(response)) == expected


@pytest.mark.parametrize("path", ["/v1/fail", "/v1/lose"])
async def test_an_internal_error_shows_a_log_id_and_nothing_else(path: str) -> None:
    async with client() as api:
        response = await api.get(path)

    told = response.json()["Errors"][0]
    assert told["Data"] == {"LogID": response.headers["X-Request-ID"]}
    assert "secret" not in response.text
    assert "password" not in response.text


async def test_a_caller_of_another_company_is_told_the_same_as_of_none_at_all() -> None:
    async with client("buyer") as api:
        there = await api.get("/v1/buyers/b2/things/t")
        nowhere = await api.get("/v1/buyers/zz/things/t")

    assert there.json() == {
        "Errors": [
            {
                "ErrorCode": "NotFound",
                "Message": "There is no Buyer with ID b2; check the ID.",
                "Data": {"ObjectType": "Buyer", "ObjectID": "b2"},
            }
        ]
    }
    assert nowhere.text == there.text.replace("b2", "zz")


async def test_a_body_that_is_too_large_is_refused_with_or_without_its_length() -> None:
    async def chunks() -> Any:
        for _ in range(20):
            yield b"x" * 100

    async with client() as api:
        declared = await api.post("/v1/things", content=b"x" * 1_001)
        streamed = await api.post("/v1/things", content=chunks())

    assert [declared.status_code, streamed.status_code] == [413, 413]
    assert declared.json()["Errors"][0]["Data"] == {"MaxSize": 1_000}


async def test_a_public_operation_asks_for_no_token() -> None:
    async with client(None) as api:
        response = await api.get("/oauth/open")

    assert response.status_code == 200


async def test_a_deletion_answers_nothing() -> None:
    async with client() as api:
        response = await api.delete("/v1/things")

    assert (response.status_code, response.content) == (204, b"")


async def test_pages_of_chosen_origins_alone_may_call() -> None:
    async def asked(origin: str) -> httpx.Response:
        async with client(None, origins=["https://shop.example"]) as api:
            return await api.options(
                "/v1/things",
                headers={
                    "Origin": origin,
                    "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": "authorization,content-type",
                },
            )

    allowed, other = await asked("https://shop.example"), await asked("https://other.example")

    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    assert other.status_code == 400
    assert "access-control-allow-origin" not in other.headers


async def test_every_answer_has_the_security_headers() -> None:
    async with client() as api:
        good, bad = await api.post("/v1/things"), await api.get("/v1/nowhere")

    for response in (good, bad):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["referrer-policy"] == "no-referrer"


async def test_each_answer_is_counted_under_its_operation() -> None:
    counted: list[tuple[str, int]] = []
    async with client(counted=counted) as api:
        await api.post("/v1/things")
        await api.get("/v1/nowhere")
        await api.get("/v1/fail")

    assert counted == [("Things.Create", 201), ("unknown", 404), ("Things.Fail", 500)]


async def test_the_documentation_names_every_operation() -> None:
    async with client(None) as api:
        document = (await api.get("/openapi.json")).json()
        page = (await api.get("/docs")).text

    assert document["openapi"] == "3.1.0"
    names = {each["operationId"] for path in document["paths"].values() for each in path.values()}
    assert names == {operation.name for operation in OPERATIONS}
    assert all(operation.name in page for operation in OPERATIONS)
    assert "<script" not in page
