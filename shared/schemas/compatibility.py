"""What a change of a message's JSON Schema breaks for who is already there.

A command must still be taken from a producer that knows the old schema: everything that was valid
must stay valid. An event must still be read by a consumer that knows the old schema: everything
that is sent now must have been valid then. Beyond what validation tells, a field that is gone
breaks both (its value would be ignored, or is missed), and so does, in a command, another default.

Only keywords that the generator uses are understood. A difference in any other counts as breaking,
so that nothing is passed over in silence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.contracts.flows import Direction
from shared.schemas.messages import CONTRACT
from shared.schemas.wire import DECIMAL_PLACES, OPEN_ENUM

Schema = Mapping[str, Any]

_NOTES = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "examples", "deprecated", "default",
     "readOnly", CONTRACT}
)  # fmt: skip
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", DECIMAL_PLACES)
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_SAME = ("pattern", "format", "multipleOf", "uniqueItems")
_UNDERSTOOD = _NOTES | {
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "enum", "items", "properties",
    "required", "type", OPEN_ENUM, *_MOST, *_LEAST, *_SAME,
}  # fmt: skip
_ALL_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


@dataclass(frozen=True, slots=True)
class Breaking:
    """One change that breaks somebody: ``path`` is the field (``Order.ID``; empty: the whole
    body), ``fault`` what is wrong with it."""

    path: str
    fault: str

    def __str__(self) -> str:
        return f"{self.path}: {self.fault}" if self.path else self.fault


def breaking_changes(old: Schema, new: Schema, direction: Direction) -> list[Breaking]:
    """What of the change from ``old`` to ``new`` breaks older producers (of a command) or older
    consumers (of an event). ``INTERNAL`` messages may change: always empty."""
    if direction is Direction.INTERNAL:
        return []
    if direction is Direction.COMMAND:
        comparison = _Comparison(narrow_root=old, wide_root=new, command=True)
    else:
        comparison = _Comparison(narrow_root=new, wide_root=old, command=False)
    faults = comparison.faults(comparison.narrow_root, comparison.wide_root, "")
    return list(dict.fromkeys(faults))


def contract_changes(
    old: Mapping[str, Schema], new: Mapping[str, Schema]
) -> dict[str, list[Breaking]]:
    """What breaks of all messages, by name; the messages that break nothing are left out.

    ``old`` and ``new`` are schemas as ``messages.message_schemas`` makes them. A message that is
    gone, or public no longer, breaks too, and so does one whose key is another.
    """
    changes: dict[str, list[Breaking]] = {}
    for name, before in old.items():
        if not before[CONTRACT]["public"]:
            continue
        now = new.get(name)
        if now is None:
            changes[name] = [Breaking("", "the message is gone")]
            continue
        found = _about(before[CONTRACT], now[CONTRACT])
        # As it was promised, whatever it is called now.
        found += breaking_changes(before, now, Direction(before[CONTRACT]["direction"]))
        if found:
            changes[name] = found
    return changes


def _about(before: Schema, now: Schema) -> list[Breaking]:
    words = {"key": "the record's key", "direction": "the direction", "public": "being public"}
    return [
        Breaking("", f"{word} was {before[name]} and is {now[name]}")
        for name, word in words.items()
        if before[name] != now[name]
    ]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Whether all that fits a narrow schema fits a wide one. In a command the narrow one is the
    old, in an event the new."""

    narrow_root: Schema
    wide_root: Schema
    command: bool
    _under_way: set[tuple[int, int]] = field(default_factory=set)

    def faults(self, narrow: Schema, wide: Schema, path: str) -> list[Breaking]:
        pair = (id(narrow), id(wide))
        if pair in self._under_way:
            # A schema that refers back to itself: what is wrong is found where it began.
            return []
        self._under_way.add(pair)
        try:
            return self._compared(narrow, wide, path)
        finally:
            self._under_way.discard(pair)

    def _compared(self, narrow: Schema, wide: Schema, path: str) -> list[Breaking]:
        found = self._defaults(narrow, wide, path)
        narrow, wide = _resolved(narrow, self.narrow_root), _resolved(wide, self.wide_root)
        if not wide.keys() - _NOTES:
            return found
        strange = [
            key
            for key in sorted({*narrow, *wide} - _UNDERSTOOD)
            # What refers to something else may have changed there.
            if narrow.get(key) != wide.get(key) or "$ref" in str(narrow.get(key))
        ]
        found += [
            Breaking(path, f"{key} changed, which the check does not understand") for key in strange
        ]
        choices, allowed = _choices(narrow, self.narrow_root), _choices(wide, self.wide_root)
        if len(choices) == 1 and len(allowed) == 1:
            return found + self._single(choices[0], allowed[0], path)
        for choice in choices:
            found += self._best(choice, allowed, path)
        return found

    def _best(self, choice: Schema, allowed: list[Schema], path: str) -> list[Breaking]:
        """What is wrong with ``choice`` beside the one of ``allowed`` that it fits best."""
        fitting = [each for each in allowed if _types(choice) & _types(each)]
        if not fitting:
            return [Breaking(path, self._type_fault(_types(choice)))]
        return min((self._single(choice, each, path) for each in fitting), key=len)

    def _single(self, narrow: Schema, wide: Schema, path: str) -> list[Breaking]:
        if narrow == _NOTHING:
            return []
        if wide == _NOTHING:
            return [Breaking(path, self._say("is no longer taken", "may now be there"))]
        surplus = _surplus(_types(narrow), _types(wide))
        if surplus:
            return [Breaking(path, self._type_fault(surplus))]
        found = list(self._limits(narrow, wide, path))
        types = _types(narrow)
        if "object" in types:
            found += self._objects(narrow, wide, path)
        if "array" in types and "items" in wide:
            found += self.faults(narrow.get("items", {}), wide["items"], f"{path}[]")
        return found

    def _limits(self, narrow: Schema, wide: Schema, path: str) -> Iterator[Breaking]:
        values, known = _values(narrow), _values(wide)
        if known is not None:
            if values is None:
                yield Breaking(path, self._say("is limited to listed values", "takes any value"))
            elif surplus := [value for value in values if value not in known]:
                listed = ", ".join(map(str, surplus))
                yield Breaking(path, self._say(f"no longer takes {listed}", f"may be {listed}"))
        for key in _MOST:
            if key in wide and not _within(narrow, wide, key, least=False):
                yield self._limit(narrow, wide, key, path)
        for key in _LEAST:
            if key in wide and not _within(narrow, wide, key, least=True):
                yield self._limit(narrow, wide, key, path)
        for key in _SAME:
            if key in wide and wide[key] is not False and narrow.get(key) != wide[key]:
                yield self._limit(narrow, wide, key, path)

    def _limit(self, narrow: Schema, wide: Schema, key: str, path: str) -> Breaking:
        old, new = (narrow, wide) if self.command else (wide, narrow)
        was, now = old.get(key, "absent"), new.get(key, "absent")
        return Breaking(path, f"{key} was {was} and is {now}")

    def _objects(self, narrow: Schema, wide: Schema, path: str) -> Iterator[Breaking]:
        has, wants = narrow.get("properties", {}), wide.get("properties", {})
        old, new = (has, wants) if self.command else (wants, has)
        for name in old:
            if name not in new:
                gone = self._say("is no longer taken", "is no longer sent")
                yield Breaking(_join(path, name), gone)
        for name in wide.get("required", ()):
            if name not in narrow.get("required", ()):
                fault = self._say("is now required", "may now be absent")
                yield Breaking(_join(path, name), fault)
        rest, taken = (_rest(schema) for schema in (narrow, wide))
        for name in has:
            if name in wants or not self.command:
                yield from self.faults(has[name], wants.get(name, taken), _join(path, name))
        yield from self.faults(rest, taken, _join(path, "*"))

    def _defaults(self, narrow: Schema, wide: Schema, path: str) -> list[Breaking]:
        """In a command, what is left out must go on to mean the same."""
        if not self.command or narrow.get("default") == wide.get("default"):
            return []
        was, now = narrow.get("default"), wide.get("default")
        return [Breaking(path, f"the default was {was} and is {now}")]

    def _type_fault(self, types: frozenset[str]) -> str:
        named = " or ".join(sorted(types))
        return self._say(f"no longer takes {named}", f"may now be {named}")

    def _say(self, of_command: str, of_event: str) -> str:
        return of_command if self.command else of_event


def _resolved(schema: Schema, root: Schema) -> Schema:
    """``schema`` without a reference at its top. Raises ValueError for one out of the document."""
    while "$ref" in schema:
        place, _, name = schema["$ref"].rpartition("/")
        if place != "#/$defs":
            raise ValueError(f"{schema['$ref']} is no reference to #/$defs of the same schema")
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        # What stands beside a reference holds too; the generator writes only notes there.
        schema = {**root["$defs"][name], **rest} if rest.keys() - _NOTES else root["$defs"][name]
    return schema


_NOTHING: Schema = {"enum": []}


def _rest(schema: Schema) -> Schema:
    """What the fields of an object may be that ``properties`` does not name."""
    rest = schema.get("additionalProperties", True)
    if rest is True:
        return {}
    return _NOTHING if rest is False else rest


def _choices(schema: Schema, root: Schema) -> list[Schema]:
    """The alternatives of ``schema``, each by itself, those of several types taken apart."""
    if "anyOf" in schema:
        beside = {k: v for k, v in schema.items() if k not in {"anyOf", "$defs", *_NOTES}}
        return [
            {**choice, **beside} if beside else choice
            for option in schema["anyOf"]
            for choice in _choices(_resolved(option, root), root)
        ]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": type} for type in schema["type"]]
    return [schema]


def _types(schema: Schema) -> frozenset[str]:
    type = schema.get("type")
    if type is None:
        return _ALL_TYPES
    # Every integer is a number, too.
    return frozenset({"number", "integer"} if type == "number" else {type})


def _surplus(narrow: frozenset[str], wide: frozenset[str]) -> frozenset[str]:
    surplus = narrow - wide
    return surplus - {"integer"} if "number" in surplus else surplus


def _values(schema: Schema) -> list[Any] | None:
    """The listed values that a schema is limited to; None: it is not. An open list limits
    nothing."""
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


_STRICT = {"maximum": "exclusiveMaximum", "minimum": "exclusiveMinimum"}


def _within(narrow: Schema, wide: Schema, key: str, *, least: bool) -> bool:
    """Whether the limit ``key`` of ``wide`` holds for all that keeps to ``narrow``'s."""
    sign = -1 if least else 1
    limit = wide[key] * sign
    strict = _STRICT.get(key)
    if key in narrow and narrow[key] * sign <= limit:
        return True
    if strict is not None and strict in narrow and narrow[strict] * sign <= limit:
        return True
    inclusive = next((each for each, other in _STRICT.items() if other == key), None)
    return inclusive in narrow and narrow[inclusive] * sign < limit if inclusive else False


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
