"""The spans of batches: what is recorded, under what, and what travels on."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from pymongo.errors import AutoReconnect

from shared.contracts.catalog import Buyer
from shared.contracts.registry import BUYER
from shared.messaging.message import Message
from shared.messaging.outbox import OutboxEntry
from shared.messaging.runner import BatchRunner
from shared.metrics import Metrics
from shared.settings import Settings
from shared.tracing.otel import OtelTracing
from shared.tracing.port import TracingUnavailable, start_tracing
from shared.tracing.traceparent import accepted, is_sampled
from tests.support.collector import collector
from tests.support.fakes import START, FakePublisher
from tests.support.records import FakeConsumer, FakeRecord, decoder, record

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, IGNORED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


class Kept(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing is held."""


class Heard:
    """A processor that notes the traces of what it gets, fails for ``poisonous`` IDs and
    publishes one event for each message."""

    types = frozenset((BUYER.save,))

    def __init__(self, publisher: Any) -> None:
        self.traces: dict[str, str | None] = {}
        self.poisonous: set[str] = set()
        self.then: Callable[[], Awaitable[object]] | None = None
        self._publisher = publisher

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        for message in messages:
            if message.body.id in self.poisonous:
                raise ValueError("Ada Lovelace")
            self.traces[message.body.id] = message.trace
        if self.then is not None:
            await self.then()
        await self._publisher.publish(
            [OutboxEntry(m.id, "t", "T", m.key, START, "{}", m.trace) for m in messages]
        )


class Rig:
    def __init__(self, ratio: float = 1) -> None:
        self.exporter = Kept()
        self.tracing = OtelTracing(self.exporter, ratio=ratio)
        self.service = self.tracing.of("tests")
        self.publisher = FakePublisher()
        publisher = self.service.publishing(self.publisher)
        self.processor = Heard(publisher)
        self._runner = BatchRunner(
            "tests", decoder(BUYER.save), [self.processor], publisher, Metrics(), self.service
        )

    async def run(self, *records: FakeRecord) -> dict[str, ReadableSpan]:
        """The spans of a batch, by name; those of messages with the message's ID."""
        await self._runner.run(records, FakeConsumer())
        await self.tracing.close()
        return {self._name(span): span for span in self.exporter.spans}

    @staticmethod
    def _name(span: ReadableSpan) -> str:
        key = (span.attributes or {}).get("messaging.kafka.message.key")
        return span.name if key is None else f"{span.name} {key}"


def save(id: str, trace: str | None = None) -> FakeRecord:
    headers = [] if trace is None else [("traceparent", trace.encode())]
    return record(BUYER.save, Buyer(id=id, name="Ada Lovelace"), id=f"c-{id}", headers=headers)


def ids(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


async def test_messages_continue_their_traces_and_are_linked_with_their_batch() -> None:
    rig = Rig()

    spans = await rig.run(save("a", SAMPLED), save("b"))

    batch, a, b = spans["tests batch"], spans["process SaveBuyer a"], spans["process SaveBuyer b"]
    assert a.parent is not None
    assert (a.parent.trace_id, a.parent.span_id) == (int(TRACE, 16), int(SPAN, 16))
    assert (batch.parent, b.parent) == (None, None)
    assert len({ids(span)[0] for span in (batch, a, b)}) == 3
    assert [(x.context.trace_id, x.context.span_id) for x in batch.links] == [ids(a), ids(b)]
    for span in (a, b):
        assert [(x.context.trace_id, x.context.span_id) for x in span.links] == [ids(batch)]
    # What follows from a message is under its span, not under what it came from.
    told = {entry.key: entry.trace for entry in rig.publisher.entries}
    assert told == rig.processor.traces
    assert {(int(told[key][3:35], 16), int(told[key][36:52], 16)) for key in told} == {  # type: ignore[index]
        ids(a), ids(b),
    }  # fmt: skip
    for phase in (spans["publish"], spans["commit"]):
        assert phase.parent is not None
        assert (phase.parent.trace_id, phase.parent.span_id) == ids(batch)


async def test_a_span_tells_ids_and_nothing_of_the_content() -> None:
    spans = await Rig().run(save("a"))

    assert dict(spans["process SaveBuyer a"].attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "catalog.commands",
        "messaging.destination.partition.id": "0",
        "messaging.consumer.group.name": "ordermesh-tests",
        "messaging.kafka.offset": spans["process SaveBuyer a"].attributes["messaging.kafka.offset"],  # type: ignore[index]
        "messaging.kafka.message.key": "a",
        "messaging.message.id": "c-a",
        "messaging.message.body.size": len(b'{"ID":"a","Name":"Ada Lovelace","Active":true}'),
        "cloudevents.event_type": "SaveBuyer",
        "cloudevents.event_source": "/tests",
    }


async def test_what_is_not_sampled_leaves_nothing_and_says_so_to_what_follows() -> None:
    rig = Rig(ratio=0)

    spans = await rig.run(save("a", IGNORED), save("b"))

    assert spans == {}
    assert rig.processor.traces["a"] == IGNORED
    begun = rig.processor.traces["b"]
    assert accepted(begun) == begun
    assert begun is not None
    assert not is_sampled(begun)


async def test_what_was_sampled_elsewhere_is_recorded_at_any_ratio() -> None:
    spans = await Rig(ratio=0).run(save("a", SAMPLED), save("b"))

    assert sorted(spans) == ["commit", "process SaveBuyer a", "publish", "tests batch"]


async def test_about_as_many_traces_are_recorded_as_the_ratio_says() -> None:
    rig = Rig(ratio=0.25)

    await rig.run(*(save(f"b{number}") for number in range(2_000)))

    recorded = [trace for trace in rig.processor.traces.values() if trace and is_sampled(trace)]
    assert 400 < len(recorded) < 600


async def test_commands_without_a_trace_continue_that_of_their_order() -> None:
    rig = Rig(ratio=0)

    async def parents(messages: Sequence[Message[Any]]) -> Mapping[str, str]:
        return {message.identity: SAMPLED for message in messages if message.key == "a"}

    rig.service.adopt_by(parents)

    spans = await rig.run(save("a"), save("b"))

    assert spans["process SaveBuyer a"].parent is not None
    assert ids(spans["process SaveBuyer a"])[0] == int(TRACE, 16)
    assert "process SaveBuyer b" not in spans


async def test_a_trace_that_cannot_be_looked_up_holds_up_nothing() -> None:
    rig = Rig()

    async def parents(messages: Sequence[Message[Any]]) -> Mapping[str, str]:
        raise AutoReconnect("down")

    rig.service.adopt_by(parents)

    spans = await rig.run(save("a"))

    assert spans["process SaveBuyer a"].parent is None


async def test_a_message_that_fails_is_marked_with_the_kind_of_its_fault_alone() -> None:
    rig = Rig()
    rig.processor.poisonous.add("b")

    spans = await rig.run(save("a"), save("b"))

    assert spans["process SaveBuyer a"].status.status_code.name == "UNSET"
    failed = spans["process SaveBuyer b"]
    assert failed.status.status_code.name == "ERROR"
    assert failed.attributes is not None
    assert failed.attributes["error.type"] == "ValueError"
    assert failed.attributes["ordermesh.dead_letter"] is True
    assert "Ada" not in failed.to_json()


async def test_attempts_stand_under_their_event_not_under_the_batch_they_began_in() -> None:
    rig = Rig()
    begun: list[str] = []

    async def attempt() -> None:
        with rig.service.attempt("send Webhook T", SAMPLED, {"n": 1}) as one:
            begun.append(str(one.trace))
        with rig.service.attempt("send Webhook T", IGNORED, {}) as other:
            begun.append(str(other.trace))
            # Of the batch this would be a part, were it not for the attempt.
            await rig.service.publishing(FakePublisher()).publish(
                [OutboxEntry("e", "t", "T", "k", START, "{}")]
            )

    rig.processor.then = lambda: asyncio.create_task(attempt())

    spans = await rig.run(save("a"))

    assert sorted(span.name for span in rig.exporter.spans) == [
        "commit", "process SaveBuyer", "publish", "send Webhook T", "tests batch",
    ]  # fmt: skip
    sent = spans["send Webhook T"]
    assert sent.parent is not None
    assert (sent.parent.trace_id, sent.parent.span_id) == (int(TRACE, 16), int(SPAN, 16))
    assert (int(begun[0][3:35], 16), int(begun[0][36:52], 16)) == ids(sent)
    assert begun[1] == IGNORED


async def test_a_collector_that_hangs_costs_two_seconds_at_the_end_and_nothing_before() -> None:
    async with collector() as hanging:

        async def never(request: object) -> tuple[int, dict[str, str]]:
            await asyncio.sleep(60)
            return 200, {}

        hanging.receiver.answers["/v1/traces"] = never
        tracing = start_tracing(Settings(otlp=hanging.url, trace_ratio=1), "0")
        assert tracing is not None
        publisher = FakePublisher()
        runner = BatchRunner(
            "tests", decoder(BUYER.save), [Heard(publisher)], publisher, Metrics(),
            tracing.of("tests"),
        )  # fmt: skip
        began = time.monotonic()
        await runner.run([save(f"b{number}") for number in range(600)], FakeConsumer())
        ran = time.monotonic()
        await tracing.close()

        assert ran - began < 1.5
        assert time.monotonic() - ran < 3


def test_there_are_no_traces_unless_asked_for() -> None:
    assert start_tracing(Settings(otlp=""), "0") is None


def test_an_address_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(TracingUnavailable) as raised:
        start_tracing(Settings(otlp="user:secret@collector:4318"), "0")

    assert "http://HOST:4318" in str(raised.value)
    assert "secret" not in str(raised.value)
