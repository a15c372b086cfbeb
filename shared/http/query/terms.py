"""The query string taken apart: parameters, and a filter's value as its terms."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus

_OPERATOR = re.compile("[<>!]")


@dataclass(frozen=True)
class Term:
    """One alternative of a filter. ``operator`` is ``=``, ``<``, ``<=``, ``>`` or ``>=``;
    ``parts`` is the text, parted where it has wildcards."""

    negative: bool
    operator: str
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        return "*".join(self.parts)

    @property
    def wild(self) -> bool:
        return len(self.parts) > 1

    @property
    def bare(self) -> bool:
        """Whether it is a wildcard alone: anything that is there."""
        return self.wild and not any(self.parts)


def parameters(query_string: str) -> Iterator[tuple[str, str]]:
    """Names and values, decoded. An operator that the name ends in goes to each alternative of the
    value: ``Total>=5`` is ``Total`` with ``>=5``, ``Total>5`` (no equals sign) ``Total`` with
    ``>5``."""
    # A character that is half a pair cannot be stored, so it cannot be looked for.
    text = query_string.removeprefix("?").encode("utf-8", "replace").decode()
    for piece in text.split("&"):
        if not piece:
            continue
        raw_name, equals, raw_value = piece.partition("=")
        name = unquote_plus(raw_name)
        value = unquote_plus(raw_value)
        operator = _OPERATOR.search(name)
        if operator is None:
            yield name.strip(), value
            continue
        yield (
            name[: operator.start()].strip(),
            _distributed(name[operator.start() :], equals, value),
        )


def _distributed(end_of_name: str, equals: str, value: str) -> str:
    """The value of ``Field<op>value``, where the operator stands before every alternative."""
    operator = end_of_name[0]
    if operator != "!" and equals and len(end_of_name) == 1:
        operator += equals
        text = value
    else:
        text = end_of_name[1:] + (equals if len(end_of_name) > 1 else "") + value
    return "|".join(operator + alternative for alternative in _alternatives(text))


def terms(value: str) -> list[Term]:
    """The alternatives of a filter's value."""
    return [_term(alternative) for alternative in _alternatives(value)]


def wildcards(text: str) -> tuple[str, ...]:
    """``text`` parted at its wildcards, its escapes taken away."""
    parts = [""]
    characters = iter(text)
    for character in characters:
        if character == "*":
            parts.append("")
        else:
            parts[-1] += next(characters, "\\") if character == "\\" else character
    # Wildcards side by side are one.
    return (parts[0], *filter(None, parts[1:-1]), *parts[1:][-1:])


def _alternatives(value: str) -> list[str]:
    """``value`` parted at ``|``, its escapes left in."""
    found = [""]
    characters = iter(value)
    for character in characters:
        if character == "|":
            found.append("")
        else:
            found[-1] += character
            if character == "\\":
                found[-1] += next(characters, "\\")
    return found


def _term(text: str) -> Term:
    rest = text.lstrip("!")
    negative = (len(text) - len(rest)) % 2 == 1
    for operator in (">=", "<=", ">", "<"):
        if rest.startswith(operator):
            # A range ends at a value, so a wildcard is none there.
            literal = "*".join(wildcards(rest[len(operator) :]))
            return Term(negative, operator, (literal,))
    return Term(negative, "=", wildcards(rest))
