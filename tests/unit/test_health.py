"""When a service is taken for dead, and when it only waits."""

import time
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from shared.health import STALE_SECONDS, ServiceHealth
from shared.messaging.runner import BatchRunner

LONG = STALE_SECONDS + 1


@dataclass
class Parts:
    """A service's parts as its health sees them; ages are in seconds."""

    progress: float = 0.0
    busy: bool = False
    retry: float = 0.0
    silence: float = LONG
    poll: float | None = 0.0
    consumer: Any = field(init=False)

    def __post_init__(self) -> None:
        self.consumer = self

    @property
    def last_progress(self) -> float:
        return time.monotonic() - self.progress

    @property
    def last_retry(self) -> float:
        return time.monotonic() - self.retry

    def last_silence(self) -> float:
        return time.monotonic() - self.silence

    def assignment(self) -> list[str]:
        return ["place"] if self.poll is not None else []

    def last_poll_timestamp(self, place: str) -> float:
        return (time.time() - (self.poll or 0.0)) * 1000


def health(parts: Parts) -> ServiceHealth:
    made = ServiceHealth("tests", cast(BatchRunner, parts), parts, parts)
    made.started(parts)
    made.joined()
    return made


@pytest.mark.parametrize(
    ("parts", "alive"),
    [
        (Parts(progress=LONG, retry=LONG), True),
        (Parts(progress=LONG, retry=LONG, poll=LONG), False),
        (Parts(progress=LONG, retry=LONG, poll=LONG, silence=0), True),
        (Parts(progress=LONG, retry=LONG, poll=None), True),
        (Parts(progress=LONG, retry=LONG, busy=True), False),
        (Parts(progress=LONG, retry=LONG, busy=True, silence=5), True),
        (Parts(progress=LONG, retry=1, busy=True), True),
        (Parts(progress=1, retry=LONG, poll=LONG, busy=True), True),
    ],
    ids=[
        "polls are answered",
        "polls are not answered and Kafka is there",
        "Kafka answers nobody",
        "no partitions",
        "a batch hangs",
        "a batch hangs and Kafka has just come back",
        "a batch waits for Kafka to take its events",
        "a batch goes on",
    ],
)
def test_a_service_that_waits_is_alive_and_one_that_hangs_is_not(parts: Parts, alive: bool) -> None:
    assert health(parts).alive() is alive


def test_a_service_whose_part_failed_is_neither_alive_nor_ready() -> None:
    failed = health(Parts())

    failed.failed()

    assert (failed.alive(), failed.ready()) == (False, False)


def test_a_service_that_stops_is_alive_and_not_ready() -> None:
    stopping = health(Parts())

    stopping.stopping()

    assert (stopping.alive(), stopping.ready()) == (True, False)
