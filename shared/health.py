"""Liveness, readiness and metrics of a process over HTTP.

Alive means that something would be gained by leaving it alone: it polls, or it works on a batch
and makes progress; waiting for Kafka or MongoDB is progress, because a restart would not help.
Ready means that it has joined its group and consumes.
"""

import time
from collections.abc import Sequence
from typing import Any, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.messaging.runner import BatchRunner
from shared.metrics import Metrics

STALE_SECONDS = 60.0
"""A service whose last poll or last progress is older is not alive."""


class Subscriber(Protocol):
    """What is read of FastStream's subscriber."""

    consumer: Any


class Retrying(Protocol):
    """What is read of the publisher."""

    last_retry: float


class Listening(Protocol):
    """What is read of the consumer's watch."""

    def last_silence(self) -> float: ...


class ServiceHealth:
    """The health of one service."""

    def __init__(
        self, name: str, runner: BatchRunner, publisher: Retrying, watch: Listening
    ) -> None:
        self.name = name
        self._runner = runner
        self._publisher = publisher
        self._watch = watch
        self._subscriber: Subscriber | None = None
        self._joined = False
        self._failed = False
        self._stopping = False

    def joined(self) -> None:
        """The consumer group has given this member its share, which may be none."""
        self._joined = True

    def started(self, subscriber: Subscriber) -> None:
        """The subscriber consumes."""
        self._subscriber = subscriber

    def failed(self) -> None:
        """A part of the service ended that should not have."""
        self._failed = True

    def stopping(self) -> None:
        self._stopping = True

    def idle_seconds(self) -> float:
        """Since when nothing moved that could: the age of the last poll, or of the batch's last
        progress. While Kafka answers nothing at all, nothing can."""
        moved = max(
            self._runner.last_progress, self._publisher.last_retry, self._watch.last_silence()
        )
        progress = time.monotonic() - moved
        consumer = self._consumer()
        if self._runner.busy or consumer is None:
            return progress
        polls = [consumer.last_poll_timestamp(place) for place in consumer.assignment()]
        seen = [poll for poll in polls if poll]
        if not seen:
            # More instances than partitions: nothing to poll, and nothing wrong.
            return 0.0
        return min(progress, time.time() - float(max(seen)) / 1000)

    def alive(self) -> bool:
        if self._failed:
            return False
        return self._consumer() is None or self.idle_seconds() < STALE_SECONDS

    def ready(self) -> bool:
        return self._consumer() is not None and self._joined and not self._stopping and self.alive()

    def _consumer(self) -> Any:
        return self._subscriber.consumer if self._subscriber is not None else None


def health_app(metrics: Metrics, services: Sequence[ServiceHealth]) -> Starlette:
    """``/healthz`` (200 alive, 503 not), ``/readyz`` (200 ready, 503 not), ``/metrics``."""

    async def healthz(_: Request) -> JSONResponse:
        states = {
            service.name: {
                "alive": service.alive(),
                "idle_seconds": round(service.idle_seconds(), 1),
            }
            for service in services
        }
        good = all(state["alive"] for state in states.values())
        return JSONResponse({"services": states}, 200 if good else 503)

    async def readyz(_: Request) -> JSONResponse:
        states = {service.name: service.ready() for service in services}
        return JSONResponse({"services": states}, 200 if all(states.values()) else 503)

    async def exposition(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", exposition),
        ]
    )
