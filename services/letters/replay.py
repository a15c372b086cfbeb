"""Sending dead letters again, or putting them away: a bounded share at a time, each noted.

A share is claimed in the audit record, read, sent, awaited, and noted as replayed. Ended in
between, by whatever, it is still open; the next replay sends it again under the same identity, and
whoever took it already drops it as a duplicate. An aggregate remembers some identities only, so a
share has fewer letters of a key than that.
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from services.letters.audit import Audit, Handling, Run, State
from services.letters.letter import Letter, in_replay_order, resent
from services.letters.reading import records_of
from services.topic_reader import Place, TopicReader
from shared.messaging.inbox import RING_SIZE
from shared.messaging.publisher import Publisher, RecordTooLarge

_SHARE_LETTERS = 200
_SHARE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter that is left as it is, and why; ``next`` is what to do."""

    letter: Letter
    why: str
    next: str


@dataclass(slots=True)
class Plan:
    """What a run would do."""

    letters: list[Letter] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


def plan(
    letters: Sequence[Letter],
    seen: dict[str, Handling],
    *,
    again: bool,
    replaying: bool,
    named: Collection[Place] = (),
) -> Plan:
    """Sorts out what can be done. ``again``: handled letters too; without it they are passed over,
    and told of only where they are ``named`` by place. ``replaying`` False: letters are put away,
    which needs no value."""
    result = Plan()
    for letter in in_replay_order(letters):
        handling = seen.get(letter.identity, Handling())
        if handling.state.is_handled and not again:
            if letter.place not in named and letter.origin not in named:
                continue
            last = handling.actions[-1]
            why = f"{handling.state.value} by {last.by} at {last.at:%Y-%m-%d %H:%M:%S} UTC"
            result.kept.append(Kept(letter, why, "Name --again to do it nevertheless."))
        elif replaying and letter.omitted is not None:
            result.kept.append(
                Kept(
                    letter,
                    f"its value was not kept: {letter.omitted}",
                    f"Fetch it from {letter.origin} while that topic keeps it, or have"
                    f" {letter.source or 'its sender'} send it again; then discard this letter.",
                )
            )
        else:
            result.letters.append(letter)
    return result


def shares(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """``letters`` in order, a bounded number, of bounded size, of each key at a time."""
    share: list[Letter] = []
    size = 0
    keys: Counter[bytes | None] = Counter()
    for letter in letters:
        full = (
            len(share) >= _SHARE_LETTERS
            or size + letter.size > _SHARE_BYTES
            or (letter.key is not None and keys[letter.key] >= RING_SIZE // 2)
        )
        if share and full:
            yield share
            share, size, keys = [], 0, Counter()
        share.append(letter)
        size += letter.size
        keys[letter.key] += 1
    if share:
        yield share


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a share."""

    letters: list[Letter]
    kept: list[Kept]


async def replay(
    letters: Sequence[Letter],
    seen: dict[str, Handling],
    run: Run,
    reader: TopicReader,
    publisher: Publisher,
    audit: Audit,
) -> AsyncIterator[Done]:
    """Sends ``letters`` again, share by share, and tells of each when it is noted."""
    for share in shares(letters):
        mine = await audit.claim(run, State.REPLAYING, share, seen)
        kept = [_taken(letter) for letter in share if letter.identity not in mine]
        own = [letter for letter in share if letter.identity in mine]
        records = await records_of(reader, own)
        kept += [_gone(letter) for letter in own if letter.place not in records]
        ready = [letter for letter in own if letter.place in records]
        sent = []
        try:
            await publisher.send([resent(letter, records[letter.place]) for letter in ready])
            sent = ready
        except RecordTooLarge:
            for letter in ready:
                try:
                    await publisher.send([resent(letter, records[letter.place])])
                    sent.append(letter)
                except RecordTooLarge as error:
                    kept.append(_too_large(letter, error))
        await audit.settle(run, State.REPLAYED, [letter.identity for letter in sent])
        yield Done(sent, kept)


async def discard(
    letters: Sequence[Letter], seen: dict[str, Handling], run: Run, audit: Audit
) -> AsyncIterator[Done]:
    """Puts ``letters`` away, share by share. They stay on their topics."""
    for share in shares(letters):
        mine = await audit.claim(run, State.DISCARDED, share, seen)
        yield Done(
            [letter for letter in share if letter.identity in mine],
            [_taken(letter) for letter in share if letter.identity not in mine],
        )


def _taken(letter: Letter) -> Kept:
    return Kept(letter, "somebody else is just dealing with it", "List it again to see how.")


def _gone(letter: Letter) -> Kept:
    return Kept(
        letter,
        "it is not on its topic any more",
        "Somebody deleted records of the topic; discard it.",
    )


def _too_large(letter: Letter, error: RecordTooLarge) -> Kept:
    return Kept(
        letter,
        f"its topic does not take a record of {letter.size} bytes: {error}",
        f"Raise max.message.bytes of {letter.topic}, or have its sender send it in parts.",
    )
