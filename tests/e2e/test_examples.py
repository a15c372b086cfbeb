"""The examples of docs/examples do what they say, against a running deployment.

An example whose tool is not at hand is not run, and pytest's summary says so.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from shared.embedded.jars import kafka_jars
from tests.e2e.conftest import NewID
from tests.support.deployment import Deployment
from tests.support.outside import OutsideSystem

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
LIMIT = 120

Command = Sequence[str]


def python(name: str) -> Command:
    return [sys.executable, str(EXAMPLES / "python" / f"{name.lower()}.py")]


def java(name: str) -> Command:
    """Runs the source file as it is, which takes a JDK; the Java that runs the embedded Kafka
    has no compiler."""
    jdk = shutil.which("java")
    if jdk is None or "jdk.compiler@" not in _output(jdk, "--list-modules"):
        pytest.skip("docs/examples/java was NOT RUN: there is no JDK on PATH (java with javac)")
    if int(_output(jdk, "-XshowSettings:properties", "-version").split("version = ")[1][:2]) < 17:
        pytest.skip("docs/examples/java was NOT RUN: the JDK on PATH is older than Java 17")
    path = os.pathsep.join(map(str, kafka_jars()))
    return [jdk, "-Xmx128m", "-cp", path, str(EXAMPLES / "java" / f"{name}.java")]


def shell(name: str) -> Command:
    missing = [tool for tool in ("bash", "kcat", "jq") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"docs/examples/shell was NOT RUN: not on PATH: {', '.join(missing)}")
    return ["bash", str(EXAMPLES / "shell" / f"{name.lower()}.sh")]


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout + done.stderr


async def _start(command: Command, kafka: str, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *command,
        *arguments,
        env={**os.environ, "KAFKA": kafka},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )


async def _finish(process: Process) -> list[str]:
    """The lines that it printed. AssertionError, with its errors, where it failed."""
    out, err = await process.communicate()
    assert process.returncode == 0, f"{out.decode()}\n{err.decode()}"
    return out.decode().split("\n")


@pytest.mark.parametrize("language", [python, java, shell])
async def test_a_shop_and_a_supplier_bring_an_order_to_its_end(
    language: Callable[[str], Command], engine: Deployment, outside: OutsideSystem, own: NewID
) -> None:
    order, supplier = own("order"), own("sup")
    shop, warehouse = language("Shop"), language("Supplier")
    processes: list[Process] = []

    try:
        async with asyncio.timeout(LIMIT):
            processes.append(await _start(warehouse, engine.kafka, supplier, "1"))
            processes.append(await _start(shop, engine.kafka, order, supplier))
            reported, followed = await asyncio.gather(*map(_finish, processes))
    finally:
        for process in processes:
            if process.returncode is None:
                # With whatever it started.
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()

    assert reported == [f"shipped {order}-{supplier}", ""]
    assert [line.split()[0] for line in followed if "Order" in line] == [
        "OrderSubmitted",
        # The one in shell waits for two events; the others print all.
        *(["OrderShipmentsChanged"] if language is not shell else []),
        "OrderCompleted",
    ]
    completed = await outside.event("OrderCompleted", order)
    assert [x["QuantityShipped"] for x in completed["LineItems"]] == [
        x["Quantity"] for x in completed["LineItems"]
    ]
    assert outside.all("CommandRejected", order) == []
