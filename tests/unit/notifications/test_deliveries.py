"""What becomes of a delivery, and how long it waits."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.backoff import Backoff
from services.notifications.domain import (
    Channel,
    Missed,
    Refused,
    Sent,
    Status,
    conclude,
    delivery_id,
    mailbox_id,
    result_events,
)
from shared.contracts.fulfillment import NotificationResult
from shared.contracts.registry import NOTIFICATION_DELIVERED, NOTIFICATION_FAILED
from shared.messaging.message import Event
from tests.support.fakes import START
from tests.unit.notifications.builders import delivery

_SECOND = timedelta(seconds=1)


@given(tries=st.integers(1, 10_000))
def test_waits_double_with_jitter_up_to_the_longest(tries: int) -> None:
    whole = min(300.0, 2.0 ** min(tries - 1, 20))

    wait = Backoff(1.0, 300.0).wait(tries).total_seconds()

    assert whole / 2 <= wait <= whole


def test_a_sent_delivery_is_done_and_forgets_what_it_sent() -> None:
    before = delivery(channel=Channel.EMAIL, address="ada@example.com", attempts=2, error="late")

    after = conclude(before, Sent(), START + _SECOND, _SECOND)

    assert after.status is Status.DELIVERED
    assert (after.attempts, after.error, after.completed) == (3, None, START + _SECOND)
    assert (after.body, after.address, after.next_attempt) == (None, None, None)


def test_a_missed_delivery_is_due_again_later() -> None:
    after = conclude(delivery(attempts=1), Missed("HTTP 500"), START + _SECOND, 3 * _SECOND)

    assert after.status is Status.PENDING
    assert (after.attempts, after.error, after.body) == (2, "HTTP 500", "{}")
    assert after.next_attempt == START + 4 * _SECOND


def test_the_last_attempt_is_at_the_deadline() -> None:
    before = delivery(keep=10 * _SECOND)

    after = conclude(before, Missed("HTTP 500"), START + 9 * _SECOND, 300 * _SECOND)

    assert after.next_attempt == START + 10 * _SECOND
    assert not after.overdue(START + 10 * _SECOND)


def test_a_miss_at_the_deadline_fails() -> None:
    before = delivery(keep=10 * _SECOND, attempts=4)

    after = conclude(before, Missed("HTTP 500"), START + 10 * _SECOND, _SECOND)

    assert after.status is Status.FAILED
    assert (after.attempts, after.error, after.body) == (5, "HTTP 500", None)


def test_a_refused_delivery_fails_at_once() -> None:
    after = conclude(delivery(), Refused("HTTP 410"), START, _SECOND)

    assert after.status is Status.FAILED
    assert (after.attempts, after.error) == (1, "HTTP 410")


@given(st.lists(st.integers(1, 300), max_size=40))
def test_a_delivery_that_always_misses_fails_by_its_deadline(waits: list[int]) -> None:
    now, after = START, delivery(keep=60 * _SECOND)

    for wait in [*waits, 300, 300]:
        if after.status is Status.PENDING:
            after = conclude(after, Missed("HTTP 500"), now, wait * _SECOND)
            now = after.next_attempt or now

    assert after.status is Status.FAILED
    assert after.completed == START + 60 * _SECOND


def test_a_pending_delivery_tells_nothing() -> None:
    assert result_events("d-1", delivery()) == ()


@pytest.mark.parametrize(
    ("outcome", "type", "error"),
    [(Sent(), NOTIFICATION_DELIVERED, None), (Refused("no"), NOTIFICATION_FAILED, "no")],
)
def test_the_end_of_a_delivery_is_told(outcome: Sent | Refused, type: object, error: str) -> None:
    ended = conclude(delivery(target="hook"), outcome, START, _SECOND)

    (event,) = result_events("d-1", ended)

    assert event == Event(
        type,  # type: ignore[arg-type]
        NotificationResult(
            id="d-1",
            channel="Webhook",
            target="hook",
            event_type="OrderSubmitted",
            order_id="o-1",
            attempts=1,
            error=error,
        ),
    )


def test_ids_tell_causes_channels_and_targets_apart() -> None:
    ids = {
        delivery_id(("a",), Channel.WEBHOOK, "t"),
        delivery_id(("b",), Channel.WEBHOOK, "t"),
        delivery_id(("a",), Channel.EMAIL, "t"),
        delivery_id(("a",), Channel.WEBHOOK, "u"),
    }

    assert len(ids) == 4
    assert delivery_id(("a",), Channel.WEBHOOK, "t") in ids


def test_a_mailbox_id_does_not_depend_on_case_and_hides_the_address() -> None:
    id = mailbox_id("Ada@Example.com")

    assert id == mailbox_id("ada@example.com")
    assert "ada" not in id
