"""Finding dead letters on their topics. Values are read and let go; what a list shows stays."""

from collections.abc import AsyncIterator, Iterable

from services.letters.letter import SUFFIX, Filter, Letter
from services.topic_reader import Place, TopicReader
from shared.messaging.decode import Record
from shared.messaging.topics import declared_topics


def dead_letter_topics() -> list[str]:
    """All topics that dead letters lie on."""
    return [topic.name for topic in declared_topics() if topic.name.endswith(SUFFIX)]


async def find(reader: TopicReader, wanted: Filter) -> AsyncIterator[Letter]:
    """The letters that are ``wanted``, each partition's in the order in which they were laid."""
    # A service says the time of a letter before it sends it, so none that is wanted is earlier.
    spans = await reader.spans(wanted.read_topics(dead_letter_topics()), since=wanted.since)
    async for records in reader.read(spans):
        for record in records:
            letter = Letter.of(record)
            if wanted.matches(letter):
                yield letter


async def records_of(reader: TopicReader, letters: Iterable[Letter]) -> dict[Place, Record]:
    """The whole records of ``letters``, by place."""
    return await reader.pick(letter.place for letter in letters)
