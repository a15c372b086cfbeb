"""A filter as a MongoDB query."""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.http.query.fields import Field, Kind
from shared.http.query.patterns import whole_text
from shared.http.query.terms import Term
from shared.http.query.values import WrongType, day, expected, number, read, readings

Condition = dict[str, Any]

_RANGES = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_OPPOSITES = {"<": "$gte", "<=": "$gt", ">": "$lte", ">=": "$lt"}
_ORDERED = (Kind.TEXT, Kind.WHOLE, Kind.DECIMAL, Kind.FLOAT, Kind.TIME, Kind.UNTYPED)
_TEXTUAL = (Kind.TEXT, Kind.CHOICE, Kind.UNTYPED)


class WrongValue(ValueError):
    """A ``field`` cannot have this ``text``; ``expected`` says what it can."""

    def __init__(self, field: Field, text: str, expected: str) -> None:
        super().__init__(f"{field.name} takes {expected}")
        self.field = field
        self.text = text
        self.expected = expected


def condition(fields: Sequence[Field], terms: Sequence[Term]) -> Condition:
    """What one parameter asks: one of ``fields`` has one of the values, and none of ``fields`` has
    one of those with ``!``. Raises ``WrongValue``."""
    positive: list[Condition] = []
    negative: list[Condition] = []
    for field in fields:
        _Compiled(field, positive, negative).add(terms)
    if positive:
        negative.append(either(positive))
    return every(negative)


def every(conditions: Iterable[Condition]) -> Condition:
    """All ``conditions`` at once, as one flat query where their keys allow it."""
    flat: Condition = {}
    nested: list[Condition] = []
    for one in conditions:
        for key, value in one.items():
            if key == "$and":
                nested.extend(value)
            elif key in flat:
                nested.append({key: value})
            else:
                flat[key] = value
    if nested:
        flat["$and"] = nested
    return flat


def either(conditions: Sequence[Condition]) -> Condition:
    return conditions[0] if len(conditions) == 1 else {"$or": list(conditions)}


class _Compiled:
    """The terms of one field, sorted into what it may have and what it must not have."""

    def __init__(self, field: Field, positive: list[Condition], negative: list[Condition]) -> None:
        self._field = field
        self._positive = positive
        self._negative = negative
        self._among: list[Any] = []
        self._not_among: list[Any] = []

    def add(self, terms: Sequence[Term]) -> None:
        for term in terms:
            if term.operator != "=":
                self._range(term)
            elif term.bare:
                self._presence(term)
            elif term.wild:
                self._pattern(term)
            elif self._field.kind is Kind.TIME and (whole_day := day(term.text)):
                begin, end = whole_day
                self._match({"$gte": begin, **({"$lt": end} if end else {})}, term)
            else:
                values = self._values(term)
                (self._not_among if term.negative else self._among).extend(values)
        path = self._field.path
        if self._among:
            self._positive.append({path: equal(self._among)})
        if self._not_among:
            self._negative.append({path: _unequal(self._not_among)})

    def _presence(self, term: Term) -> None:
        if term.negative:
            self._among.append(None)
        else:
            self._positive.append({self._field.path: {"$ne": None}})

    def _pattern(self, term: Term) -> None:
        if self._field.kind not in _TEXTUAL:
            raise self._wrong(term, f"{expected(self._field)}, without *")
        self._match(whole_text(term.parts), term)

    def _match(self, match: Condition, term: Term) -> None:
        if term.negative:
            self._negative.append({self._field.path: {"$not": match}})
        else:
            self._positive.append({self._field.path: match})

    def _range(self, term: Term) -> None:
        if self._field.kind not in _ORDERED:
            raise self._wrong(term, f"{expected(self._field)}, without < or >")
        (value,) = self._values(term, ordered=True)
        if term.negative:
            self._negative.append({self._field.path: {_OPPOSITES[term.operator]: value}})
        else:
            self._positive.append({self._field.path: {_RANGES[term.operator]: value}})

    def _values(self, term: Term, *, ordered: bool = False) -> list[Any]:
        if self._field.kind is Kind.UNTYPED:
            if not ordered:
                return readings(term.text)
            value = number(term.text)
            return [term.text if value is None else value]
        try:
            return [read(self._field, term.text)]
        except WrongType as wrong:
            raise self._wrong(term, str(wrong)) from None

    def _wrong(self, term: Term, expected: str) -> WrongValue:
        return WrongValue(self._field, term.text, expected)


def equal(values: Sequence[Any]) -> Condition:
    return {"$eq": values[0]} if len(values) == 1 else {"$in": list(values)}


def _unequal(values: Sequence[Any]) -> Condition:
    return {"$ne": values[0]} if len(values) == 1 else {"$nin": list(values)}
