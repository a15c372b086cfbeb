"""A whole deployment as an operator runs it: `ordermesh up` as a child process."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import psutil
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

SERVICES = ("accounts", "pricing", "checkout", "forwarding", "shipments", "notifications")

QUICK = {
    # A killed consumer is missed after this; the default of 30 s would be most of a test's time.
    "ORDERMESH_SESSION_TIMEOUT_MS": "6000",
    "ORDERMESH_ALLOW_PRIVATE_TARGETS": "true",
    "ORDERMESH_LOG_FORMAT": "json",
}
"""Settings of every deployment of the tests."""

_START_LIMIT = 120.0
_STOP_LIMIT = 60.0
_ANSWER_LIMIT = 120.0


class Deployment:
    """`ordermesh up --data` with all that it started. ``options`` are more of them;
    ``description`` is the line of JSON that it printed; ``log`` is where its standard error
    goes."""

    def __init__(self, data: Path, settings: Mapping[str, str], *options: str) -> None:
        self._data = data
        self._settings = settings
        self._options = options
        self.log = data.with_name(f"{data.name}.log")
        self.description: dict[str, Any] = {}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def kafka(self) -> str:
        return str(self.description["kafka"])

    @property
    def mongodb(self) -> str:
        return str(self.description["mongodb"])

    @property
    def http(self) -> str:
        return str(self.description["http"])

    def admin_client(self) -> tuple[str, str]:
        """ID and secret of the API client that has every role."""
        kept = json.loads((self._data / "admin-client.json").read_text())
        return kept["ClientID"], kept["ClientSecret"]

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the HTTP API that has every role; each request has its own connection, for
        one that is kept may be closed by the server as it is used again."""
        id, secret = self.admin_client()
        form = {"grant_type": "client_credentials", "client_id": id, "client_secret": secret}
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(
            base_url=self.http, timeout=_ANSWER_LIMIT, trust_env=False, limits=limits
        ) as client:
            answer = await client.post("/oauth/token", data=form)
            assert answer.status_code == 200, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            yield client

    def base(self, service: str) -> str:
        """The URL of a service's health and metrics."""
        return str(self.description["metrics"][service]).removesuffix("/metrics")

    async def metrics(self, service: str) -> dict[str, Metric]:
        """The families that a service shows now, by name."""
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(f"{self.base(service)}/metrics")
        assert response.status_code == 200
        return {family.name: family for family in text_string_to_metric_families(response.text)}

    async def start(self) -> Self:
        """Starts it and waits for its line. AssertionError with the end of the log otherwise."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.cli", "up", "--data", str(self._data),
                *self._options,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**_environment(), **QUICK, **self._settings},
            )  # fmt: skip
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_START_LIMIT):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        assert line, f"ordermesh up printed nothing; the end of its log:\n{self.log_tail()}"
        self.description = json.loads(line)
        return self

    async def stop(self) -> None:
        """SIGTERM; it must end with 0 and leave no process behind."""
        assert self._process is not None
        children = self._descendants()
        self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_LIMIT):
                code = await self._process.wait()
        except TimeoutError:
            await self._end_all(children)
            raise AssertionError(
                f"ordermesh up did not end on SIGTERM:\n{self.log_tail()}"
            ) from None
        left = _commands(children)
        await self._end_all(children)
        assert (code, left) == (0, []), self.log_tail()

    async def kill(self) -> None:
        """kill -9 of `up` itself. Returns when it and its children are gone."""
        assert self._process is not None
        children = self._descendants()
        self._process.kill()
        await self._process.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                while _commands(children):  # noqa: ASYNC110 - they are no children of this process
                    await asyncio.sleep(0.05)
        left = _commands(children)
        await self._end_all(children)
        assert left == []

    async def discard(self) -> None:
        """Ends whatever still runs, after a test that failed."""
        if self._process is not None and self._process.returncode is None:
            children = self._descendants()
            self._process.kill()
            await self._process.wait()
            await self._end_all(children)

    def pid_of(self, service: str) -> int | None:
        """The process of a service as it is now; None while it is down."""
        assert self._process is not None
        for child in psutil.Process(self._process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.cmdline()[1:5] == ["-m", "services.cli", "run", service]:
                    return child.pid
        return None

    async def kill_service(self, service: str) -> None:
        """kill -9 of one service; returns when another process of it is ready."""
        pid = self.pid_of(service)
        assert pid is not None, f"{service} is not running"
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
            while True:
                if self.pid_of(service) not in (None, pid) and await _ready(
                    client, self.base(service)
                ):
                    return
                # What is waited for happens in another process.
                await asyncio.sleep(0.05)

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _descendants(self) -> list[psutil.Process]:
        assert self._process is not None
        return psutil.Process(self._process.pid).children(recursive=True)

    async def _end_all(self, processes: list[psutil.Process]) -> None:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _commands(processes: list[psutil.Process]) -> list[list[str]]:
    """The command lines of those that still run. One that ended and that nobody has asked for its
    exit code is not running."""
    running = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                running.append(process.cmdline())
    return running


async def _ready(client: httpx.AsyncClient, base: str) -> bool:
    try:
        return (await client.get(f"{base}/readyz", timeout=2)).status_code == 200
    except httpx.HTTPError:
        return False


def _environment() -> dict[str, str]:
    """This process's environment without what would change a deployment."""
    return {k: v for k, v in os.environ.items() if not k.startswith("ORDERMESH_")}


@asynccontextmanager
async def deployment(data: Path, *options: str, **settings: str) -> AsyncIterator[Deployment]:
    """A running deployment; ``options`` are those of ``up``, ``settings`` are ``ORDERMESH_``
    variables without the prefix. Stopped at the end, which must go well, too."""
    running = Deployment(
        data, {f"ORDERMESH_{name.upper()}": value for name, value in settings.items()}, *options
    )
    try:
        yield await running.start()
        await running.stop()
    finally:
        await running.discard()
