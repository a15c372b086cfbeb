"""Where a process may be told to die or stop, and that nothing happens where it is not."""

import os
import signal
import subprocess
import sys

import pytest

from shared.messaging.failpoints import VARIABLE, FailPoint, reached

_SCRIPT = """
from shared.messaging.failpoints import reached
reached("before_write", [])
reached("before_write", ["a"])
reached("after_write", ["a"])
print("written once", flush=True)
reached("before_write", ["b"])
print("written twice", flush=True)
"""


def environment_with(fail_point: str | None) -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if k != VARIABLE}
    if fail_point is not None:
        environment[VARIABLE] = fail_point
    return environment


def run(fail_point: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        check=False,
        env=environment_with(fail_point),
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_a_process_dies_at_the_step_and_the_time_that_were_asked_for() -> None:
    ended = run("before_write:2")

    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "written once\n")


def test_a_process_stands_still_until_it_is_let_go_on() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _SCRIPT],
        env=environment_with("before_write:2:stop"),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        process.send_signal(signal.SIGCONT)
        written, _ = process.communicate(timeout=30)

    assert os.WIFSTOPPED(status)
    assert (process.returncode, written) == (0, "written once\nwritten twice\n")


def test_nothing_happens_where_nothing_was_asked_for() -> None:
    ended = run(None)

    assert (ended.returncode, ended.stdout) == (0, "written once\nwritten twice\n")
    reached("before_write", ["this process goes on"])


def test_a_step_that_concerns_nothing_does_not_count() -> None:
    point = FailPoint.parse("before_commit")

    assert not point.due("before_commit", {})
    assert not point.due("after_write", ["another step"])
    assert point.due("before_commit", {"a": 1})
    assert not point.due("before_commit", {"a": 1})


@pytest.mark.parametrize(
    "text",
    ["during_write", "before_write:0", "before_write:x", ":2", "before_write:stop:2", ":stop"],
)
def test_what_is_no_fail_point_is_refused_when_the_process_starts(text: str) -> None:
    with pytest.raises(ValueError, match="set it to one of before_write, after_write"):
        FailPoint.parse(text)
