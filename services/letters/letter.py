"""A dead letter without its value, and which ones are meant. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.topic_reader import Place
from shared.messaging.decode import REKEYED_FROM, Record
from shared.messaging.publisher import Headers, Outgoing

SUFFIX = ".dead-letters"
REPLAYED_FROM = "om_replayed_from"
"""Header of a record that was sent again: the place of the dead letter that it was."""

_ADDED = "dl_"


@dataclass(frozen=True, slots=True)
class Letter:
    """What is known of a dead letter without its value.

    ``place`` is where it lies, ``origin`` where it came from (None where its headers do not tell);
    ``stored`` is when it was laid down, in ms since 1970; ``time`` the same as the service said
    it; ``type``, ``id`` and ``source`` are its CloudEvents attributes, ``size`` is in bytes.
    ``omitted`` says why the value is not kept.
    """

    place: Place
    stored: int
    time: datetime
    topic: str
    origin: Place | None
    key: bytes | None
    error: str
    attempts: int
    type: str
    id: str
    source: str
    size: int
    omitted: str | None = None
    replayed_from: str | None = None

    @property
    def identity(self) -> str:
        """Names the letter for ever, also when its topic is made anew."""
        return f"{self.place}@{self.stored}"

    @property
    def key_text(self) -> str:
        return "" if self.key is None else self.key.decode(errors="replace")

    @classmethod
    def of(cls, record: Record) -> "Letter":
        """The letter that ``record`` of a dead-letter topic is; whatever its headers are like."""
        headers = _texts(record.headers)
        topic = record.topic.removesuffix(SUFFIX)
        partition, offset = headers.get("dl_partition", ""), headers.get("dl_offset", "")
        known = partition.isdecimal() and offset.isdecimal()
        stored = datetime.fromtimestamp(max(0, record.timestamp) / 1000, UTC)
        attempts = headers.get("dl_attempts", "")
        return cls(
            place=Place.of(record),
            stored=record.timestamp,
            time=_time(headers.get("dl_time", ""), stored),
            topic=topic,
            origin=Place(topic, int(partition), int(offset)) if known else None,
            key=record.key,
            error=headers.get("dl_error", "no dl_error header: no service laid it here"),
            attempts=int(attempts) if attempts.isdecimal() else 0,
            type=headers.get("ce_type", ""),
            id=headers.get("ce_id", ""),
            source=headers.get("ce_source", ""),
            size=len(record.value or b""),
            omitted=headers.get("dl_omitted"),
            replayed_from=headers.get(REPLAYED_FROM),
        )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant: those for which all that is given holds.

    ``topics`` with or without the suffix; ``error`` a part of the reason, in any case;
    ``pattern`` is searched for in it; ``since`` and ``until`` (UTC) bound when it was laid down;
    ``places`` name letters by where they lie or where they came from.
    """

    topics: frozenset[str] = frozenset()
    error: str | None = None
    pattern: re.Pattern[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    key: str | None = None
    places: frozenset[Place] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Whether every letter is meant."""
        return self == Filter()

    def read_topics(self, all_topics: Collection[str]) -> list[str]:
        """The dead-letter topics to be read, of all there are."""
        named = {topic.removesuffix(SUFFIX) for topic in self.topics}
        of_places = {place.topic.removesuffix(SUFFIX) for place in self.places}
        return [
            f"{topic}{SUFFIX}"
            for topic in sorted(name.removesuffix(SUFFIX) for name in all_topics)
            if (not named or topic in named) and (not of_places or topic in of_places)
        ]

    def matches(self, letter: Letter) -> bool:
        return (
            (not self.topics or bool(self.topics & {letter.topic, letter.place.topic}))
            and (self.error is None or self.error.lower() in letter.error.lower())
            and (self.pattern is None or self.pattern.search(letter.error) is not None)
            and (self.since is None or letter.time >= self.since)
            and (self.until is None or letter.time < self.until)
            and (self.key is None or letter.key_text == self.key)
            and (not self.places or bool(self.places & {letter.place, letter.origin}))
        )


def in_replay_order(letters: Sequence[Letter]) -> list[Letter]:
    """As they stood on their topics before, so that each key's letters keep their order. Those of
    unknown origin come last, as they lie."""
    return sorted(
        letters,
        key=lambda letter: (
            letter.topic,
            letter.origin is None,
            letter.origin or letter.place,
            letter.place,
        ),
    )


def resent(letter: Letter, record: Record) -> Outgoing:
    """``record``, a dead letter, as it is sent to its topic again: its own key, value, headers and
    so its identity, and a header that tells of the replay.

    Without a ``ce_id`` it is known by the place where it first stood, as the contract has it; the
    time tells that place from the same of a topic that was made anew.
    """
    headers = [
        (name, value)
        for name, value in record.headers
        if name != REPLAYED_FROM and not name.startswith(_ADDED)
    ]
    added: Headers = [(REPLAYED_FROM, str(letter.place).encode())]
    if not letter.id and not any(name == REKEYED_FROM for name, _ in headers):
        first = f"{letter.origin or letter.place}@{letter.time.isoformat()}"
        added = [*added, (REKEYED_FROM, first.encode())]
    return Outgoing(letter.topic, record.key, record.value, [*headers, *added])


def _texts(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    """Headers as text; where a name is repeated the last one counts, which is the service's."""
    return {name: (value or b"").decode(errors="replace") for name, value in headers}


def _time(text: str, otherwise: datetime) -> datetime:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return otherwise
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
