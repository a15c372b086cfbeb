"""Orders as the pure model makes them of the messages that stand on the topics.

What concerns an order keeps its order on each partition. How the partitions interleaved nobody
wrote down: the order of the records' times is tried first, then every other; one of them must lead
to the state that is stored, and to the events that were told.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.checkout.domain.fold import DECISIONS, fold
from services.checkout.domain.state import Context, OrderState
from shared.contracts.catalog import Buyer
from shared.contracts.registry import Topics
from shared.messaging.message import Message
from shared.shipped import concerned
from tests.faults.orders import APPROVAL_ABOVE
from tests.faults.topics import Log, Stored
from tests.support.builders import checkout_context
from tests.support.records import FakeRecord, decoder

CONTEXT = checkout_context(
    buyers=(Buyer(id="acme", name="Acme"), Buyer(id="guild", name="The guild")),
    approval_above={"guild": str(APPROVAL_ABOVE)},
)
_TOPICS = (Topics.ORDERS_COMMANDS, Topics.PRICING_RESULTS, Topics.SHIPMENTS_EVENTS)
_TIMES = {
    "last_updated", "date_submitted", "date_approved", "date_declined", "date_canceled",
    "date_completed",
}  # fmt: skip
_MOST_TRIES = 20_000

Streams = Mapping[tuple[str, int], Sequence[Message[Any]]]
"""The messages of one order, by partition."""


def messages_by_order(log: Log) -> dict[str, Streams]:
    """What checkout got for each order, each message once."""
    decode = decoder(*DECISIONS, max_bytes=8 * 1024 * 1024).decode
    found: dict[str, dict[tuple[str, int], list[Message[Any]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for topic in _TOPICS:
        for stored in log.distinct(topic):
            message = decode(_record(stored))
            if isinstance(message, Message):
                for order in concerned(message):
                    found[order][topic, stored.partition].append(replace(message, key=order))
    for streams in found.values():
        for messages in streams.values():
            messages.sort(key=lambda message: message.offset)
    return dict(found)


def explains(
    streams: Streams, stored: OrderState, told: Sequence[str], context: Context = CONTEXT
) -> str | None:
    """Whether some interleaving of ``streams`` leads to ``stored``, times aside, and to events of
    the types ``told``, sorted: None when one does, or else how the likeliest one differs."""
    likeliest: str | None = None
    for tries, messages in enumerate(_interleavings(streams)):
        if tries >= _MOST_TRIES:
            break
        state: OrderState | None = None
        events: list[str] = []
        for message in messages:
            decision = fold(state, message, context)
            state = decision.state
            events += [
                event.type.name
                for event in decision.events
                if event.type.topic == Topics.ORDERS_EVENTS
            ]
        difference = _difference(state, stored, sorted(events), list(told))
        if difference is None:
            return None
        likeliest = likeliest or difference
    return likeliest or "there are no messages of it"


def _difference(
    state: OrderState | None, stored: OrderState, events: list[str], told: list[str]
) -> str | None:
    if state is None:
        return "by its messages there is no such order"
    mine, theirs = timeless(state), timeless(stored)
    wrong = [name for name in mine if mine[name] != theirs[name]]
    lines = [f"{name} is {theirs[name]}, by its messages {mine[name]}" for name in wrong]
    if events != told:
        lines.append(f"the events {told} were told, by its messages {events}")
    return "; ".join(lines) or None


def timeless(state: OrderState) -> dict[str, Any]:
    """All fields but the times that a service's clock gave."""
    fields = {name: getattr(state, name) for name in type(state).model_fields}
    fields["order"] = state.order.model_copy(update=dict.fromkeys(_TIMES))
    return fields


def _interleavings(streams: Streams) -> Iterator[list[Message[Any]]]:
    """All orders that keep each stream's own, the one by time first."""
    yield _merged(streams)
    yield from _shuffled(list(streams.values()), sum(map(len, streams.values())))


def _merged(streams: Streams) -> list[Message[Any]]:
    left = {place: list(messages) for place, messages in streams.items()}
    merged = []
    while left:
        place = min(left, key=lambda place: (left[place][0].accepted, place))
        merged.append(left[place].pop(0))
        if not left[place]:
            del left[place]
    return merged


def _shuffled(streams: list[Sequence[Message[Any]]], length: int) -> Iterator[list[Message[Any]]]:
    if not length:
        yield []
        return
    for number, messages in enumerate(streams):
        if messages:
            rest = [*streams[:number], messages[1:], *streams[number + 1 :]]
            for tail in _shuffled(rest, length - 1):
                yield [messages[0], *tail]


def _record(stored: Stored) -> FakeRecord:
    return FakeRecord(
        stored.topic, stored.value, stored.key, stored.headers, stored.partition, stored.offset,
        stored.timestamp,
    )  # fmt: skip
