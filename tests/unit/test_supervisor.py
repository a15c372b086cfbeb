"""The supervisor and the data folder, with real processes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from shared.embedded import ChildProcess, DataFolder, EmbeddedServerError, Supervisor, free_ports

SLEEP = "import time; print('up', flush=True); time.sleep(600)"


def child(tmp_path: Path, code: str = SLEEP, *, stop_limit: float = 5.0) -> ChildProcess:
    return ChildProcess(
        [sys.executable, "-c", code], log=tmp_path / "child.log", stop_limit=stop_limit
    )


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has reaped yet counts as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def eventually(condition: Callable[[], bool], limit: float = 10.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    made = Supervisor(first_delay=0.02, max_delay=0.3, healthy_after=600)
    yield made
    await made.stop()


async def test_a_killed_child_runs_again_with_another_pid(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    await supervisor.start("one", child(tmp_path))
    first = supervisor.pids["one"]
    assert first is not None

    os.kill(first, signal.SIGKILL)
    await eventually(lambda: supervisor.pids["one"] not in (None, first))

    assert supervisor.restarts == {"one": 1}
    assert gone(first)


async def test_a_child_that_keeps_ending_is_restarted_ever_more_slowly(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    with capture_logs() as logs:
        await supervisor.start("one", child(tmp_path, "pass"))
        await eventually(lambda: supervisor.restarts["one"] >= 5, limit=20)

    waits = [line["restart_in"] for line in logs if line["event"] == "child ended"]
    assert waits[:5] == [0.02, 0.04, 0.08, 0.16, 0.3]


async def test_stop_goes_backwards_and_leaves_nothing(tmp_path: Path) -> None:
    order = tmp_path / "order"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    print(sys.argv[1], file=open(sys.argv[2], 'a')); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('ready', flush=True); time.sleep(600)\n"
    )
    supervisor = Supervisor()
    children = {
        name: ChildProcess(
            [sys.executable, "-c", code, name, str(order)], log=tmp_path / f"{name}.log"
        )
        for name in ("first", "second", "third")
    }
    for name, each in children.items():
        await supervisor.start(name, each)
    await eventually(lambda: all("ready" in each.log_tail() for each in children.values()))

    await supervisor.stop()

    assert order.read_text().split() == ["third", "second", "first"]
    assert supervisor.pids == {}


async def test_a_child_that_ignores_sigterm_is_killed_after_its_limit(tmp_path: Path) -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP
    deaf = child(tmp_path, code, stop_limit=0.2)
    await deaf.start()
    await eventually(lambda: "up" in deaf.log_tail())

    await deaf.stop()

    assert deaf.returncode == -signal.SIGKILL


async def test_a_program_that_is_not_there_ends_and_says_so(tmp_path: Path) -> None:
    missing = ChildProcess([str(tmp_path / "nothing")], log=tmp_path / "log")

    await missing.start()

    assert await missing.wait() != 0
    assert "No such file" in missing.log_tail()


async def test_a_parent_killed_with_sigkill_leaves_no_child(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys\n"
        "from shared.embedded import ChildProcess\n"
        "async def main():\n"
        "    child = ChildProcess([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "    await child.start()\n"
        "    print(child.pid, flush=True)\n"
        "    await child.wait()\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen(  # noqa: ASYNC220 - it is killed from outside any loop
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    # The guard has done its work once the program itself runs.
    await eventually(lambda: "time.sleep" in psutil.Process(pid).cmdline()[-1])

    parent.kill()
    parent.wait()
    parent.stdout.close()

    await eventually(lambda: gone(pid))


def test_a_data_folder_has_one_user_at_a_time(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path), DataFolder(tmp_path)
    first.lock()

    with pytest.raises(EmbeddedServerError, match=str(os.getpid())):
        second.lock()

    first.release()
    second.lock()
    second.release()


def test_a_data_folder_keeps_its_ports(tmp_path: Path) -> None:
    ports = {name: DataFolder(tmp_path).port(name) for name in ("kafka", "mongodb")}

    again = {name: DataFolder(tmp_path).port(name) for name in ("mongodb", "kafka")}

    assert again == ports
    assert len(set(ports.values())) == 2


def test_a_damaged_list_of_ports_is_named(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")

    with pytest.raises(EmbeddedServerError, match=r"ports\.json"):
        DataFolder(tmp_path).port("kafka")


def test_free_ports_are_distinct() -> None:
    assert len(set(free_ports(50))) == 50
