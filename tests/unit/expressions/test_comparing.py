"""Wildcards."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.expressions.comparing import matches


@given(st.text("ab*"), st.text("ab*"))
def test_a_wildcard_stands_for_any_characters(text: str, pattern: str) -> None:
    parts = ".*".join(re.escape(part) for part in pattern.split("*"))

    assert matches(text, pattern) == (re.fullmatch(parts, text) is not None)


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ("tag1", "tag*", True),
        ("tag", "tag*", True),
        ("a tag", "tag*", False),
        ("", "*", True),
        ("", "", True),
        ("a", "", False),
        ("aba", "ab*ba", False),
        ("a\nb", "a*b", True),
        ("abc", "a**c", True),
    ],
)
def test_wildcards(text: str, pattern: str, found: bool) -> None:
    assert matches(text, pattern) is found
