"""A deployment whose every process is the test's own, to be killed, stopped and started again.

Names are ``kafka``, ``mongodb`` (``mongodb-1``, … where there are several) and the services'; a
further instance of a service is called ``checkout-2``. Whatever was killed is started again on the
same data and the same port.
"""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx

from shared.embedded import ChildProcess, EmbeddedKafka, EmbeddedMongoDB, free_port
from shared.messaging.topics import create_topics
from tests.support.counters import Counters, Life
from tests.support.deployment import SERVICES
from tests.support.proxy import Proxy, kafka_produce, mongodb_write
from tests.support.replica_set import Member, initiate, primary_of, url_of

KAFKA = "kafka"

_READY_LIMIT = 120.0
_STOP_LIMIT = 30.0


class ServiceProcess:
    """One process of a service, `ordermesh run`; its log is ``log``."""

    def __init__(self, name: str, settings: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.service = name.partition("-")[0]
        self.base = f"http://127.0.0.1:{free_port()}"
        self.log = log
        self._settings = {
            **settings,
            "ORDERMESH_METRICS": self.base.removeprefix("http://"),
            # A killed process gets its share back at once, as in `ordermesh up`.
            "ORDERMESH_INSTANCE_ID": name,
        }
        self._child: ChildProcess | None = None

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    async def start(self, settings: Mapping[str, str]) -> None:
        """Starts it with these settings on top of its usual ones; returns at once."""
        if self.pid is not None:
            raise RuntimeError(f"{self.name} runs already")
        # Nothing of this machine's own settings may change what is tested.
        foreign = [f"--unset={name}" for name in os.environ if name.startswith("ORDERMESH_")]
        own = [f"{name}={value}" for name, value in {**self._settings, **settings}.items()]
        env = shutil.which("env") or "/usr/bin/env"
        self._child = ChildProcess(
            [env, *foreign, *own, sys.executable, "-m", "services.cli", "run", self.service],
            log=self.log,
            stop_limit=_STOP_LIMIT,
        )
        await self._child.start()

    async def ready(self, client: httpx.AsyncClient) -> bool:
        """Whether it has joined its group and consumes."""
        return await self._says_yes(client, "/readyz")

    async def alive(self, client: httpx.AsyncClient) -> bool:
        """Whether it wants to be left alone."""
        return await self._says_yes(client, "/healthz")

    def stands_still(self) -> bool:
        """Whether a signal has stopped it."""
        assert self.pid is not None, f"{self.name} is not running"
        # The state follows the program's name, which stands in parentheses (proc(5)).
        state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "T"

    async def wait(self) -> int:
        """Its return code once it has ended; negative for a signal."""
        return await self._running().wait()

    async def stop(self) -> None:
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        await self._running().kill()

    async def _says_yes(self, client: httpx.AsyncClient, path: str) -> bool:
        try:
            return (await client.get(f"{self.base}{path}", timeout=2)).status_code == 200
        except httpx.HTTPError:
            return False

    def _running(self) -> ChildProcess:
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child


class Cluster:
    """Kafka, MongoDB and all services. ``data`` is theirs; logs go to ``logs``. With ``members``
    over 1 MongoDB is a replica set of so many servers. ``settings`` are ``ORDERMESH_`` variables
    of all services, without the prefix. With ``proxied`` the services, and nobody else, reach
    Kafka and the only MongoDB through ``proxies``."""

    def __init__(
        self,
        data: Path,
        logs: Path,
        *,
        members: int = 1,
        proxied: bool = False,
        settings: Mapping[str, str],
    ) -> None:
        self._logs = logs
        self.proxies: dict[str, Proxy] = {}
        self.kafka = EmbeddedKafka(data / KAFKA, free_port())
        kind = EmbeddedMongoDB if members == 1 else Member
        self._mongodb: dict[str, EmbeddedMongoDB] = {
            name: kind(data / name, free_port(), cache_mb=256)
            for name in (
                ["mongodb"] if members == 1 else [f"mongodb-{n}" for n in range(1, members + 1)]
            )
        }
        self.mongodb_url = url_of(list(self._mongodb.values()))
        kafka, mongodb = self.kafka.address, self.mongodb_url
        if proxied:
            kafka, mongodb = self._put_proxies(data)
        self._settings = {
            "ORDERMESH_KAFKA": kafka,
            "ORDERMESH_MONGODB": mongodb,
            "ORDERMESH_ALLOW_PRIVATE_TARGETS": "true",
            "ORDERMESH_LOG_FORMAT": "json",
            # A killed consumer that nobody starts again is missed after this.
            "ORDERMESH_SESSION_TIMEOUT_MS": "6000",
            **{f"ORDERMESH_{name.upper()}": value for name, value in settings.items()},
        }
        self.services: dict[str, ServiceProcess] = {}
        for name in SERVICES:
            self.add(name)
        self.counters = Counters(self._metrics)
        self._client = httpx.AsyncClient(trust_env=False)

    def _put_proxies(self, data: Path) -> tuple[str, str]:
        """Where the services find Kafka and MongoDB behind proxies."""
        behind = Proxy(free_port(), kafka_produce)
        self.kafka = EmbeddedKafka(
            data / KAFKA,
            self.kafka.port,
            listeners={"BEHIND": (behind.target, "PLAINTEXT")},
            # A broker tells its clients where to come back to, by the listener they came to.
            properties={
                "advertised.listeners": f"PLAINTEXT://{self.kafka.address},BEHIND://{behind.address}"
            },
        )
        mongodb = Proxy(self._mongodb["mongodb"].port, mongodb_write)
        self.proxies = {KAFKA: behind, "mongodb": mongodb}
        # A driver that looks for a replica set goes to the members by their own addresses.
        return behind.address, f"mongodb://{mongodb.address}/?directConnection=true"

    # --- the whole --------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        try:
            await asyncio.gather(*(proxy.start() for proxy in self.proxies.values()))
            await asyncio.gather(self.kafka.start(), *(x.start() for x in self._mongodb.values()))
            members = [one for one in self._mongodb.values() if isinstance(one, Member)]
            if members:
                await initiate(members)
            await create_topics(self.kafka.address)
            await self.start(*self.services)
        except BaseException:
            await self.stop_all()
            raise
        self.counters.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop_all()

    async def stop_all(self) -> None:
        """Ends every process: the services, then Kafka, then MongoDB."""
        self.resume_all()
        for proxy in self.proxies.values():
            proxy.heal()
        await self.counters.stop()
        await self._client.aclose()
        await asyncio.gather(*(service.stop() for service in self.services.values()))
        await self.kafka.stop()
        await asyncio.gather(*(one.stop() for one in self._mongodb.values()))
        await asyncio.gather(*(proxy.stop() for proxy in self.proxies.values()))

    def pids(self) -> dict[str, int | None]:
        """The process ID of every service; None of one that is down."""
        return {name: service.pid for name, service in self.services.items()}

    async def unhealthy(self) -> list[str]:
        """The services that an orchestrator would kill now: their ``/healthz`` is not 200."""
        names = [name for name, service in self.services.items() if service.pid is not None]
        alive = await asyncio.gather(*(self.services[name].alive(self._client) for name in names))
        return [name for name, one in zip(names, alive, strict=True) if not one]

    async def primary(self) -> str:
        """The name of the member of the replica set that is primary."""
        members = [one for one in self._mongodb.values() if isinstance(one, Member)]
        found = await primary_of(members)
        return next(name for name, one in self._mongodb.items() if one is found)

    # --- its processes ----------------------------------------------------------------------

    def add(self, service: str) -> str:
        """Another instance of ``service``, not started yet; its name."""
        count = sum(one.service == service for one in self.services.values())
        name = service if not count else f"{service}-{count + 1}"
        self.services[name] = ServiceProcess(name, self._settings, self._logs / f"{name}.log")
        return name

    async def start(self, *names: str, fail_point: str = "", **settings: str) -> None:
        """Starts processes that are down; returns when all are ready. ``fail_point`` is for
        services (see :mod:`shared.messaging.failpoints`): one that is to die may never become
        ready, so these are not waited for. ``settings`` are like the cluster's."""
        own = {f"ORDERMESH_{name.upper()}": value for name, value in settings.items()}
        if fail_point:
            own["ORDERMESH_FAIL_POINT"] = fail_point
        services = [self.services[name] for name in names if name in self.services]
        for service in services:
            await service.start(own)
        await asyncio.gather(
            *(self._server(name).start() for name in names if name not in self.services)
        )
        if not fail_point:
            await asyncio.gather(*(self._until_ready(service) for service in services))

    async def stop(self, *names: str) -> None:
        """SIGTERM; returns when they have ended. A service must end with 0."""
        await asyncio.gather(*(self._process(name).stop() for name in names))
        for name in names:
            if name in self.services:
                code = await self.services[name].wait()
                assert code == 0, f"{name} ended with {code}:\n{self.log_tail(name)}"

    async def kill(self, *names: str) -> None:
        """kill -9; returns when they are gone."""
        await asyncio.gather(*(self._kill(name) for name in names))

    async def _kill(self, name: str) -> None:
        process = self._process(name)
        if isinstance(process, ServiceProcess):
            await process.kill()
        else:
            await process.process.kill()

    async def ended(self, name: str, limit: float = 120.0) -> int:
        """The return code of a process that ends by itself. AssertionError after ``limit``
        seconds."""
        try:
            async with asyncio.timeout(limit):
                return await self._process(name).wait()
        except TimeoutError:
            raise AssertionError(f"{name} still runs after {limit:g} s") from None

    async def stopped(self, name: str, limit: float = 120.0) -> None:
        """Returns when a service stands still that stops itself at a fail-point. AssertionError
        after ``limit`` seconds."""
        end = time.monotonic() + limit
        while not self.services[name].stands_still():
            assert time.monotonic() < end, f"{name} goes on:\n{self.log_tail(name)}"
            # What is waited for happens in another process.
            await asyncio.sleep(0.1)

    def pause(self, *names: str) -> None:
        """SIGSTOP: the process stands still, its connections stay open."""
        self._signal(signal.SIGSTOP, names)

    def resume(self, *names: str) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT, names)

    def resume_all(self) -> None:
        """Lets everything go on that may stand still, so that it can be stopped."""
        names = [*self.services, KAFKA, *self._mongodb]
        self.resume(*(name for name in names if self._process(name).pid is not None))

    async def down(self, *names: str, seconds: float = 0.0) -> None:
        """kill -9; started again ``seconds`` later. Returns when all are ready."""
        await self.kill(*names)
        await asyncio.sleep(seconds)
        await self.start(*names)

    def log_tail(self, name: str, lines: int = 30) -> str:
        """The end of a service's log."""
        log = self.services[name].log
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals, names: tuple[str, ...]) -> None:
        for name in names:
            pid = self._process(name).pid
            assert pid is not None, f"{name} is not running"
            os.kill(pid, number)

    def _process(self, name: str) -> ServiceProcess | EmbeddedKafka | EmbeddedMongoDB:
        return self.services[name] if name in self.services else self._server(name)

    def _server(self, name: str) -> EmbeddedKafka | EmbeddedMongoDB:
        return self.kafka if name == KAFKA else self._mongodb[name]

    async def _until_ready(self, service: ServiceProcess) -> None:
        end = time.monotonic() + _READY_LIMIT
        while not await service.ready(self._client):
            waiting = service.pid is not None and time.monotonic() < end
            assert waiting, f"{service.name} is not ready:\n{self.log_tail(service.name)}"
            # What is waited for happens in another process.
            await asyncio.sleep(0.1)

    def _metrics(self) -> dict[Life, str]:
        return {
            (name, service.pid): f"{service.base}/metrics"
            for name, service in self.services.items()
            if service.pid is not None
        }
