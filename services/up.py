"""A whole deployment on this machine: what `ordermesh up` runs."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import structlog
from pydantic import SecretStr

from services.admin_client import AdminClient, admin_client
from services.api import NAME as API
from services.checks import DeploymentError, check_kafka, check_mongodb, check_port, settings_of
from services.gateway import API_READINESS, unready
from services.names import SERVICES
from shared.embedded import ChildProcess, DataFolder, EmbeddedKafka, EmbeddedMongoDB, Supervisor
from shared.embedded.ports import LOOPBACK
from shared.messaging.connection import kafka_connection
from shared.messaging.topics import create_topics
from shared.mongo.connection import without_password
from shared.settings import SecurityProtocol, Settings

READY_LIMIT = 90.0
# A service that ended this often before it was ever ready will not get there by itself.
_HOPELESS = 4

_log = structlog.get_logger(__name__)


class Deployment:
    """Kafka and MongoDB where none is given, the services, and the HTTP API.

    An async context manager; everything is ready when it is entered. Enter it in the main thread
    (see `shared.embedded.process`).

    Args:
        data: the folder of all state; without one, a temporary folder that is removed at the end.
        http: where the HTTP API listens, (host, port); a free loopback port by default.
        kafka: bootstrap servers to use instead of the embedded broker.
        mongodb: a URL to use instead of the embedded server.
        services: which services to run.
        instances: how many processes of each service; those beyond a topic's partitions idle.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        http: tuple[str, int] | None = None,
        kafka: str | None = None,
        mongodb: str | None = None,
        services: Sequence[str] = SERVICES,
        instances: int = 1,
    ) -> None:
        self._given_data = data
        self._given_http = http
        # Each process by its name: the first of a service has the service's.
        self._processes = {
            name if number == 1 else f"{name}-{number}": name
            for name in services
            for number in range(1, instances + 1)
        }
        self._supervisor = Supervisor()
        self._stack = AsyncExitStack()
        self._kafka = kafka
        self._mongodb = mongodb
        self._own_kafka = kafka is None
        self.http = ""
        self.admin: AdminClient | None = None
        self.metrics: dict[str, str] = {}
        self._temporary: Path | None = None

    @property
    def kafka(self) -> str:
        """The bootstrap servers, once started."""
        return self._kafka or ""

    @property
    def mongodb(self) -> str:
        """The URL of the database, once started."""
        return self._mongodb or ""

    @property
    def pids(self) -> dict[str, int | None]:
        """The process id of every child; None while one is down."""
        return self._supervisor.pids

    def description(self) -> dict[str, Any]:
        """What `ordermesh up` prints when it is ready: no secrets."""
        return {
            "kafka": self.kafka,
            "mongodb": without_password(self.mongodb),
            "http": self.http,
            "admin_client": self.admin.id if self.admin else None,
            "metrics": {
                name: f"{base}/metrics" for name, base in {**self.metrics, API: self.http}.items()
            },
            "pids": {"up": os.getpid(), **self.pids},
        }

    async def start(self) -> None:
        """Start everything; returns when every service is ready.

        Raises:
            EmbeddedServerError, DeploymentError: something cannot run here; the message says what
                to do. What was started is stopped again.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the HTTP API and the services, then Kafka, then MongoDB."""
        await self._stack.aclose()

    async def stop_services(self) -> None:
        """Stop the HTTP API and the services alone; the servers go on."""
        await self._supervisor.stop((API, *self._processes))

    def kill(self) -> None:
        """End every child at once, without waiting, and remove what is temporary."""
        for pid in filter(None, self.pids.values()):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _start(self) -> None:
        settings = self._read_settings()
        if self._given_http is not None:
            check_port(*self._given_http, option="--http")
        folder = DataFolder(self._given_data or self._make_temporary())
        folder.lock()
        self._stack.callback(folder.release)
        self._stack.push_async_callback(self._supervisor.stop)
        settings = await self._start_servers(folder, settings)
        self._stack.push_async_callback(self.stop_services)
        await create_topics(kafka_connection(settings), partitions=settings.topic_partitions)
        for process, service in self._processes.items():
            await self._start_service(process, service, folder.port(process))
        host, port = self._given_http or (LOOPBACK, folder.port("http"))
        await self._start_api(folder, settings, host, port)
        client = await self._stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        await self._await_ready(client)

    def _make_temporary(self) -> Path:
        self._temporary = Path(tempfile.mkdtemp(prefix="ordermesh-"))
        self._stack.callback(shutil.rmtree, self._temporary, ignore_errors=True)
        return self._temporary

    def _read_settings(self) -> Settings:
        """The environment's settings, checked."""
        settings = settings_of(kafka=self._kafka, mongodb=self._mongodb)
        if self._own_kafka and settings.kafka_security_protocol is not SecurityProtocol.PLAINTEXT:
            raise DeploymentError(
                "ORDERMESH_KAFKA_SECURITY_PROTOCOL is set, and the embedded Kafka has no security:"
                " name the Kafka that it is for with --kafka or ORDERMESH_KAFKA, or remove it."
            )
        if self._mongodb is None and settings.mongodb_ca_file is not None:
            raise DeploymentError(
                "ORDERMESH_MONGODB_CA_FILE is set, and the embedded MongoDB has no TLS: name the"
                " MongoDB that it is for with --mongodb or ORDERMESH_MONGODB, or remove it."
            )
        return settings

    async def _start_servers(self, folder: DataFolder, settings: Settings) -> Settings:
        """The settings with the servers that are used now."""
        # The database first: it stops last, and takes the shorter time to start.
        if self._mongodb is None:
            mongodb = EmbeddedMongoDB(folder.path / "mongodb", folder.port("mongodb"))
            await self._supervisor.start("mongodb", mongodb)
            self._mongodb = mongodb.url
        else:
            await check_mongodb(settings)
        if self._kafka is None:
            kafka = EmbeddedKafka(folder.path / "kafka", folder.port("kafka"))
            await self._supervisor.start("kafka", kafka)
            self._kafka = kafka.address
        else:
            await check_kafka(kafka_connection(settings))
        return settings.model_copy(
            update={"kafka": self._kafka, "mongodb": SecretStr(self._mongodb)}
        )

    async def _start_service(self, process: str, service: str, port: int) -> None:
        address = f"{LOOPBACK}:{port}"
        argv = [sys.executable, "-m", "services.cli", "run", service]
        argv += ["--kafka", self.kafka, "--metrics", address]
        self.metrics[process] = f"http://{address}"
        # A broker of its own has no other members: a service that is started again takes its
        # place at once instead of waiting until the broker misses the dead one.
        own = {"ORDERMESH_INSTANCE_ID": f"up-{process}"} if self._own_kafka else {}
        # A URL may hold a password, and every user of the machine can read a command line.
        own |= {"ORDERMESH_MONGODB": self.mongodb, "ORDERMESH_MONGODB_FILE": ""}
        child = ChildProcess(argv, environment=own, stop_limit=20.0)
        await self._supervisor.start(process, child)

    async def _start_api(
        self, folder: DataFolder, settings: Settings, host: str, port: int
    ) -> None:
        self.http = f"http://{_url_host(host)}:{port}"
        self.admin = admin_client(folder.path, settings)
        argv = [sys.executable, "-m", "services.cli", "api", "--http", f"{_url_host(host)}:{port}"]
        argv += [f"{name}={base}" for name, base in self.metrics.items()]
        own = {
            "ORDERMESH_KAFKA": self.kafka,
            "ORDERMESH_MONGODB": self.mongodb,
            "ORDERMESH_MONGODB_FILE": "",
            "ORDERMESH_ADMIN_CLIENT_ID": self.admin.id,
            "ORDERMESH_ADMIN_CLIENT_SECRET": self.admin.secret,
            "ORDERMESH_ADMIN_CLIENT_SECRET_FILE": "",
        }
        if "api_url" not in settings.model_fields_set:
            # A wildcard address is no URL that a token could name.
            own["ORDERMESH_API_URL"] = f"http://{_reachable(host)}:{port}"
        await self._supervisor.start(API, ChildProcess(argv, environment=own, stop_limit=20.0))

    async def _await_ready(self, client: httpx.AsyncClient) -> None:
        deadline = time.monotonic() + READY_LIMIT
        urls = {name: f"{base}/readyz" for name, base in self.metrics.items()}
        urls[API] = f"{self.http}{API_READINESS}"
        while missing := await unready(urls, client):
            for name, count in self._supervisor.restarts.items():
                if name in missing and count >= _HOPELESS:
                    raise DeploymentError(
                        f"The service {name} ends as soon as it is started; its own lines on"
                        " stderr, above, say why."
                    )
            if time.monotonic() > deadline:
                reasons = "; ".join(f"{name}: {text}" for name, text in missing.items())
                raise DeploymentError(
                    f"Not every service is ready after {READY_LIMIT:.0f} s ({reasons}). Their own"
                    " lines on stderr, above, say why."
                )
            await asyncio.sleep(0.1)


def _reachable(host: str) -> str:
    return LOOPBACK if host in ("0.0.0.0", "::", "") else _url_host(host)  # noqa: S104


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
