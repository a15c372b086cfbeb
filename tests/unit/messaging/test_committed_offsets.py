"""What a group has committed, through aiokafka's own coordinator with a broker that is told what to
say: its refusal to tell is no answer."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.commit import OffsetFetchResponse_v1, OffsetFetchResponse_v3
from aiokafka.structs import OffsetAndMetadata

from shared.messaging.committed_offsets import CommittedOffsets, mend_committed_offsets

PLACE = TopicPartition("orders.events", 2)


class Broker:
    """Stands in for the client; gives one answer after the other."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)

    async def send(self, node_id: int, request: object, *, group: object) -> object:
        return self._answers.pop(0)


@pytest.fixture(autouse=True)
def mended() -> Iterator[None]:
    before = GroupCoordinator._send_req
    mend_committed_offsets()
    yield
    GroupCoordinator._send_req = before


def coordinator_of(broker: Broker) -> GroupCoordinator:
    coordinator = object.__new__(GroupCoordinator)
    coordinator._client = broker
    coordinator.group_id = "ordermesh-checkout"
    coordinator.coordinator_id = 1
    coordinator._retry_backoff_ms = 1
    coordinator.searches = 0

    async def ensure_coordinator_known() -> None:
        coordinator.searches += coordinator.coordinator_id is None
        coordinator.coordinator_id = 1

    def coordinator_dead() -> None:
        coordinator.coordinator_id = None

    coordinator.ensure_coordinator_known = ensure_coordinator_known
    coordinator.coordinator_dead = coordinator_dead
    return coordinator


def told(offset: int) -> OffsetFetchResponse_v3:
    return OffsetFetchResponse_v3(0, [("orders.events", [(2, offset, "", 0)])], 0)


def refused(error: type[KafkaError]) -> OffsetFetchResponse_v3:
    return OffsetFetchResponse_v3(0, [], error.errno)


async def test_what_was_committed_is_told() -> None:
    coordinator = coordinator_of(Broker(told(41)))

    offsets = await coordinator.fetch_committed_offsets([PLACE])

    assert offsets == {PLACE: OffsetAndMetadata(41, "")}


async def test_a_group_that_has_committed_nothing_is_told_so() -> None:
    assert await coordinator_of(Broker(told(-1))).fetch_committed_offsets([PLACE]) == {}


async def test_an_older_version_is_read_as_before() -> None:
    answer = OffsetFetchResponse_v1([("orders.events", [(2, 41, "", 0)])])

    offsets = await coordinator_of(Broker(answer)).fetch_committed_offsets([PLACE])

    assert offsets == {PLACE: OffsetAndMetadata(41, "")}


@pytest.mark.parametrize(
    ("error", "searches"),
    [
        (NotCoordinatorForGroupError, 1),
        (GroupLoadInProgressError, 0),
        (GroupCoordinatorNotAvailableError, 0),
    ],
)
async def test_a_refusal_is_asked_about_again(error: type[KafkaError], searches: int) -> None:
    coordinator = coordinator_of(Broker(refused(error), refused(error), told(41)))

    offsets = await coordinator.fetch_committed_offsets([PLACE])

    assert offsets == {PLACE: OffsetAndMetadata(41, "")}
    assert coordinator.searches == 2 * searches


async def test_a_refusal_for_good_is_raised() -> None:
    coordinator = coordinator_of(Broker(refused(GroupAuthorizationFailedError)))

    with pytest.raises(GroupAuthorizationFailedError):
        await coordinator.fetch_committed_offsets([PLACE])


def offsets_told_by(broker: Broker) -> CommittedOffsets:
    return CommittedOffsets(SimpleNamespace(_coordinator=coordinator_of(broker)), patience=0.1)


async def test_what_stands_before_a_committed_offset_is_passed() -> None:
    places = {("orders.events", 2, offset) for offset in (7, 40, 41, 42)}

    passed = await offsets_told_by(Broker(told(41))).passed(places)

    assert passed == {("orders.events", 2, 7), ("orders.events", 2, 40)}


async def test_nothing_is_passed_where_nothing_is_committed() -> None:
    places = {("orders.events", 2, 0), ("orders.events", 1, 0)}

    assert await offsets_told_by(Broker(told(-1))).passed(places) == set()


async def test_nobody_is_asked_about_nothing() -> None:
    assert await offsets_told_by(Broker()).passed(set()) == set()


async def test_without_an_answer_nothing_is_passed() -> None:
    class Silent(Broker):
        async def send(self, node_id: int, request: object, *, group: object) -> object:
            return await asyncio.get_running_loop().create_future()

    refusing = Broker(refused(GroupAuthorizationFailedError))

    for broker in (Silent(), refusing):
        assert await offsets_told_by(broker).passed({("orders.events", 2, 0)}) == set()
