"""Other ways in which Kafka may deliver the messages of a plain sequence.

What concerns one aggregate keeps its order, as partitions keep it; everything else may change:
how the aggregates' messages interleave, how the batches are cut, which messages come again (as a
redelivery, or as the producer's own retry at a new offset), and where a fault of the
infrastructure makes a batch come again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from shared.messaging.message import Message

Keys = Callable[[Message[Any]], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A batch as it is delivered. ``fault``: the try before it failed, at the given place."""

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
