"""Events on their way out: their IDs follow from their cause alone."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.catalog import Buyer, Delete
from shared.contracts.registry import BUYER
from shared.messaging.message import Event, Place, derived_id
from shared.messaging.outbox import (
    LARGEST_EVENT,
    EventTooLarge,
    OutboxEntry,
    caused_by,
    entries_in,
    entries_of,
    outbox_fields,
)
from shared.mongo.codec import CODEC
from tests.support.fakes import START, message

ADA = Buyer(id="ada", name="Ada", xp={"ü": 1})
SAVED = Event(BUYER.saved, ADA)
DELETED = Event(BUYER.deleted, Delete(id="ada"))


def test_an_entry_is_its_event_encoded() -> None:
    place = ("catalog.commands", 2, 41)
    (entry,) = entries_of("cause", [SAVED], START, "00-1-2-01", place)

    assert entry == OutboxEntry(
        id=entry.id,
        topic="catalog.events",
        type="BuyerSaved",
        key="ada",
        time=START,
        body='{"ID":"ada","Name":"Ada","Active":true,"xp":{"ü":1}}',
        trace="00-1-2-01",
        place=place,
    )


def test_deciding_again_gives_the_same_ids() -> None:
    first = entries_of("cause", [SAVED, SAVED, DELETED], START)
    later = entries_of("cause", [SAVED, SAVED, DELETED], START + timedelta(hours=1))

    assert [entry.id for entry in first] == [entry.id for entry in later]
    assert len({entry.id for entry in first}) == 3


def test_an_event_that_could_never_be_published_is_refused() -> None:
    largest = LARGEST_EVENT - len(Buyer(id="a", name="a", xp={"x": ""}).model_dump_json())
    fits = Buyer(id="a", name="a", xp={"x": "x" * largest})
    large = Buyer(id="a", name="a", xp={"x": "ü" * (largest // 2 + 100)})

    assert len(entries_of("cause", [Event(BUYER.saved, fits)], START)) == 1
    with pytest.raises(EventTooLarge, match="BuyerSaved would be larger than 8323072 bytes"):
        entries_of("cause", [Event(BUYER.saved, large)], START)


def test_another_cause_gives_other_ids() -> None:
    (one,) = entries_of("cause", [SAVED], START)
    (other,) = entries_of("another", [SAVED], START)

    assert one.id != other.id


def test_the_same_message_at_two_aggregates_is_two_causes() -> None:
    one = message(BUYER.save, ADA, id="1")

    assert caused_by(one, "a") != caused_by(one, "b")


def test_a_redelivery_is_the_same_cause() -> None:
    first = message(BUYER.save, ADA, id="1", offset=3)
    again = message(BUYER.save, ADA, id="1", offset=9, partition=2)

    assert caused_by(first, "ada") == caused_by(again, "ada")


TEXTS = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))


PLACES = st.tuples(st.text(), st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1))


@given(st.lists(st.tuples(TEXTS, st.none() | st.text(min_size=1), st.none() | PLACES)))
def test_entries_survive_their_document(told: list[tuple[str, str | None, Place | None]]) -> None:
    entries = [
        OutboxEntry(f"e-{number}", "t", "T", "key", START, body, trace, place)
        for number, (body, trace, place) in enumerate(told)
    ]

    assert entries_in(bson.decode(bson.encode(outbox_fields(entries)), CODEC)) == entries


def test_entries_with_one_body_share_it_in_a_document() -> None:
    large = "".join(derived_id(str(number)) for number in range(100))
    buyer = Buyer(id="a", name="A", xp={"x": large})
    [one] = entries_of("cause", [Event(BUYER.saved, buyer)], START)
    another = replace(one, id="e-2", type="BuyerChanged")

    alone = len(outbox_fields([one])["bodies"])

    assert len(outbox_fields([one, another])["bodies"]) == alone > 2_000


def test_an_empty_outbox_has_no_bodies() -> None:
    assert outbox_fields([]) == {"outbox": []}
    assert entries_in({"outbox": []}) == []


def test_a_document_from_before_has_each_body_beside_its_entry() -> None:
    entry = {"ID": "e", "Topic": "t", "Type": "T", "Key": "k", "Time": START, "Body": "{}"}

    assert entries_in({"outbox": [entry]}) == [OutboxEntry("e", "t", "T", "k", START, "{}")]


@given(st.lists(st.text(), min_size=1))
def test_a_derived_id_is_a_uuid_of_version_8(parts: list[str]) -> None:
    made = derived_id(*parts)

    assert made == derived_id(*parts)
    assert str(UUID(made)) == made
    assert UUID(made).version == 8
    assert UUID(made).variant == "specified in RFC 4122"


def test_an_id_never_changes_between_releases() -> None:
    # Events that a former release wrote but did not publish are decided again by the next.
    assert derived_id("/shop|c-1|ada", "catalog.events", "BuyerSaved", "0") == (
        "a9adf3a0-5c20-89a0-a4e9-e5410130c087"
    )
