"""What stands in outboxes and is not out yet, as far as is known."""

from collections.abc import Collection, Iterable
from typing import Any

from shared.aggregates import Aggregate
from shared.messaging.outbox import OutboxEntry
from shared.messaging.publisher import Publisher


def unpublished(publisher: Publisher, aggregates: Iterable[Aggregate[Any]]) -> list[OutboxEntry]:
    """The entries of ``aggregates`` that this process has not published, as far as it remembers."""
    return [
        entry
        for aggregate in aggregates
        for entry in aggregate.outbox
        if not publisher.is_published(entry.id)
    ]


async def forget_told(publisher: Publisher, aggregates: Collection[Aggregate[Any]]) -> None:
    """Takes out of the outboxes of ``aggregates``, which were just loaded, what other processes
    wrote and have published."""
    unknown = unpublished(publisher, aggregates)
    told = await publisher.told_by_others(unknown) if unknown else set()
    if told:
        for aggregate in aggregates:
            aggregate.outbox = [entry for entry in aggregate.outbox if entry.id not in told]
