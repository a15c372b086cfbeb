"""Many clients that write at the same moment, each with a connection of its own."""

import asyncio
import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from confluent_kafka import KafkaError, Message, Producer

from tests.support.outside import COMMAND_TOPICS, Body, key_of

_LIMIT = 60.0


@dataclass(frozen=True, slots=True)
class Command:
    """A command; ``id`` is its ``ce_id``."""

    type: str
    body: Body
    id: str


async def all_at_once(kafka: str, commands: Sequence[Command], *, clients: int = 25) -> None:
    """Sends ``commands``, dealt out to so many clients that begin together; returns when Kafka
    has acknowledged them all."""
    together = threading.Barrier(clients)
    shares = [commands[number::clients] for number in range(clients)]
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(clients) as threads:
        await asyncio.gather(
            *(loop.run_in_executor(threads, _send, kafka, share, together) for share in shares)
        )


def _send(kafka: str, commands: Sequence[Command], together: threading.Barrier) -> None:
    refused: list[str] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            refused.append(str(error))

    producer = Producer({"bootstrap.servers": kafka, "acks": "all", "log_level": 0})
    producer.list_topics(timeout=_LIMIT)
    together.wait(_LIMIT)
    for command in commands:
        producer.produce(
            COMMAND_TOPICS[command.type],
            json.dumps(command.body).encode(),
            key_of(command.type, command.body).encode(),
            on_delivery=delivered,
            headers=[
                ("ce_type", command.type.encode()),
                ("ce_source", b"writers"),
                ("ce_id", command.id.encode()),
            ],
        )
    left = producer.flush(_LIMIT)
    assert (left, refused) == (0, [])
