"""HTTP requests as parts of traces."""

import httpx
from fastapi import FastAPI, Request

from shared.tracing.http import TracedRequests
from shared.tracing.otel import OtelTracing
from shared.tracing.port import ServiceTracing
from tests.unit.tracing.test_batches import IGNORED, SAMPLED, SPAN, TRACE, Kept


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {}

    @app.get("/v1/orders/{id}")
    async def order(id: str, request: Request) -> dict[str, str | None]:
        if id == "broken":
            raise ValueError("Ada Lovelace")
        return {"trace": request.state.traceparent}

    return app


async def ask(
    tracing: ServiceTracing | None, path: str, trace: str | None = None
) -> httpx.Response:
    transport = httpx.ASGITransport(
        TracedRequests(application(), tracing),  # type: ignore[arg-type]
        raise_app_exceptions=False,
    )
    headers = {} if trace is None else {"traceparent": trace}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path, headers=headers)


async def test_a_request_continues_its_callers_trace_under_the_routes_name() -> None:
    kept = Kept()
    tracing = OtelTracing(kept, ratio=0)

    answer = await ask(tracing.of("gateway"), "/v1/orders/ada", SAMPLED)

    await tracing.close()
    (span,) = kept.spans
    assert (span.name, span.kind.name) == ("GET /v1/orders/{id}", "SERVER")
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}" == f"{TRACE}-{SPAN}"
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/orders/{id}",
        "http.response.status_code": 200,
    }
    assert span.context is not None
    assert answer.json()["trace"][36:52] == f"{span.context.span_id:016x}"


async def test_health_is_not_traced() -> None:
    kept = Kept()
    tracing = OtelTracing(kept, ratio=1)

    answer = await ask(tracing.of("gateway"), "/healthz", SAMPLED)

    await tracing.close()
    assert (answer.status_code, kept.spans) == (200, [])


async def test_a_request_that_is_not_sampled_hands_the_decision_on() -> None:
    kept = Kept()
    tracing = OtelTracing(kept, ratio=0)

    came = await ask(tracing.of("gateway"), "/v1/orders/o", IGNORED)
    began = await ask(tracing.of("gateway"), "/v1/orders/o")

    await tracing.close()
    assert kept.spans == []
    assert came.json()["trace"] == IGNORED
    assert began.json()["trace"].endswith("-00")


async def test_a_request_that_breaks_is_marked_with_the_kind_of_its_fault_alone() -> None:
    kept = Kept()
    tracing = OtelTracing(kept, ratio=1)

    await ask(tracing.of("gateway"), "/v1/orders/broken")

    await tracing.close()
    (span,) = kept.spans
    assert span.status.status_code.name == "ERROR"
    assert "Ada" not in span.to_json()


async def test_without_traces_the_callers_is_handed_on() -> None:
    assert (await ask(None, "/v1/orders/o", SAMPLED)).json() == {"trace": SAMPLED}
    assert (await ask(None, "/v1/orders/o", "nonsense")).json() == {"trace": None}
    assert (await ask(None, "/v1/orders/o")).json() == {"trace": None}
