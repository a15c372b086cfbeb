"""A store that remembers what it wrote, beside another instance that changes it."""

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from shared.contracts.catalog import Buyer
from shared.contracts.registry import BUYER
from shared.messaging.message import Event, Message
from shared.messaging.processor import AggregateProcessor, Decision, no_context
from shared.metrics import Metrics
from shared.mongo.aggregates import Aggregate, MongoAggregateStore
from tests.support.fakes import FakeClock, FakePublisher, message


def _only_when_inactive(
    state: Buyer | None, message: Message[Any], context: None
) -> Decision[Buyer]:
    """Has no use for a message while the buyer is active."""
    if state is None or state.active:
        return Decision(state)
    return Decision(message.body, (Event(BUYER.saved, message.body),))


async def test_what_is_ignored_is_ignored_by_the_current_state(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    remembering = MongoAggregateStore(database, "buyers", Buyer, cache=10)
    other = MongoAggregateStore(database, "buyers", Buyer)
    await remembering.save([Aggregate("b", state=Buyer(id="b", name="first"))])
    changed = (await other.load(["b"]))["b"]
    changed.state = Buyer(id="b", name="second", active=False)
    await other.save([changed])
    publisher = FakePublisher()
    processor = AggregateProcessor(
        service="tests",
        types=[BUYER.save],
        store=remembering,
        fold=_only_when_inactive,
        prepare=no_context,
        publisher=publisher,
        clock=FakeClock(),
        metrics=Metrics(),
    )

    await processor.process([message(BUYER.save, {"ID": "b", "Name": "third"})])

    assert publisher.types == ["BuyerSaved"]
    assert (await other.load(["b"]))["b"].state == Buyer(id="b", name="third")
