"""What aiokafka's connection raises while its peer goes away, on the loop of the services."""

import asyncio
import contextlib
import socket
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest

from shared.messaging.closed_connections import mend_connections

_METADATA_KEY = 3


async def _reset_after_a_moment(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A broker that dies: its kernel answers with a reset."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await asyncio.sleep(0.005)
    writer.transport.abort()


async def _send_until_disconnected(port: int) -> Counter[str]:
    """Sends in every turn of the loop; the kinds of what was raised."""
    connection = AIOKafkaConnection("127.0.0.1", port)
    connection._versions = {_METADATA_KEY: (0, 9)}
    connection._reader, connection._writer = await asyncio.open_connection("127.0.0.1", port)
    connection._read_task = connection._create_reader_task()
    raised: Counter[str] = Counter()
    waiting = []
    async with asyncio.timeout(10):
        while connection._writer is not None:
            try:
                waiting.append(asyncio.ensure_future(connection.send(MetadataRequest(None))))
            except Exception as error:
                raised[type(error).__name__] += 1
            await asyncio.sleep(0)
    await asyncio.gather(*waiting, return_exceptions=True)
    return raised


async def _trial() -> Counter[str]:
    server = await asyncio.start_server(_reset_after_a_moment, "127.0.0.1", 0)
    with contextlib.closing(server):
        port = server.sockets[0].getsockname()[1]
        found = await asyncio.gather(*(_send_until_disconnected(port) for _ in range(5)))
    return sum(found, Counter())


def test_a_write_to_a_connection_that_is_just_closed_is_a_fault_of_kafka() -> None:
    # In a process of its own: what is mended stays so.
    ended = subprocess.run(
        [sys.executable, "-m", "tests.unit.messaging.test_closed_connections"],
        check=False,
        cwd=Path(__file__).parents[3],
        timeout=60,
    )

    assert ended.returncode == 0


if __name__ == "__main__":
    # Should this no longer be so, there is nothing to mend any more.
    assert set(uvloop.run(_trial())) == {"RuntimeError"}
    mend_connections()
    assert set(uvloop.run(_trial())) <= {"KafkaConnectionError"}
