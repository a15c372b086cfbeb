"""aiokafka's connections on uvloop.

When a broker dies, uvloop's transport is closed for a turn or two of the loop before aiokafka hears
of it. Writing to it then raises RuntimeError, where asyncio's own loop would only drop the bytes.
aiokafka expects OSError, so the RuntimeError ends, silently, whichever of its background tasks was
writing: with the one that keeps the metadata, every later search for a coordinator or leader waits
for ever, and so does the service.
"""

from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send = AIOKafkaConnection.send


def mend_connections() -> None:
    """Makes a write to a connection that uvloop has closed a KafkaConnectionError, in this whole
    process. Doing it again changes nothing."""
    AIOKafkaConnection.send = _send_or_disconnect


def _send_or_disconnect(
    connection: AIOKafkaConnection, request: Any, expect_response: bool = True
) -> Any:
    try:
        return _send(connection, request, expect_response)
    except RuntimeError as error:
        if not connection._writer.is_closing():
            raise
        connection.close(reason=CloseReason.CONNECTION_BROKEN, exc=error)
        raise KafkaConnectionError(
            f"Connection at {connection.host}:{connection.port} broken: {error}"
        ) from error
