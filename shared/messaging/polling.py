"""How a consumer is polled: rarely where there is nothing, and for all that is there."""

from collections.abc import Awaitable, Callable

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

Records = dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]

_POLL_MS = 500
_TOP_UP_MS = 10


async def wait_for_records(
    getmany: Callable[..., Awaitable[Records]], *, timeout_ms: int, max_records: int
) -> Records:
    """aiokafka's ``getmany`` as FastStream should have asked it; at most ``max_records``.

    FastStream has one time, ``timeout_ms``, for two things: how long a poll waits for records, and
    how long it sleeps when there were none. A poll ends with the first record, so it may wait for
    long; a sleep must be short. Without this an idle service would poll a hundred times a second.

    What is at hand was fetched when the batch before began. What came while that was in work is
    asked for now, instead of with the batch after this one: aiokafka fetches nothing of a broker
    that it holds records of.
    """
    records = await getmany(timeout_ms=0, max_records=max_records)
    if not records:
        return await getmany(timeout_ms=_POLL_MS, max_records=max_records)
    room = max_records - sum(map(len, records.values()))
    if not room:
        return records
    try:
        more = await getmany(timeout_ms=_TOP_UP_MS, max_records=room)
    except KafkaError:
        # The next poll meets it again, if it is still there. What was taken may not be lost.
        return records
    for place, added in more.items():
        records.setdefault(place, []).extend(added)
    return records
