"""What was written over HTTP is told in the background, and before the process ends."""

import asyncio
from typing import Any

from shared.http.documents import Announcer
from shared.messaging.outbox import OutboxEntry
from tests.support.fakes import START, FakePublisher


def entry(id: str) -> OutboxEntry:
    return OutboxEntry(id, "catalog.events", "BuyerSaved", "a", START, "{}")


async def test_what_waits_at_the_end_is_published_in_order() -> None:
    publisher = FakePublisher()
    announcer = Announcer(publisher)

    async with announcer.running():
        announcer.announce([entry("1"), entry("2")])
        announcer.announce([entry("3")])

    assert [entry.id for entry in publisher.entries] == ["1", "2", "3"]


async def test_a_kafka_that_does_not_answer_does_not_keep_it_from_ending() -> None:
    publisher = _Silent()
    announcer = Announcer(publisher, patience=0.05)

    async with asyncio.timeout(5), announcer.running():
        announcer.announce([entry("1")])

    assert (publisher.asked, publisher.entries) == (1, [])


class _Silent(FakePublisher):
    asked = 0

    async def publish(self, entries: Any) -> None:
        self.asked += 1
        await asyncio.Event().wait()
