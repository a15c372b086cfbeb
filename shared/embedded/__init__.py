"""A real Kafka broker and a real MongoDB server as child processes, without a container engine.

For one machine and for tests. `EmbeddedKafka` and `EmbeddedMongoDB` are async context managers;
`Supervisor` keeps them, and other programs, running; `DataFolder` is where all of it lives.
What cannot be started raises `EmbeddedServerError`, whose message says what to do.
"""

from shared.embedded.errors import EmbeddedServerError
from shared.embedded.kafka import EmbeddedKafka
from shared.embedded.mongodb import EmbeddedMongoDB
from shared.embedded.ports import free_port, free_ports
from shared.embedded.process import ChildProcess
from shared.embedded.supervisor import DataFolder, Supervisor

__all__ = [
    "ChildProcess",
    "DataFolder",
    "EmbeddedKafka",
    "EmbeddedMongoDB",
    "EmbeddedServerError",
    "Supervisor",
    "free_port",
    "free_ports",
]
