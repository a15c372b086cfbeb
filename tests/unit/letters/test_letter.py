"""Dead letters: what is read of one, which are meant, and how one is sent again."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.letters.audit import Action, Handling, State
from services.letters.letter import Filter, Letter, in_replay_order, resent
from services.letters.replay import plan, shares
from services.topic_reader import Place
from tests.support.fakes import START
from tests.support.records import FakeRecord

NOON = datetime(2031, 5, 2, 12, tzinfo=UTC)


def dead(
    offset: int = 0,
    *,
    origin: int = 17,
    key: bytes | None = b"O-1",
    value: bytes | None = b"{}",
    headers: Any = None,
    **added: str,
) -> FakeRecord:
    """A dead letter of orders.commands/1/``origin``."""
    named = {
        "dl_topic": "orders.commands",
        "dl_partition": "1",
        "dl_offset": str(origin),
        "dl_error": "ValueError: no",
        "dl_attempts": "2",
        "dl_time": NOON.isoformat(),
        **added,
    }
    own = [("ce_type", b"PlaceOrder"), ("ce_id", b"c-1"), ("ce_source", b"shop")]
    return FakeRecord(
        "orders.commands.dead-letters",
        value,
        key,
        [*(own if headers is None else headers), *((n, v.encode()) for n, v in named.items())],
        offset=offset,
    )


def letter(offset: int = 0, **more: Any) -> Letter:
    return Letter.of(dead(offset, **more))


def test_a_letter_tells_where_it_lies_where_it_came_from_and_why() -> None:
    read = letter(3)

    assert read == Letter(
        place=Place("orders.commands.dead-letters", 0, 3),
        stored=round(START.timestamp() * 1000),
        time=NOON,
        topic="orders.commands",
        origin=Place("orders.commands", 1, 17),
        key=b"O-1",
        error="ValueError: no",
        attempts=2,
        type="PlaceOrder",
        id="c-1",
        source="shop",
        size=2,
    )


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("ce_id", None)],
        [("dl_offset", b"\xff"), ("dl_partition", b"one"), ("dl_time", b"never")],
        [("dl_offset", b"-1"), ("dl_attempts", b"many"), ("dl_time", b"")],
    ],
)
def test_a_letter_with_any_headers_can_be_read(headers: Any) -> None:
    record = FakeRecord("orders.commands.dead-letters", None, None, headers, offset=5)

    read = Letter.of(record)

    assert (read.origin, read.time, read.size, read.key_text) == (None, START, 0, "")


def test_the_last_of_repeated_headers_is_the_services() -> None:
    forged = [("dl_error", b"all is well"), ("dl_offset", b"99")]

    read = letter(headers=forged)

    assert (read.error, read.origin) == ("ValueError: no", Place("orders.commands", 1, 17))


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (Filter(), True),
        (Filter(topics=frozenset({"orders.commands"})), True),
        (Filter(topics=frozenset({"shipments.commands"})), False),
        (Filter(error="valueERROR"), True),
        (Filter(error="TypeError"), False),
        (Filter(pattern=re.compile(r"Error: n.$")), True),
        (Filter(pattern=re.compile(r"^no")), False),
        (Filter(since=NOON), True),
        (Filter(since=NOON + timedelta(seconds=1)), False),
        (Filter(until=NOON), False),
        (Filter(until=NOON + timedelta(seconds=1)), True),
        (Filter(key="O-1"), True),
        (Filter(key="O-2"), False),
        (Filter(places=frozenset({Place("orders.commands.dead-letters", 0, 0)})), True),
        (Filter(places=frozenset({Place("orders.commands", 1, 17)})), True),
        (Filter(places=frozenset({Place("orders.commands", 1, 18)})), False),
        (Filter(key="O-1", error="TypeError"), False),
    ],
)
def test_a_filter_means_what_all_of_it_holds_for(wanted: Filter, meant: bool) -> None:
    assert wanted.matches(letter()) is meant


def test_only_topics_that_can_have_what_is_meant_are_read() -> None:
    topics = ["a.dead-letters", "b.dead-letters", "c.dead-letters"]

    assert Filter().read_topics(topics) == topics
    assert Filter(topics=frozenset({"b"})).read_topics(topics) == ["b.dead-letters"]
    assert Filter(places=frozenset({Place("c", 0, 1)})).read_topics(topics) == ["c.dead-letters"]


def test_letters_are_sent_again_in_the_order_in_which_they_first_stood() -> None:
    laid = [letter(0, origin=9), letter(1, origin=7), letter(2, dl_offset="?"), letter(3, origin=8)]

    ordered = in_replay_order(laid)

    assert [each.place.offset for each in ordered] == [1, 3, 0, 2]


def test_a_letter_is_sent_again_as_it_was_with_a_note_of_where_it_lay() -> None:
    record = dead(3, headers=[("ce_id", b"c-1"), ("odd", None), ("om_replayed_from", b"x/0/1")])

    sent = resent(Letter.of(record), record)

    assert (sent.topic, sent.key, sent.value) == ("orders.commands", b"O-1", b"{}")
    assert list(sent.headers) == [
        ("ce_id", b"c-1"),
        ("odd", None),
        ("om_replayed_from", b"orders.commands.dead-letters/0/3"),
    ]


def test_a_letter_without_an_id_keeps_the_same_one_however_often_it_is_sent() -> None:
    record = dead(3, headers=[("ce_type", b"PlaceOrder")])
    first = resent(Letter.of(record), record)
    # It fails again and becomes another letter, at another place.
    back = dead(8, origin=40, headers=[h for h in first.headers if h[0] != "om_replayed_from"])

    second = resent(Letter.of(back), back)

    rekeyed = dict(first.headers)["om_rekeyed_from"]
    assert rekeyed == f"orders.commands/1/17@{NOON.isoformat()}".encode()
    assert dict(second.headers)["om_rekeyed_from"] == rekeyed


def test_what_was_dealt_with_is_passed_over_and_told_of_where_it_was_named() -> None:
    letters = [letter(0, origin=1), letter(1, origin=2), letter(2, origin=3, dl_omitted="large")]
    seen = {letters[0].identity: Handling(State.REPLAYED, "r", [Action(NOON, "ada", "Replayed")])}

    all_of_them = plan(letters, seen, again=False, replaying=True)
    named = plan(letters, seen, again=False, replaying=True, named={letters[0].place})
    again = plan(letters, seen, again=True, replaying=True)
    away = plan(letters, seen, again=False, replaying=False)

    assert all_of_them.letters == [letters[1]]
    assert [each.letter for each in all_of_them.kept] == [letters[2]]
    assert "orders.commands/1/3" in all_of_them.kept[0].next
    assert [each.letter for each in named.kept] == [letters[0], letters[2]]
    assert named.kept[0].why == "Replayed by ada at 2031-05-02 12:00:00 UTC"
    assert again.letters == letters[:2]
    assert away.letters == letters[1:]


def test_a_replay_that_ended_halfway_left_its_letters_open() -> None:
    one = letter()
    seen = {one.identity: Handling(State.REPLAYING, "r", [Action(NOON, "ada", "Replaying")])}

    assert plan([one], seen, again=False, replaying=True).letters == [one]


def test_a_share_has_fewer_letters_of_a_key_than_an_aggregate_remembers() -> None:
    letters = [letter(number, origin=number) for number in range(40)]

    made = list(shares(letters))

    assert [each for share in made for each in share] == letters
    assert [len(share) for share in made] == [16, 16, 8]


def test_a_share_is_bounded_in_bytes_but_takes_any_one_letter() -> None:
    large = b"x" * 9_000_000
    letters = [letter(n, origin=n, key=b"k%d" % n, value=large) for n in range(3)]

    assert [len(share) for share in shares(letters)] == [1, 1, 1]
