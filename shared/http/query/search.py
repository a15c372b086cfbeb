"""``search``: words looked for in the texts of several fields."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from shared.http.query.fields import Field, Kind
from shared.http.query.filters import either, every
from shared.http.query.patterns import containing, phrase
from shared.http.query.terms import wildcards
from shared.http.query.values import WrongType, read

Condition = dict[str, Any]

_TEXTUAL = (Kind.TEXT, Kind.CHOICE, Kind.UNTYPED)


class SearchType(StrEnum):
    """How the words of a search have to be there."""

    ANY_TERM = "AnyTerm"
    ALL_TERMS_ANY_FIELD = "AllTermsAnyField"
    ALL_TERMS_SAME_FIELD = "AllTermsSameField"
    EXACT_PHRASE = "ExactPhrase"
    EXACT_PHRASE_PREFIX = "ExactPhrasePrefix"


NOTHING: Condition = {"state.ID": {"$in": []}}
"""Matches no document."""


def search_condition(
    text: str, fields: Sequence[Field], type_: SearchType = SearchType.ALL_TERMS_ANY_FIELD
) -> Condition:
    """Documents in which one of ``fields`` has what is searched; {} where ``text`` has no word."""
    words = [word for word in text.split() if word.strip("*")]
    if not words:
        return {}
    match type_:
        case SearchType.ANY_TERM:
            return _any([one for word in words for one in _fields_with(fields, word)])
        case SearchType.ALL_TERMS_ANY_FIELD:
            return every(_any(_fields_with(fields, word)) for word in words)
        case SearchType.ALL_TERMS_SAME_FIELD:
            found = [_known([_field_with(field, word) for word in words]) for field in fields]
            return _any([every(one) for one in found if len(one) == len(words)])
        case SearchType.EXACT_PHRASE | SearchType.EXACT_PHRASE_PREFIX:
            matches = phrase(words, open_end=type_ is SearchType.EXACT_PHRASE_PREFIX)
            return _any([{field.path: matches} for field in fields if field.kind in _TEXTUAL])


def _fields_with(fields: Sequence[Field], word: str) -> list[Condition]:
    return _known([_field_with(field, word) for field in fields])


def _field_with(field: Field, word: str) -> Condition | None:
    """``field`` has ``word``: within a text, or as its value; None where it cannot."""
    if field.kind in _TEXTUAL:
        return {field.path: containing(wildcards(word))}
    try:
        return {field.path: {"$eq": read(field, word)}}
    except WrongType:
        return None


def _known(conditions: Sequence[Condition | None]) -> list[Condition]:
    return [condition for condition in conditions if condition is not None]


def _any(conditions: Sequence[Condition]) -> Condition:
    return either(conditions) if conditions else NOTHING
