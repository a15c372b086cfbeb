"""aiokafka's question for a group's committed offsets.

A broker that is not the group's coordinator, or still loads what it knows of it, answers with one
error for the whole question and with no partitions (Kafka protocol, OffsetFetch version 2 and
later). aiokafka 0.14 looks at the partitions' errors alone and takes such an answer for a group
that has committed nothing: it starts at the beginning of every topic. All of it is dropped as
applied before, but a month of events is read again after a coordinator has moved.
"""

from typing import Any

from aiokafka import errors
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.commit import OffsetFetchRequest

_send = GroupCoordinator._send_req


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
