"""Other ways in which Kafka may deliver the messages of a plain sequence.

What concerns one aggregate keeps its order, as partitions keep it; everything else may change:
how the aggregates' messages interleave, how the batches are cut, which messages come again (as a
redelivery, or as the producer's own retry at a new offset), and where a fault of the
infrastructure makes a batch come again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from hypothesis import strategies as st

from shared.contracts.base import Resource
from shared.messaging.message import Message
from shared.messaging.processor import AggregateProcessor, Fold
from shared.metrics import Metrics
from tests.support.fakes import FakeClock, FakePublisher, FakeStore

S = TypeVar("S", bound=Resource)
C = TypeVar("C")

Keys = Callable[[Message[Any]], Iterable[str]]

_METRICS = Metrics()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A batch as it is delivered. ``fault``: where its first try fails, so that it comes again."""

    messages: tuple[Message[Any], ...]
    fault: str | None = None


FAULTS = ("before write", "after write", "before publish", "after publish")


@st.composite
def deliveries(draw: st.DrawFn, plain: Sequence[Message[Any]], keys: Keys) -> list[Delivery]:
    """A sequence of batches that carries ``plain`` in another way."""
    remaining = list(plain)
    ordered: list[Message[Any]] = []
    while remaining:
        blocked: set[str] = set()
        free = []
        for message in remaining:
            concerned = set(keys(message))
            if not concerned & blocked:
                free.append(message)
            blocked |= concerned
        chosen = draw(st.sampled_from(free))
        remaining.remove(chosen)
        ordered.append(chosen)
    last = max((message.offset for message in plain), default=0)
    for position in draw(st.lists(st.integers(0, max(0, len(ordered) - 1)), max_size=8)):
        if not ordered:
            break
        again = ordered[position]
        if draw(st.booleans()):
            last += 1
            again = replace(again, offset=last)
        ordered.insert(draw(st.integers(position + 1, len(ordered))), again)
    batches = []
    while ordered:
        size = draw(st.integers(1, len(ordered)))
        batch, ordered = tuple(ordered[:size]), ordered[size:]
        batches.append(Delivery(batch, draw(st.sampled_from([None, None, *FAULTS]))))
    return batches


class Replay(Generic[S, C]):
    """A real processor over fakes: one fold, one context, one standing clock."""

    def __init__(self, state: type[S], fold: Fold[S, C], context: C, keys: Keys) -> None:
        self.store: FakeStore[S] = FakeStore(state)
        self.publisher = FakePublisher()

        async def prepare(messages: Sequence[Message[Any]], aggregates: Any) -> C:
            return context

        self._processor: AggregateProcessor[S, C] = AggregateProcessor(
            service="tests",
            types=(),
            store=self.store,
            fold=fold,
            prepare=prepare,
            publisher=self.publisher,
            clock=FakeClock(),
            metrics=_METRICS,
            keys=keys,
        )

    async def deliver(self, batches: Iterable[Delivery]) -> "Replay[S, C]":
        for batch in batches:
            if batch.fault is not None:
                when, what = batch.fault.split()
                target = self.store if what == "write" else self.publisher
                target.fail_next(ConnectionError(batch.fault), after_write=when == "after")
            await self._process(batch.messages)
        return self

    async def _process(self, messages: Sequence[Message[Any]]) -> None:
        """Processes a batch until it works, each time as a new process. A fault that finds
        nothing to write or publish waits for a later batch."""
        while True:
            try:
                return await self._processor.process(messages)
            except ConnectionError:
                self.publisher.forget()

    def told(self) -> dict[str, list[tuple[str, str]]]:
        """By key, the distinct events that were published: ID and body, in their first order."""
        found: dict[str, dict[str, str]] = {}
        for entry in self.publisher.entries:
            found.setdefault(entry.key, {}).setdefault(entry.id, entry.body)
        return {key: list(entries.items()) for key, entries in found.items()}
