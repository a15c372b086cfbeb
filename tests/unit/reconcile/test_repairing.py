"""What a repair publishes, and under which ID."""

from services.reconcile.findings import Finding, Flush, Publish, Resend
from services.reconcile.repair import repair
from services.topic_reader import Place
from shared.contracts.orders import ReleaseOrder
from shared.contracts.registry import RELEASE_ORDER
from shared.messaging.message import Event
from shared.messaging.outbox import OutboxEntry
from shared.messaging.publisher import Outgoing
from tests.support.fakes import START, FakeClock, FakePublisher
from tests.support.records import FakeRecord

PLACE = Place("orders.events", 0, 5)
HEADERS = [("ce_id", b"e-1"), ("ce_type", b"OrderSubmitted"), ("ce_source", b"/ordermesh/checkout")]


class FakeReader:
    """Has one record."""

    async def pick(self, places: list[Place]) -> dict[Place, FakeRecord]:
        record = FakeRecord("orders.events", b"{}", b"O-1", HEADERS, offset=5)
        return {place: record for place in places if place == PLACE}


def finding(how: object) -> Finding:
    return Finding("not-forwarded", "O-1", {}, "", repair=how)  # type: ignore[arg-type]


async def published(*how: object) -> list[Outgoing]:
    publisher = FakePublisher()
    await repair(map(finding, how), FakeReader(), publisher, FakeClock())  # type: ignore[arg-type]
    return list(publisher.sent)


def id_of(record: Outgoing) -> str:
    return (dict(record.headers)["ce_id"] or b"").decode()


async def test_an_event_is_sent_again_under_its_own_id_to_who_never_had_it() -> None:
    [record] = await published(Resend("checkout", PLACE, frozenset({"other|e-1"}), 4))

    assert (record.topic, record.key, record.value) == ("orders.events", b"O-1", b"{}")
    assert list(record.headers) == [*HEADERS, ("om_repaired", b"not-forwarded")]


async def test_an_event_that_is_remembered_gets_an_id_made_of_what_it_meets() -> None:
    seen = frozenset({"/ordermesh/checkout|e-1"})

    first, second, later = [
        id_of((await published(Resend("checkout", PLACE, seen, version)))[0])
        for version in (4, 4, 5)
    ]

    assert first == second
    assert len({"e-1", first, later}) == 3


async def test_an_event_that_is_gone_is_left_to_the_next_comparison() -> None:
    assert await published(Resend("checkout", Place("orders.events", 0, 6))) == []


async def test_what_is_missing_for_several_is_published_once_in_its_owners_name() -> None:
    release = Publish("checkout", Event(RELEASE_ORDER, ReleaseOrder(order_id="O-1")), "O-1|3")

    [record] = await published(release, release)

    headers = dict(record.headers)
    assert (record.topic, record.key) == ("pricing.requests", b"O-1")
    assert headers["ce_source"] == b"/ordermesh/checkout"
    assert headers["ce_type"] == b"ReleaseOrder"


async def test_an_outbox_is_published_as_it_is() -> None:
    entries = [
        OutboxEntry(f"e-{n}", "orders.events", "OrderSubmitted", "O-1", START, "{}")
        for n in range(2)
    ]

    sent = await published(Flush("checkout", entries))

    assert [id_of(record) for record in sent] == ["e-0", "e-1"]
