"""Fail-points: places where a process can be told to die or to stand still, for the fault suite.

``ORDERMESH_FAIL_POINT="after_write:3"`` kills the process with SIGKILL, as if the machine had
lost it, when it comes to that step for the third time; without a number, for the first. With
``:stop`` behind it the process stops itself with SIGSTOP instead, and goes on when somebody sends
it SIGCONT. Read once, when the process starts; where it is not set, as in every deployment, a step
costs one comparison.
"""

import os
import signal
from collections.abc import Mapping, Sized
from typing import Literal, get_args

VARIABLE = "ORDERMESH_FAIL_POINT"

Step = Literal[
    "before_write", "after_write", "before_publish", "after_publish", "before_clear",
    "before_commit",
]  # fmt: skip
"""The steps of a batch: its bulk writes, its publishing, the commit of its offsets; and the
relay's clearing of outboxes."""


class FailPoint:
    """Sends its own process ``signal`` at the ``count``-th time that ``step`` is reached; never
    where ``step`` is None."""

    def __init__(
        self,
        step: Step | None = None,
        count: int = 1,
        number: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.step = step
        self.count = count
        self.signal = number

    @classmethod
    def parse(cls, text: str) -> "FailPoint":
        """Reads ``STEP`` or ``STEP:COUNT``, with ``:stop`` behind it or not; empty: none. Raises
        ValueError for anything else."""
        if not text:
            return cls()
        rest = text.removesuffix(":stop")
        number = signal.SIGKILL if rest == text else signal.SIGSTOP
        name, _, count = rest.partition(":")
        for step in get_args(Step):
            if step == name and (not count or (count.isdecimal() and int(count) > 0)):
                return cls(step, int(count or 1), number)
        raise ValueError(
            f"{VARIABLE} is {text!r}; set it to one of {', '.join(get_args(Step))}, with :COUNT "
            "for a later time than the first, with :stop to stand still instead of dying, or do "
            "not set it"
        )

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "FailPoint":
        return cls.parse(environment.get(VARIABLE, ""))

    def due(self, step: Step, concerned: Sized) -> bool:
        """Counts ``step``; True at the time that was asked for. A step that concerns nothing, an
        empty batch or write, does not count."""
        if self.step != step or not concerned:
            return False
        self.count -= 1
        return self.count == 0


_armed = FailPoint.of_environment(os.environ)


def reached(step: Step, concerned: Sized) -> None:
    """Dies or stands still here where that was asked for. ``concerned``: what is about to be, or
    was, written, published, cleared or committed."""
    if _armed.step is not None and _armed.due(step, concerned):
        os.kill(os.getpid(), _armed.signal)
