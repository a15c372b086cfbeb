"""Texts with wildcards as MongoDB finds them.

Patterns are regular expressions, made here: of what a client sends, only literals get in. Each part
between two wildcards is matched at its first place and never tried elsewhere (an atomic group),
which finds the same texts in a time that grows with their length alone.
"""

from collections.abc import Sequence
from typing import Any

_SPECIAL = frozenset("\\^$.[]|()?*+{}-/#&~")
_LAST = "\uffff"  # sorts after every other character
_NO_LETTER_BEFORE = r"(?<![\p{L}\p{N}_])"
_NO_LETTER_AFTER = r"(?![\p{L}\p{N}_])"

Condition = dict[str, Any]


def whole_text(parts: Sequence[str]) -> Condition:
    """Matches texts that consist of ``parts`` (two or more) with anything between them.

    What the text begins with is a range of the collation as well, so that an index finds it. The
    range alone would be too wide: it tells no accents apart.
    """
    first, *middle, last = parts
    matches = _regex(
        rf"\A{_escaped(first)}{_each(middle)}" + (rf".*{_escaped(last)}\z" if last else "")
    )
    if first and not _reordered(first):
        return {"$gte": first, "$lt": first + _LAST, **matches}
    return matches


def containing(parts: Sequence[str]) -> Condition:
    """Matches texts that have ``parts`` somewhere, in this order."""
    first, *others = (part for part in parts if part)
    return _regex(_escaped(first) + _each(others))


def phrase(words: Sequence[str], *, open_end: bool) -> Condition:
    """Matches texts with these whole words side by side; with an ``open_end`` the last may be the
    beginning of a word."""
    text = r"\s+".join(map(_escaped, words))
    return _regex(_NO_LETTER_BEFORE + text + ("" if open_end else _NO_LETTER_AFTER))


def _each(parts: Sequence[str]) -> str:
    return "".join(f"(?>.*?{_escaped(part)})" for part in parts)


def _regex(pattern: str) -> Condition:
    return {"$regex": pattern, "$options": "is"}


def _escaped(text: str) -> str:
    return "".join(
        f"\\x{{{ord(character):x}}}"
        if character in _SPECIAL or character.isspace() or not character.isprintable()
        else character
        for character in text
    )


def _reordered(text: str) -> bool:
    """Whether a collation may take characters of ``text`` in another order than they stand in:
    Thai, Lao, New Tai Lue and Tai Viet write some vowels before the consonant that they follow."""
    return any(
        "\u0e00" <= character <= "\u0eff"
        or "\u1980" <= character <= "\u19df"
        or "\uaa80" <= character <= "\uaadf"
        for character in text
    )
