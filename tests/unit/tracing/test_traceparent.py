"""W3C's traceparent: what is taken and what is ignored."""

import pytest

from shared.tracing.traceparent import Parent, accepted, is_sampled, trace_id_of, unsampled

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GOOD = f"00-{TRACE}-00f067aa0ba902b7-01"


def test_a_traceparent_is_read_and_written_unchanged() -> None:
    assert accepted(GOOD) == GOOD
    assert str(Parent.parse(GOOD)) == GOOD
    assert trace_id_of(GOOD) == TRACE


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Ada Lovelace",
        GOOD.upper(),
        f"{GOOD}\n",
        f"{GOOD}-more",
        f"01-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-00f067aa0ba902b7",
    ],
)
def test_what_is_malformed_is_as_if_it_were_not_there(text: str | None) -> None:
    assert accepted(text) is None


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False),
                                                ("03", True)])  # fmt: skip
def test_the_lowest_flag_tells_whether_it_is_sampled(flags: str, sampled: bool) -> None:
    assert is_sampled(f"{GOOD[:-2]}{flags}") is sampled


def test_an_unsampled_beginning_is_a_traceparent_of_its_own() -> None:
    first, second = unsampled(), unsampled()

    assert accepted(first) == first
    assert not is_sampled(first)
    assert trace_id_of(first) != trace_id_of(second)
