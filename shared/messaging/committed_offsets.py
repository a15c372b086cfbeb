"""What a group has committed, and aiokafka's question for it.

A broker that is not the group's coordinator, or still loads what it knows of it, answers with one
error for the whole question and with no partitions (Kafka protocol, OffsetFetch version 2 and
later). aiokafka 0.14 looks at the partitions' errors alone and takes such an answer for a group
that has committed nothing: it starts at the beginning of every topic. All of it is dropped as
applied before, but a month of events is read again after a coordinator has moved.
"""

import asyncio
from collections.abc import Collection
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition, errors
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.commit import OffsetFetchRequest

from shared.logs import told
from shared.messaging.message import Place

log = structlog.get_logger()

_send = GroupCoordinator._send_req


class CommittedOffsets:
    """What the members of a consumer's group have committed, any of them. ``patience`` is how many
    seconds an answer is waited for: aiokafka asks for ever, and whoever asks here can do without
    one."""

    def __init__(self, consumer: AIOKafkaConsumer, patience: float = 2.0) -> None:
        self._consumer = consumer
        self._patience = patience

    async def passed(self, places: Collection[Place]) -> set[Place]:
        """Those of ``places`` that the group has committed beyond: whatever stood there is done
        with. One question for all, and none for none; without an answer there are none."""
        partitions = {TopicPartition(*place[:2]) for place in places}
        # The consumer's own method asks for one partition at a time.
        coordinator = self._consumer._coordinator
        try:
            async with asyncio.timeout(self._patience):
                found = await coordinator.fetch_committed_offsets(list(partitions))
        except (errors.KafkaError, TimeoutError) as error:
            log.info("committed_offsets_unknown", error=told(error))
            return set()
        # What nothing is committed of is not among them.
        next_ones = {partition: committed.offset for partition, committed in found.items()}
        return {place for place in places if place[2] < next_ones.get(place[:2], 0)}


def mend_committed_offsets() -> None:
    """Makes an answer that is refused as a whole a KafkaError, in this whole process: aiokafka then
    looks for the coordinator and asks again. Doing it again changes nothing."""
    GroupCoordinator._send_req = _send_and_heed_refusal


async def _send_and_heed_refusal(coordinator: GroupCoordinator, request: Any) -> Any:
    response = await _send(coordinator, request)
    if isinstance(request, OffsetFetchRequest):
        # Version 1 has no such field.
        refusal = errors.for_code(getattr(response, "error_code", 0))
        if refusal is errors.NotCoordinatorForGroupError:
            coordinator.coordinator_dead()
        if refusal is not errors.NoError:
            raise refusal()
    return response
