"""Publishing what is missing. Nothing is written to any database: whoever missed an event takes
it in as it takes in everything else, and whoever had it drops it as a duplicate.

An event that is on its topic is sent again as it is, under its own ID. Only where its addressee
remembers that ID, although its document shows nothing of it, a new one is made: of the old ID and
the document's version, so that a second repair before the first one is read makes the same. What is
on no topic is made of what its owner keeps, under an ID made of the owner's version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.reconcile.findings import Finding, Flush, Publish, Resend
from services.topic_reader import Place, TopicReader
from shared.messaging.decode import Record
from shared.messaging.message import derived_id
from shared.messaging.outbox import entries_of
from shared.messaging.processor import Clock
from shared.messaging.publisher import Headers, Outgoing, Publisher, headers_of

REPAIRED = "om_repaired"
"""Header of what a repair published: the kind of disagreement."""

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was published for a finding: type and ``ce_id``."""

    finding: Finding
    type: str
    id: str


async def repair(
    findings: Iterable[Finding], reader: TopicReader, publisher: Publisher, clock: Clock
) -> list[Repaired]:
    """Publishes what ``findings`` say is missing, each event once; returns what it was. Raises
    KafkaError."""
    done: list[Repaired] = []
    sent: set[tuple[str, str]] = set()
    todo = [finding for finding in findings if finding.repair is not None]
    for start in range(0, len(todo), _AT_ONCE):
        share = todo[start : start + _AT_ONCE]
        places = [f.repair.place for f in share if isinstance(f.repair, Resend)]
        records = await reader.pick(places) if places else {}
        outgoing: list[Outgoing] = []
        for finding in share:
            for record in _records(finding, records, clock):
                headers = _texts(record.headers)
                identity = (headers["ce_source"], headers["ce_id"])
                if identity not in sent:
                    sent.add(identity)
                    outgoing.append(record)
                done.append(Repaired(finding, headers["ce_type"], headers["ce_id"]))
        await publisher.send(outgoing)
    return done


def _records(finding: Finding, records: Mapping[Place, Record], clock: Clock) -> Iterable[Outgoing]:
    note = (REPAIRED, finding.kind.encode())
    match finding.repair:
        case Resend() as resend:
            record = records.get(resend.place)
            # Gone meanwhile: the next comparison says what else can be done.
            if record is not None:
                yield _again(resend, record, note)
        case Publish(owner, event, cause):
            for entry in entries_of(f"repair|{cause}", (event,), clock()):
                yield Outgoing(
                    entry.topic,
                    entry.key.encode(),
                    entry.body.encode(),
                    [*headers_of(entry, f"/ordermesh/{owner}"), note],
                )
        case Flush(owner, entries):
            for entry in entries:
                yield Outgoing(
                    entry.topic,
                    entry.key.encode(),
                    entry.body.encode(),
                    [*headers_of(entry, f"/ordermesh/{owner}"), note],
                )
        case None:
            return


def _again(resend: Resend, record: Record, note: tuple[str, bytes]) -> Outgoing:
    texts = _texts(record.headers)
    source, id = texts.get("ce_source", ""), texts.get("ce_id", "")
    headers: Headers = [(name, value) for name, value in record.headers if name != REPAIRED]
    if f"{source}|{id}" in resend.seen:
        fresh = derived_id("repair", id, str(resend.version)).encode()
        headers = [(name, fresh if name == "ce_id" else value) for name, value in headers]
    return Outgoing(record.topic, record.key, record.value, [*headers, note])


def _texts(headers: Headers) -> dict[str, str]:
    return {name: (value or b"").decode(errors="replace") for name, value in headers}
