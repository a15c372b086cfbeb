"""The inbox: which messages an aggregate has applied, in bounded space.

Two memories, because each forgets differently. The ring of identities (``ce_source``, ``ce_id``)
recognises a producer's own retry, which comes at a new offset, for as many messages as it holds.
The marks, one for each partition that messages came from, recognise any redelivery, down to a
replay of the whole topic. A mark holds the highest offset and the latest record time seen; a
record counts as seen only when it is not newer in either, so that a topic that was deleted and
made anew, whose offsets start over, is not mistaken for a replay.
"""

from typing import Any

from shared.messaging.message import Message

RING_SIZE = 32


class Inbox:
    __slots__ = ("_ids", "_marks")

    def __init__(
        self,
        ids: list[str] | None = None,
        marks: dict[tuple[str, int], tuple[int, int]] | None = None,
    ) -> None:
        self._ids = ids if ids is not None else []
        self._marks = marks if marks is not None else {}

    def copy(self) -> "Inbox":
        return Inbox(list(self._ids), dict(self._marks))

    def has(self, message: Message[Any]) -> bool:
        """Whether ``message`` was applied before."""
        if message.identity in self._ids:
            return True
        mark = self._marks.get((message.topic, message.partition))
        return mark is not None and message.offset <= mark[0] and _milliseconds(message) <= mark[1]

    def add(self, message: Message[Any]) -> None:
        """Notes that ``message`` is applied."""
        self._ids.append(message.identity)
        del self._ids[:-RING_SIZE]
        key = (message.topic, message.partition)
        _, time = self._marks.get(key, (-1, 0))
        self._marks[key] = (message.offset, max(time, _milliseconds(message)))

    def document(self) -> dict[str, Any]:
        return {
            "ids": self._ids,
            "marks": [[*key, *mark] for key, mark in self._marks.items()],
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Inbox":
        return cls(
            document["ids"],
            {
                (topic, partition): (offset, time)
                for topic, partition, offset, time in document["marks"]
            },
        )


def _milliseconds(message: Message[Any]) -> int:
    return round(message.accepted.timestamp() * 1000)
