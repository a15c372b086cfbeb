"""W3C Trace Context: the ``traceparent`` header. https://www.w3.org/TR/trace-context/"""

import random
import re
from dataclasses import dataclass

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class Parent:
    """A ``traceparent`` in numbers."""

    trace_id: int
    span_id: int
    flags: int

    @classmethod
    def parse(cls, text: str) -> "Parent":
        """Reads what :func:`accepted` lets through."""
        return cls(int(text[3:35], 16), int(text[36:52], 16), int(text[53:], 16))

    def __str__(self) -> str:
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.flags:02x}"


def accepted(text: str | None) -> str | None:
    """``text`` where it is a ``traceparent`` of version 00. The standard has what is malformed
    ignored; and it is stored with every event, so nothing else may pass."""
    return text if text is not None and _FORM.fullmatch(text) else None


def is_sampled(traceparent: str) -> bool:
    """Whether whoever began the trace decided to record it."""
    return bool(int(traceparent[53:], 16) & _SAMPLED)


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace's ID, 32 hexadecimal digits, as log lines carry it."""
    return None if traceparent is None else traceparent[3:35]


def unsampled() -> str:
    """The beginning of a trace that nobody records: all that follow it know not to."""
    return str(Parent(random.getrandbits(128) | 1, random.getrandbits(64) | 1, 0))
